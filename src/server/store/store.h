/* store.h - the seam between the network and everything that must last.
 *
 * The api process collects requests, the store answers them in batches: one batch is one transaction, and store_batch()
 * returns only when it is durable. So an answer that left is never lost, whatever happens next, and a failed commit turns
 * every answer of the batch into that failure (ERR_FULL: 507). A request that fails undoes itself and nobody else.
 *
 * Authentication happens here: device signatures and operators' keys are checked by the handlers. The api process checks
 * the MAC of check-ins itself and hands over only who was seen. No clock, no network: the time is an argument. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "platform/disk.h"
#include "platform/random.h"
#include "wire/routes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct signer;      /* server/signer/signer.h */
struct verifier;    /* trust/verifier.h */
struct store;

/* One of the publisher's public files in all its versions, in order; the last one is in force. */
struct store_versions { const struct buf *files; size_t count; };

/* The publisher's public material (formats.md 6). Kept at first start; later those that follow what was kept are taken, and others
 * refused. Counts of 0: as before. */
struct store_trust {
        struct store_versions release_root, director_root, anchor, director_anchor;
        const struct buf *targets, *snapshot;            /* what a ceremony signed anew; NULL: nothing */
};

/* Borrowed: all of it must outlive the store. */
struct store_config {
        const struct verifier *log;            /* of the transparency log, with the name that it has; NULL: none */
        struct disk *log_files;                /* the folder DATA/log; NULL: none */
        const char *database;                  /* path of firebreak.db, or ":memory:" */
        struct disk *artifacts;                /* the folder DATA/artifacts: `ab/<sha256>` */
        struct random_source *random;
        const uint8_t *secret;                 /* 32 bytes: server.secret, from which each device's mac key is derived */
        const char *admin_key;                 /* the operators' API key */
        const char *tenant;
        struct store_trust trust;
        int64_t metadata_s;                    /* lifetime of director metadata; 0: 3600 */
        int64_t pace_ms;                       /* check-ins of idle devices; 0: 300000 */
};

/* ERR_REFUSED: other roots than before, or no roots at all; ERR_BUSY, ERR_IO, ERR_FULL: see store/db.h. */
MUST_CHECK enum err store_open(const struct store_config *config, struct signer *signer, int64_t now_ms, struct store **ret_store,
                               struct why *why);
void store_close(struct store *store);
OWN_DEFINE(store, struct store *, store_close)

struct store_text { const char *bytes; size_t length; };      /* not ended by NUL */

/* Headers that were not sent are NULL. Text is ended by NUL except in captures and body. */
struct store_request {
        enum route_id route;
        struct route_captures captures;
        const char *method, *path, *query;     /* path as it was sent, without the query: it is what devices sign */
        const char *device, *date, *signature; /* Firebreak-Device, -Date, -Signature */
        const char *authorization;
        struct store_text body;
};

struct store_answer {
        int status;
        const char *type;                      /* a literal, such as "application/json" */
        unsigned retry_after_s;                /* 0: no Retry-After */
        struct buf body;
};
void store_answer_done(struct store_answer *answer);

/* Answers requests[i] in answers[i] (zeroed by the caller, done by the caller). A failed batch is in the answers as well. */
void store_batch(struct store *store, int64_t now_ms, const struct store_request *requests, size_t count, struct store_answer *answers);

/* Who checked in since the last call; written in bulk. `id` as in the header, MAC checked. */
struct store_seen { char id[33]; int64_t at_s; };
MUST_CHECK enum err store_seen(struct store *store, const struct store_seen *seen, size_t count, struct why *why);

/* The rollouts' clock: every 100 to 250 ms. Deadlines, picks, states, renewal of metadata. A failure is to be logged, and
 * the next call tries again. */
MUST_CHECK enum err store_tick(struct store *store, int64_t now_ms, struct why *why);

/* The transparency log's clock, likewise: what was done since goes into it. */
MUST_CHECK enum err store_log_tick(struct store *store, int64_t now_ms, struct why *why);

/* Appends what the process that makes deltas has not been told: struct delta_job (server/deltas/maker.h), to the newest release of each stream from those
 * before it that devices may run. All of them after a start: who made them already sees it. As many as fit; the rest with the next call. */
MUST_CHECK enum err store_delta_jobs(struct store *store, struct buf *into, struct why *why);

/* What the api process may say without asking: valid until the next store_batch or store_tick. `changes` grows with every
 * change of it, so that a caller knows when to look again. */
struct store_file { const char *repository, *name; const void *bytes; size_t length; };   /* "release", "1.root.json" */
struct store_public {
        uint64_t changes;
        int64_t epoch, pace_ms;
        const char (*revoked)[33];             /* device ids, sorted */
        size_t revoked_count;
        const struct store_file *files;        /* sorted by repository, then name */
        size_t file_count;
};
const struct store_public *store_public_state(const struct store *store);
