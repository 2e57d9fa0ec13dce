/* entry_proof.h - that an entry is in a log, as one text that is checked without the log (C2SP tlog-proof): the entry's index, hashes
 * from its leaf up to the root, and a checkpoint, best one that witnesses cosigned. The entry itself is not in it. */
#pragma once

#include "log/cosignature.h"

/* Borrows the bytes that it was parsed from. */
struct entry_proof {
        size_t extra_length;                             /* 0: none */
        uint8_t extra[LIMIT_PROOF_EXTRA_BYTES];          /* not signed by anybody */
        uint64_t index;
        struct tree_proof path;
        struct line checkpoint;                          /* the signed note */
};

/* Whom to believe. */
struct entry_policy {
        const struct verifier *log;
        const struct witnesses *witnesses;               /* NULL: the log's own word is enough */
};

/* buf_check() tells of a full buffer. */
void entry_proof_write(const struct entry_proof *proof, struct buf *into);
/* ERR_SYNTAX, ERR_LIMIT. Says nothing of whether it holds; the checkpoint is not looked into. */
MUST_CHECK enum err entry_proof_parse(const char *bytes, size_t length, struct entry_proof *ret_proof, struct why *why);
/* The entry is in the log, by the log's and the witnesses' signatures. ERR_UNTRUSTED says what does not hold; ERR_SYNTAX, ERR_LIMIT: the
 * checkpoint is none. *ret_seen: when enough witnesses had seen it (cosignature.h); 0 without witnesses. */
struct entry_claim { const void *bytes; size_t length; };
MUST_CHECK enum err entry_proof_verify(const struct entry_proof *proof, const struct entry_claim *entry, const struct entry_policy *policy, int64_t *ret_seen,
                                      struct why *why);
