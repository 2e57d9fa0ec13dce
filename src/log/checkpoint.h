/* checkpoint.h - what a log signs of itself: its origin, size and root (C2SP tlog-checkpoint), a note with signatures of several kinds.
 *
 *      buf_init(&note, LIMIT_CHECKPOINT_BYTES); checkpoint_write("log.example.com/fleet", &head, &note); checkpoint_sign(&note, &key, why);
 *      checkpoint_parse(bytes, length, &checkpoint, why) and then checkpoint_verify(&checkpoint, &log, why)
 *
 * The log's key has the origin for its name. Witnesses sign differently: cosignature.h. */
#pragma once

#include "log/tree.h"
#include "trust/verifier.h"

enum { CHECKPOINT_SIGNATURE_MAX = 72 };                  /* those that we can judge: 64 bytes, or 72 with a time */

struct checkpoint_signature {
        struct line name;
        uint8_t id[4], bytes[CHECKPOINT_SIGNATURE_MAX];
        size_t length;                                   /* longer than CHECKPOINT_SIGNATURE_MAX: of a kind that is not ours, and not kept */
};

/* Borrows the bytes that it was parsed from. */
struct checkpoint {
        char origin[LIMIT_ORIGIN_BYTES + 1];
        struct tree_head head;
        struct line text, extensions;                    /* what is signed; its lines beyond the third */
        size_t signature_count;
        struct checkpoint_signature signatures[LIMIT_SIGNATURES];
};

/* The text, without signatures or extensions. buf_check() tells of a full buffer. */
void checkpoint_write(const char *origin, const struct tree_head *head, struct buf *into);
/* Append a signature to a text or to a note. ERR_SYNTAX: it is no checkpoint, or not that log's; ERR_LIMIT, ERR_NOMEM. */
MUST_CHECK enum err checkpoint_sign(struct buf *note, const struct secret_key *key, struct why *why);
/* The same for a signature of another kind, made by others. */
MUST_CHECK enum err checkpoint_add_signature(struct buf *note, const struct verifier *verifier, struct line signature, struct why *why);

/* ERR_SYNTAX, ERR_LIMIT. Says nothing of whose the signatures are. _text: what comes before them, alone. */
MUST_CHECK enum err checkpoint_parse(const char *bytes, size_t length, struct checkpoint *ret_checkpoint, struct why *why);
MUST_CHECK enum err checkpoint_parse_text(const char *text, size_t length, struct checkpoint *ret_checkpoint, struct why *why);
/* ERR_UNTRUSTED unless this log signed it: it is the origin, and each of its signatures fits. Others' are not looked at. */
MUST_CHECK enum err checkpoint_verify(const struct checkpoint *checkpoint, const struct verifier *log, struct why *why);
/* Is this line a signature of that key? By name and id, as C2SP signed-note has it: the signature may yet be wrong. */
bool checkpoint_is_of(const struct checkpoint_signature *signature, const struct verifier *verifier);
