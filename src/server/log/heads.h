/* heads.h - the heads that the log signed, and what witnesses said of them, as rows of the database.
 *
 * Invariant: one head for each size, for ever. A cosignature stands here only once it was checked. */
#pragma once

#include "log/cosignature.h"
#include "server/store/db.h"
#include "trust/anchor.h"

/* Whose log it is, and whose cosignatures count: of the anchor in force. */
struct heads_policy {
        struct verifier log;
        struct anchor_witnesses witnesses;       /* threshold 0: the log's own word is enough */
        char key[VERIFIER_TEXT_MAX];             /* of the log, as the rows name it */
        uint8_t digest[32];                      /* of all this: what a proof was sufficient by */
};
void heads_policy_init(struct heads_policy *policy, const struct verifier *log, const struct anchor_witnesses *witnesses);

struct signed_head {
        struct tree_head head;                   /* size 0: there is none */
        uint8_t signature[64];
        int64_t signed_at;
};

/* The newest; size 0: none was signed yet. */
MUST_CHECK enum err heads_newest(struct db *db, const struct heads_policy *policy, struct signed_head *ret_head, struct why *why);
/* Of that size: 0 for none, likewise. */
MUST_CHECK enum err heads_find(struct db *db, const struct heads_policy *policy, uint64_t size, struct signed_head *ret_head, struct why *why);
/* The newest by which a proof is sufficient, of the LIMIT_LOG_HEADS that were cosigned last; size 0: none. */
MUST_CHECK enum err heads_sufficient(struct db *db, const struct heads_policy *policy, struct signed_head *ret_head, struct why *why);

/* Within a transaction. ERR_REFUSED: that size has its head. */
MUST_CHECK enum err heads_add(struct db *db, const struct heads_policy *policy, const struct signed_head *head, struct why *why);

/* The checkpoint, with the signature of the log and those of the witnesses that count. */
struct heads_note { struct buf note; size_t witnesses; };
MUST_CHECK enum err heads_write(struct db *db, const struct heads_policy *policy, const struct signed_head *head, struct heads_note *ret_note, struct why *why);
static inline void heads_note_release(struct heads_note *note) { buf_done(&note->note); }
/* Is that enough? */
bool heads_is_enough(const struct heads_policy *policy, const struct heads_note *note);

/* Keep the cosignatures of the witnesses that count, of each the first: that says since when the log stood so; others' are passed over. `head` is that of the checkpoint.
 * One of a time that is yet to come is passed over, too: no device would count it. ERR_UNTRUSTED: one of theirs does not fit. */
struct heads_cosigned { const struct checkpoint *checkpoint; int64_t now_s; bool has_changed; };
MUST_CHECK enum err heads_cosign(struct db *db, const struct heads_policy *policy, struct heads_cosigned *cosigned, struct why *why);
