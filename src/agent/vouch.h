/* vouch.h - what others than its signers have to say of a release before this device installs it: that the log has it, and since when; that
 * this device's own administrator wants it; that it may go faster than the pace. Pure.
 *
 *      vouch_begin(&vouch, &release);
 *      while ((step = vouch_next(&vouch, &release)) != VOUCH_DONE) {
 *              fetch what vouch_path() says, at most VOUCH_BYTES_MAX
 *              there: vouch_take(&vouch, &release, step, &bytes, why); 404: vouch_lacks(&vouch, &release, step, why)
 *      }
 *
 * Invariant: nothing that was taken outlives the anchor by which it was judged. */
#pragma once

#include "base/limits.h"
#include "log/entry_proof.h"
#include "trust/anchor.h"
#include "trust/install_rule.h"

enum vouch_step { VOUCH_PROOF, VOUCH_CUSTOMER, VOUCH_EMERGENCY, VOUCH_DONE };

struct vouch {
        uint8_t target[32];                  /* of the release that it is about, and by which version of the anchor */
        uint64_t anchor;
        bool is_logged, is_lifted, has_no_lift;
        size_t approved;                     /* customers, in their order */
        int64_t seen;                        /* when the log's witnesses had seen it */
};

/* Borrowed. `anchor` NULL: there is none, and nothing is vouched for. Customers: whose approval this device demands, each of them (`approved_by`). */
struct vouch_of {
        const struct anchor *anchor;
        const struct vkey *customers;
        size_t customer_count;
        const struct install_facts *facts;   /* with the note; until there is one, only the target is looked at */
};

/* What was taken before still counts if it was of this release and by this anchor; all zeros is a beginning, too. */
void vouch_begin(struct vouch *vouch, const struct vouch_of *of);
/* What is to be fetched next. */
enum vouch_step vouch_next(const struct vouch *vouch, const struct vouch_of *of);
enum { VOUCH_BYTES_MAX = LIMIT_PROOF_BYTES, VOUCH_PATH_BYTES = 176 };
void vouch_path(const struct vouch *vouch, const struct vouch_of *of, enum vouch_step step, char path[VOUCH_PATH_BYTES]);

/* ERR_UNTRUSTED, ERR_SYNTAX, ERR_LIMIT: what was fetched does not say it. */
MUST_CHECK enum err vouch_take(struct vouch *vouch, const struct vouch_of *of, enum vouch_step step, const struct buf *bytes, struct why *why);
/* The server has none. OK: it does without, at the pace; ERR_REFUSED: not before there is one. */
MUST_CHECK enum err vouch_lacks(struct vouch *vouch, const struct vouch_of *of, enum vouch_step step, struct why *why);

/* Into facts: `pace` (NULL: none, lifted, or not known before the proof) refers to *ret_pace. */
void vouch_apply(const struct vouch *vouch, const struct vouch_of *of, struct ceiling *ret_pace, struct install_facts *facts);
