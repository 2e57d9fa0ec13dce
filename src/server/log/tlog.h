/* tlog.h - the server's transparency log (C2SP): what is done anyway is written into it, and anybody can see that it only ever grew.
 *
 * The rows (rows.h) are the truth. A tick takes those beyond the head that was signed last: tiles, then the signature, then the head
 * as a row, and only then `checkpoint` and proofs as files. Whatever is killed when, the next tick goes on from the rows; and
 * because rows are never changed, a tile that was written twice is twice the same. It never stands in the way of publishing or halting:
 * what fails here is tried again. Files that were lost are made anew from the rows.
 *
 * Invariant: no two heads of one size are signed and let out. A database that is older than the checkpoint beside it signs nothing. */
#pragma once

#include "server/log/proofs.h"
#include "server/signer/signer.h"

struct tlog;

/* All borrowed. */
struct tlog_config {
        struct db *db;
        struct disk *disk;                       /* DATA/log */
        struct signer *signer;
        const struct verifier *log;              /* its name and key */
        const struct anchor_witnesses *witnesses;
};

MUST_CHECK enum err tlog_open(const struct tlog_config *config, struct tlog **ret_tlog, struct why *why);
void tlog_close(struct tlog *tlog);
OWN_DEFINE(tlog, struct tlog *, tlog_close)

/* Outside of any transaction: the next head, if there are new entries, and all files that are to be let out. */
MUST_CHECK enum err tlog_tick(struct tlog *tlog, int64_t now_ms, struct why *why);
/* The files alone: for whoever brought cosignatures and looks at once. */
MUST_CHECK enum err tlog_let_out(struct tlog *tlog, struct why *why);
bool tlog_has_news(const struct tlog *tlog);     /* since the last of both */

/* Cosignatures that a person brought, within a transaction: kept if they fit. ERR_REFUSED, ERR_UNTRUSTED, ERR_SYNTAX change nothing. */
struct tlog_cosigned { uint64_t size; size_t witnesses, threshold; int64_t proofs; bool has_changed; };
MUST_CHECK enum err tlog_cosign(struct tlog *tlog, struct line note, int64_t now_s, struct tlog_cosigned *ret_cosigned, struct why *why);

/* For status and metrics. */
struct tlog_facts {
        const char *origin;
        uint64_t size;                           /* of the newest head */
        uint64_t waiting;                        /* entries beyond it */
        uint64_t sufficient_size;                  /* of the newest sufficient one; 0: none */
        int64_t sufficient_at, unproven;           /* releases without a proof */
        size_t threshold;
};
MUST_CHECK enum err tlog_facts(const struct tlog *tlog, struct tlog_facts *ret_facts, struct why *why);
