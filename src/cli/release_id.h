/* release_id.h - STREAM/COUNTER, as people name a release. */
#pragma once

#include "base/err.h"

#include <stdint.h>

struct release_id {
        char stream[65];
        int64_t counter;
};

/* ERR_USAGE shows the right form. */
MUST_CHECK enum err release_id_parse(const char *text, struct release_id *ret_id, struct why *why);
/* prefix "/rollouts" gives "/rollouts/edr-rules/4" plus suffix. */
void release_id_path(const struct release_id *id, const char *prefix, const char *suffix, char path[static 160]);
