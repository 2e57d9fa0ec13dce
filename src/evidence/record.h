/* record.h - what one lab found when it ran one check on one release: signed, and never changed afterwards.
 * Format: docs/guide/formats.md, 3.
 *
 *      struct record record = { .stream = "edr-rules", .counter = 4, .origin = "lab.acme", ... };
 *      record_sign(&record, &key, &envelope, why)               in the lab
 *      record_open(&envelope, &anchor_lab_keys, &record, why)   wherever it counts
 *
 * A lab speaks for itself only: `origin` is the name of the key that signed. What records mean together: gate.h. */
#pragma once

#include "base/own.h"
#include "trust/dsse.h"

struct json;

/* Worst first, so that the smaller of two is the worse. */
enum record_status { RECORD_FAIL, RECORD_ERROR, RECORD_MISS, RECORD_PASS, RECORD_DONE, RECORD_SKIP, RECORD_STATUSES };
const char *record_status_name(enum record_status status);         /* "FAIL" */

enum { RECORD_WHY_MAX = 1024, RECORD_LIMITS_MAX = 256 };           /* texts: a sentence or two; what held the engine in */

/* What was run. */
struct record_engine { const char *name, *version, *sha256; };
/* How much the engine really looked at; a pass that saw too little is none. */
struct record_saw { int64_t files, bytes, rules; bool canary; };

/* Digests as hex of 64 digits, 64 zeros where there is none; times unix seconds. Texts of a record that was opened live until
 * record_done(); of one that is made, they are the caller's. */
struct record {
        const char *stream, *target;                               /* the release: its name and its target digest */
        int64_t counter;
        const char *origin, *stage, *check, *platform, *why;       /* stage S0 to S9; check org.firebreak.yara.legit */
        int64_t check_version;
        struct record_engine engine;
        enum record_status status;
        bool is_critical;                                          /* of a FAIL: devices would not start; no override */
        int64_t cases, failed;
        struct record_saw saw;
        const char *corpus, *limits, *log;                         /* digest; "rlimit"; digest */
        int64_t started, finished;
        struct record_inside *inside;                              /* NULL in a record that is made */
};

void record_done(struct record *record);
static inline void record_release(struct record *record) { record_done(record); }

/* The statement in canonical JSON, appended, and back. ERR_SYNTAX names what is wrong; record_write() refuses what
 * record_parse() would. */
MUST_CHECK enum err record_write(const struct record *record, struct buf *into, struct why *why);
MUST_CHECK enum err record_parse(const struct buf *statement, struct record *ret_record, struct why *why);

/* As a signed envelope, appended. The key's name becomes its keyid, and is `origin`. */
MUST_CHECK enum err record_sign(const struct record *record, const struct secret_key *key, struct buf *into, struct why *why);
/* ERR_UNTRUSTED: signed by none of the labs, or by one for another. */
MUST_CHECK enum err record_open(const struct buf *envelope, const struct dsse_keys *labs, struct record *ret_record, struct why *why);
