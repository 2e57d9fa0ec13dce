/* lease.h - the director's leave for one device to start one release before a deadline. Format: docs/guide/formats.md, 1.3.
 *
 * Times are unix seconds. */
#pragma once

#include "trust/note.h"

struct lease {
        bool is_shadow;                              /* to be watched as a control, without change */
        char device[33], stream[LIMIT_NAME_BYTES + 1];
        uint64_t counter;
        uint8_t target[32], nonce[16];
        int64_t granted, deadline;
        int64_t bake_s;                              /* how long it must run well before it is proven; ends by the deadline */
};

enum { LEASE_BYTES_MAX = 1024 };                     /* ten short lines and a signature: half of it */

/* The text to be signed by the director. buf_check() tells of a full buffer. */
void lease_write(const struct lease *lease, struct buf *into);
/* A text that is to be signed: the signer looks at it before it signs. ERR_SYNTAX, ERR_LIMIT. */
MUST_CHECK enum err lease_parse(const char *text, size_t length, struct lease *ret_lease, struct why *why);
/* A signed note; ERR_UNTRUSTED when the director did not sign it. Whether it is for us and now: install_rule.h. */
MUST_CHECK enum err lease_open(const struct vkey *director, const struct buf *bytes, struct lease *ret_lease, struct why *why);
