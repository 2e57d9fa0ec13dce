/* cosignature.h - a witness's word that a log only ever grew: its signature with a time, on the log's checkpoint (C2SP tlog-cosignature, Ed25519).
 *
 * Whether a witness may say so: witness.h. Times are unix seconds. */
#pragma once

#include "log/checkpoint.h"

/* Whose cosignatures count, and how many different keys it takes. */
struct witnesses {
        const struct verifier *verifiers;
        size_t count, threshold;
        int64_t not_before, not_after;           /* when they must have been made; INT64_MAX: never too late */
};

/* Append a cosignature to a signed checkpoint. ERR_SYNTAX: it is none, or `time` is negative; ERR_LIMIT, ERR_NOMEM. */
struct cosigner { const struct verifier *verifier; const struct secret_key *key; };
MUST_CHECK enum err cosignature_add(struct buf *note, const struct cosigner *cosigner, int64_t time, struct why *why);

/* ERR_UNTRUSTED unless `threshold` of them signed in that time (a key counts once, under whatever names), or when one of them has a
 * cosignature that does not fit. Does not look at the log's own signature. *ret_seen: when enough of them had signed. As long as fewer than `threshold`
 * of them lie, one who does not had signed by then: the checkpoint, and all that is in the log, is no younger than it seems. */
MUST_CHECK enum err cosignature_verify(const struct checkpoint *checkpoint, const struct witnesses *witnesses, int64_t *ret_seen, struct why *why);
/* When this witness signed last; ERR_NOT_FOUND: not at all; ERR_UNTRUSTED: one of its cosignatures does not fit. */
MUST_CHECK enum err cosignature_time(const struct checkpoint *checkpoint, const struct verifier *witness, int64_t *ret_time, struct why *why);
