/* options.h - what a command was told: options by table, and words.
 *
 * `--name value`, `--name=value`, `--` ends options. Each value is checked against options.def before a command sees it;
 * a mistake names the option, what it takes, and the nearest one that exists. */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_id {
#define OPTION(id, ...) OPTION_##id,
#include "cli/options.def"
#undef OPTION
        OPTION_COUNT,
        OPTION_NONE = OPTION_COUNT,      /* ends a list */
};

enum option_type {
        AS_FLAG,
        AS_TEXT,
        AS_TEXTS,                /* may be repeated */
        AS_NAME,                 /* [A-Za-z0-9][A-Za-z0-9._+-]* */
        AS_NAMES,                /* names, may be repeated */
        AS_INT,
        AS_DURATION,             /* 90, 90s, 15m, 1h, 3d; in seconds */
        AS_SHARE,                /* 2%, 0.01%, 100ppm, 0; in parts per million */
};

struct option {
        const char *name, *value, *help;
        enum option_type type;
        int64_t min, max;
};

const struct option *option_info(enum option_id id);

enum { ARG_REPEATS = 16, ARG_WORDS = 8 };      /* a command line is typed by a person */

struct arg {
        unsigned count;                        /* 0: not given */
        const char *texts[ARG_REPEATS];
        int64_t number;
};

struct args {
        struct arg of[OPTION_COUNT];
        const char *words[ARG_WORDS];
        unsigned word_count;
};

/* `allowed` ends with OPTION_NONE. Texts are borrowed from argv. ERR_USAGE says what to write instead. */
MUST_CHECK enum err options_parse(const enum option_id *allowed, int argc, char *const *argv, struct args *ret_args,
                                  struct why *why);

const char *arg_text(const struct args *args, enum option_id id, const char *otherwise);
int64_t arg_int(const struct args *args, enum option_id id, int64_t otherwise);
static inline bool arg_has(const struct args *args, enum option_id id) { return args->of[id].count > 0; }

/* The readers behind the table, for files and positional words. */
MUST_CHECK enum err duration_parse(const char *text, int64_t *ret_seconds, struct why *why);
MUST_CHECK enum err share_parse(const char *text, int64_t *ret_ppm, struct why *why);
bool name_is_good(const char *text);
