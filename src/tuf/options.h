/* options.h - the command line of firebreak-tuf. See firebreak-tuf(1). */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum tuf_command { TUF_INIT, TUF_REFRESH, TUF_DOWNLOAD };
enum { TUF_NAMES_MAX = 256 };            /* targets of one command */

struct tuf_options {
        enum tuf_command command;
        const char *root;                                                        /* of init */
        const char *metadata_dir, *metadata_url, *target_dir, *target_base_url, *ca;     /* NULL: not given */
        const char *names[TUF_NAMES_MAX];
        size_t name_count;
        bool is_json, wants_help, wants_version;
};

/* ERR_USAGE says what to write instead. Texts are borrowed from argv. */
MUST_CHECK enum err tuf_options_read(int argc, char **argv, struct tuf_options *ret_options, struct why *why);
extern const char tuf_usage[];
