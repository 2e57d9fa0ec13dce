/* status.h - one line that says how the engine does, in a file that is replaced whole.
 *
 *      state=ok version=4 rules=3 scanned=412 matches=0 reloads=1 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct status {
        bool is_error;                   /* the rules that it was told to load could not be */
        const char *version;             /* of the rules at work; "" when unknown or none */
        unsigned rules;
        uint64_t scanned, matches, reloads;
};

/* Through PATH.new and a rename, so that no reader sees half a line. */
MUST_CHECK enum err status_write(const char *path, const struct status *status, struct why *why);
