/* audit.h - who did what, when: append-only and chained by hash, so that a line that was changed or taken out shows.
 *
 * hash(n) = SHA-256( hash(n-1) || for each of number, at_ms, who, what, subject, detail: DECIMAL-LENGTH ":" TEXT ); hash(0) is 32 zero
 * bytes. The log says what was done; it is written in the transaction that does it. */
#pragma once

#include "server/store/db.h"

struct audit_line {
        int64_t at_ms;
        const char *who;        /* "admin", a person's name, "device <id>", "server" */
        const char *what;       /* "release.publish", "rollout.start", ... */
        const char *subject;    /* "edr-rules/4", a device id */
        const char *detail;     /* for people; may be "" */
};

MUST_CHECK enum err audit_add(struct db *db, const struct audit_line *line, struct why *why);

/* The whole chain from the first line. ERR_UNTRUSTED names the first line that does not fit. */
MUST_CHECK enum err audit_verify(struct db *db, int64_t *ret_lines, struct why *why);
