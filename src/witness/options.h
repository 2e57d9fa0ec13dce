/* options.h - the command line of firebreak-witness. See firebreak-witness(8). */
#pragma once

#include "trust/verifier.h"

struct witness_options {
        const char *state, *key, *name, *listen;         /* borrowed from argv */
        struct verifier logs[LIMIT_WITNESS_LOGS];
        size_t log_count;
        bool wants_key, wants_help, wants_version;       /* print the witness's own verifier key, ... and end */
};

/* ERR_USAGE says what to write instead; ERR_SYNTAX: a --log is no key of a log. */
MUST_CHECK enum err witness_options_read(int argc, char **argv, struct witness_options *ret_options, struct why *why);
extern const char witness_usage[];
