/* release_spec.h - what a release is to be: release.yaml of the content folder, with options that win over it. */
#pragma once

#include "base/arena.h"
#include "base/limits.h"
#include "cli/options.h"
#include "format/yaml.h"
#include "trust/ceiling.h"

struct disk;

struct release_spec {
        const char *stream, *version;      /* NULL: not said */
        int64_t counter, floor, start;     /* 0: not said */
        struct yaml_texts platforms;       /* never empty after reading: "any" */
        struct yaml_texts ceiling_texts;   /* "1h:5%" */
        struct ceiling ceiling;            /* its steps; at least one */
};

/* Complaints name the line, or the option. Texts live in the arena or in the arguments. */
MUST_CHECK enum err release_spec_read(const struct args *args, struct disk *content, struct arena *arena, struct release_spec *ret_spec,
                                      struct why *why);
