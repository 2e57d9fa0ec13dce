/* world.h - a publisher, a lab, a server and its devices in one process, on a disk in memory and at a time that is told.
 *
 *      OWN(world) struct world world = { 0 };
 *      world_open(&world);
 *      world_enrol(&world, &device, "os_version=12");
 *      world_publish(&world, 1); world_prove(&world, 1);
 *      CHECK(world_ask(&world, "POST", "/api/v1/rollouts", "{...}") == 201);          world.answer is the answer
 *
 * Keys: 1 release root, 2 targets and snapshot, 3 timestamp, 4 director root, 5 director, 6 content, 7 lab, 8 the transparency log,
 * 11, 12, ... its witnesses (log/signed.h). */
#pragma once

#include "server/store/store.h"
#include "server/signer/signer.h"
#include "support/sim_disk.h"
#include "trust/ceiling.h"
#include "trust/verifier.h"
#include "trust/keys.h"
#include "trust/lease.h"
#include "trust/request.h"
#include "trust/tuf.h"
#include "wire/device.h"

#include "format/json.h"

enum { WORLD_START_S = 1784432200 };

struct world_signer { struct signer signer; enum err failure; unsigned signed_count; uint8_t timestamp_key, log_key; };      /* timestamp_key 0: 3, log_key 0: 8 */

struct world {
        bool has_log;                            /* to be set before it is opened; */
        size_t witnesses, witness_threshold;     /* then also these; 0: the anchor names no log */
        bool has_emergency;                      /* and a pace that the keys 61 and 62, both of them, lift */
        struct sim_disk log_disk;
        struct verifier log;
        struct sim_disk disk;
        struct sim_random random;
        struct world_signer signer;
        struct store *store;
        const char *stream, *group;              /* group: of tokens from now on; NULL: sales */
        char folder[64], database[96];           /* folder "": the database is in memory */
        unsigned crashes;
        struct ceiling ceiling;                  /* of releases from now on; no steps: open to all at once */
        int64_t now_ms, floor;                   /* floor: of releases from now on; 0: 1 */
        struct buf release_root, director_root, anchor, director_anchor, targets, snapshot, note;
        const struct store_trust *trust;         /* instead of those; NULL: those */
        uint64_t version;                        /* of the publisher's targets and snapshot */
        struct store_answer answer;              /* to the last question */
        struct json *json;                       /* the same, parsed; NULL if it is not JSON */
        uint64_t devices;
        uint8_t lab_key;
        uint8_t target[32];                      /* of the release published last */
};

struct world_device {
        struct secret_key key;
        char id[33], nonce[33];
        int64_t seq, running, proven;
        struct lease lease;                      /* the last one that it got */
};

void world_open(struct world *world);
/* In a folder of its own; removed at the end. */
void world_open_file(struct world *world);
/* As after kill -9 (world_open_file only): a store opens what the files were at this moment; the old one is let go. */
void world_crash(struct world *world);
/* Opens another store on what the database holds; ERR_ as store_open(). */
enum err world_try_open(struct world *world, struct why *why);
void world_close(struct world *world);
static inline void world_release(struct world *world) { world_close(world); }

/* An operator's question with the right key; the status of the answer. */
int world_ask(struct world *world, const char *method, const char *path, const char *body);
int64_t world_int(const struct world *world, const char *key);          /* of the answer; -1: not there */
const char *world_text(const struct world *world, const char *key);     /* "" */

/* A device's question, signed by it. */
int world_device_ask(struct world *world, struct world_device *device, const char *path, const char *body);
/* The same, signed at another time: again what was sent then, to the byte. */
int world_device_ask_at(struct world *world, struct world_device *device, int64_t at_s, const char *path, const char *body);

void world_device_init(struct world *world, struct world_device *device);
char *world_enrol_body(struct world *world, const struct world_device *device, const char *token, const char *attributes);
/* With a token of its own. */
void world_enrol(struct world *world, struct world_device *device, const char *attributes);

/* Asks for the release of this counter (published last) with a new nonce, or again with the same. Parses a lease. */
int world_lease(struct world *world, struct world_device *device, int64_t counter, bool is_new);
int world_report(struct world *world, struct world_device *device, const char *outcome, const char *kind);

/* Signed offline and published: the status. world_sign() only makes the body (borrowed). */
const char *world_sign(struct world *world, int64_t counter);
int world_publish(struct world *world, int64_t counter);
/* The lab's S1, S2 and S4, all PASS. */
void world_prove(struct world *world, int64_t counter);
int world_evidence(struct world *world, int64_t counter, const char *stage, int status, bool is_critical);

/* Its log, with the key that it has now; and the anchor of this version that says whose word it takes to believe it. */
struct verifier world_log(const struct world *world);
void world_anchor(const struct world *world, uint64_t version, struct buf *into);

/* What a device would fetch: a file; the director's repository, verified; an artifact. */
void world_file(struct world *world, const char *repository, const char *name, struct buf *into);
void world_director(struct world *world, struct tuf **ret_tuf);
void world_artifact(struct world *world, const uint8_t digest[32], struct buf *into);
void world_lose_artifacts(struct world *world);

void world_tick(struct world *world, int64_t ms);                       /* time passes, then a tick */
