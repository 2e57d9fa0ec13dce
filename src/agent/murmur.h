/* murmur.h - what an engine and its probes write to standard error, as lines of our log.
 *
 * They get a pipe of ours and never our own standard error: a log that nobody reads any more must not kill an engine
 * (SIGPIPE), nor one that floods it hold up the device. So many lines a second are passed on, the rest is counted. */
#pragma once

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

enum { MURMUR_LINE_BYTES = 400, MURMUR_LINES_A_SECOND = 20, MURMUR_BYTES_A_TURN = 65536 };

struct murmur {
        int read_end, write_end;         /* write_end: for children to inherit; -1: none, they get ours */
        char line[MURMUR_LINE_BYTES];
        size_t length;                   /* of the line that is not whole yet; what is too long for it is left out */
        int64_t second;
        unsigned said;                   /* in this second */
        uint64_t lost;
};

MUST_CHECK enum err murmur_open(struct murmur *murmur, struct why *why);
void murmur_close(struct murmur *murmur);

/* Never waits. Each whole line, and how many were lost when there are lines again. */
typedef void murmur_say(void *user, const char *line);
void murmur_take(struct murmur *murmur, int64_t now_ms, murmur_say *say, void *user);
