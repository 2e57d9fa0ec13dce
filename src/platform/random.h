/* random.h - bytes that nobody can guess; a seeded stream in tests. */
#pragma once

#include <stddef.h>

struct random_source {
        const struct random_ops *ops;
};

struct random_ops {
        void (*fill)(struct random_source *source, void *bytes, size_t length);
};

struct random_source *random_system(void);
