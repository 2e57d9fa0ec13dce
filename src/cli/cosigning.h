/* cosigning.h - gathering cosignatures for one checkpoint: what a witness is asked, and what its answer is worth. Pure.
 *
 *      cosigning_begin(&cosigning, &trust, &note, why);
 *      cosigning_ask(&cosigning, old_size, &proof, &request);
 *      cosigning_hear(&cosigning, &answer, &hearing, why);          then hand cosigning.note over
 *
 * Invariant: `note` is the checkpoint with the log's signature and cosignatures of the anchor's witnesses that fit, and nothing else. A witness
 * can withhold its own and no more, whatever it answers. */
#pragma once

#include "cli/log_trust.h"
#include "log/tree.h"

struct cosigning {
        const struct log_trust *trust;           /* borrowed */
        struct tree_head head;
        struct buf note;                         /* with what was gathered here */
        size_t plain_length;                     /* of its beginning, without a cosignature */
        size_t gathered;                         /* how many different witnesses stand in the note */
        bool is_gathered[LIMIT_WITNESSES];
        int64_t times[LIMIT_WITNESSES];          /* of the anchor's witnesses: when each cosigned last, unix seconds; -1: it did not, as far as we know */
};
/* The note as the server has it: cosignatures in it count, and are not gathered again. ERR_UNTRUSTED: the log did not sign it. Release it also after a failure. */
MUST_CHECK enum err cosigning_begin(struct cosigning *cosigning, const struct log_trust *trust, const struct buf *note, struct why *why);
void cosigning_release(struct cosigning *cosigning);

/* How many of the anchor's witnesses cosigned it by now. */
size_t cosigning_count(const struct cosigning *cosigning);
bool cosigning_is_enough(const struct cosigning *cosigning);

/* buf_check() tells of a full buffer; WITNESS_REQUEST_MAX is always enough. */
void cosigning_ask(const struct cosigning *cosigning, uint64_t old_size, const struct tree_proof *proof, struct buf *request);

enum cosigning_word { COSIGNING_GIVEN, COSIGNING_OTHER_SIZE, COSIGNING_STRANGER, COSIGNING_REFUSED };
struct cosigning_answer {
        int status;                              /* of HTTP */
        const struct buf *body;
        int64_t now_s;                           /* a time that is yet to come is none: devices would not count it */
};
struct cosigning_hearing {
        enum cosigning_word word;
        uint64_t last_size;                      /* COSIGNING_OTHER_SIZE: ask again from there; never more than the checkpoint's */
        char name[LIMIT_ORIGIN_BYTES + 1];       /* COSIGNING_GIVEN, COSIGNING_STRANGER: whose line it is, the first of several */
        int64_t time;                            /* COSIGNING_GIVEN: when it cosigned */
};
/* OK with what it is worth; why->text says why it is refused. ERR_NOMEM. */
MUST_CHECK enum err cosigning_hear(struct cosigning *cosigning, const struct cosigning_answer *answer, struct cosigning_hearing *ret_hearing, struct why *why);
