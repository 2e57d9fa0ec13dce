/* fetch.h - the child that talks to the server, and the fixed-size messages that the supervisor gives it.
 *
 * The child has the network and the spool folder, nothing else: no keys (the supervisor signs and hands over the header), no
 * slots. It parses what comes back (flat JSON) into fixed structs, so that the supervisor parses none. Answers are
 * believed by nobody: notes, leases and content are checked by the supervisor and the verifier. One exchange at a time;
 * GET goes to a spool file and is resumed if a part is there already. Content may come from a mirror; a file that is whole by then is hashed here, so that
 * the supervisor knows at once whose fault it is, and it is emptied if it is another. */
#pragma once

#include "base/err.h"
#include "base/limits.h"
#include "base/own.h"
#include "platform/confine.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* FETCH_SLICE_MS: of a resumed download, FETCH_MIRROR_MS of one from a mirror; FETCH_MOST_MS: of anything. */
enum { FETCH_VERSION = 5, FETCH_PATH_BYTES = 384, FETCH_NAME_BYTES = 96, FETCH_HEADER_BYTES = 160, FETCH_SLICE_MS = 20000, FETCH_MIRROR_MS = 10000, FETCH_MOST_MS = 150000 };

enum fetch_reads {
        FETCH_TO_SPOOL,          /* GET: bytes to the spool file */
        FETCH_DELTA,             /* GET: what a 200 says of a delta */
        FETCH_PACE, FETCH_ACK, FETCH_LEASE,      /* POST: what a 200 holds */
        FETCH_READS,
};

struct fetch_ask {
        uint32_t version, number;                /* number: comes back with the answer */
        uint8_t reads, is_resumed;
        uint8_t source;                          /* see source.h; of a mirror nothing but content */
        uint8_t is_hashed;                       /* when the file is whole; if it is another: ERR_CONTENT, and nothing is left of it */
        uint8_t is_patient;                      /* the server begins anew each time: give it as long as a file that is not resumed */
        uint8_t unused[3];
        uint8_t sha256[32];
        char path[FETCH_PATH_BYTES];             /* /v1/... */
        char spool[FETCH_NAME_BYTES];            /* FETCH_TO_SPOOL: name in the spool folder */
        uint64_t bytes_max;
        uint64_t part_max;                       /* of a resumed download: so many now, the rest is asked for later; 0: all */
        char device[40], date[24];               /* header values; empty: left out */
        char authentication[24];                 /* name of the header: Firebreak-Mac or Firebreak-Signature */
        char proof[FETCH_HEADER_BYTES];
        uint32_t body_length, more_unused;
        char body[LIMIT_DEVICE_REQUEST_BYTES];
};

struct fetch_answer {
        uint32_t version, number;
        uint32_t err;                            /* enum err of the exchange itself, or of reading the answer */
        int32_t status;                          /* HTTP; 0 when nothing came */
        int64_t date_s;                          /* the server's clock by its Date header, 0 when absent */
        uint64_t spool_from, spool_length;       /* where the download began, and what is there now */
        uint64_t received;                       /* bytes of the body, for the limit of the device */
        int64_t epoch, pace_ms, now_s, ack, retry_ms;
        uint64_t counter;                        /* of the release to prepare instead; 0: none */
        uint64_t delta_bytes;
        uint8_t delta_sha256[32];
        struct confined confined;                /* what is in force in the child */
        char text[LIMIT_DEVICE_REQUEST_BYTES];   /* a lease; else why it failed, for people */
};
_Static_assert(sizeof(struct fetch_ask) == 48 + 384 + 96 + 8 + 8 + 64 + 24 + 160 + 8 + 4096, "message format");
_Static_assert(sizeof(struct fetch_answer) == 48 + 48 + 40 + 8 + 4096, "message format");

/* An HTTP date as unix seconds; 0 for anything that is none. */
int64_t fetch_date_s(const char *text);
/* Perhaps because of the date of the request: unauthorized (401) or expired (403). */
bool fetch_is_refused(int status);
/* Why nothing came, without the address before it, which is longer than what there is room for. NULL: there was no answer. */
const char *fetch_reason(const struct fetch_answer *answer);

/* The child's life: asks from `channel` until it closes, which is OK. Fills in `confined`. */
struct fetch_setup {
        const char *server, *ca, *spool_folder;
        const char *const *mirrors;
        size_t mirror_count;
        const char *mirrors_ca;                  /* NULL: the system's */
        int channel;
        struct confined confined;
};
MUST_CHECK enum err fetch_main(struct fetch_setup *setup, struct why *why);
