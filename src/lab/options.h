/* options.h - the command line of firebreak-lab. See firebreak-lab(1). */
#pragma once

#include "base/err.h"

#include <stdbool.h>

struct lab_options {
        const char *release, *engine;    /* always given */
        const char *key, *passphrase_file, *origin, *target, *subject, *out, *baseline, *platform, *stages;      /* NULL: not given; */
        bool is_json, wants_help, wants_version;                         /* platform and stages always are */
};

/* ERR_USAGE says what to write instead. Texts are borrowed from argv. */
MUST_CHECK enum err lab_options_read(char *const *argv, struct lab_options *ret_options, struct why *why);
extern const char lab_usage[];
