/* slot_record.h - the slot record as it is on disk. Frozen: add a version before changing a byte.
 *
 * Little-endian, no padding, CRC-32 over all that follows it: against a failing disk, not against an attacker (who writes
 * here owns the device). `firebreak-agent status` shows it. */
#pragma once

#include "base/err.h"
#include "base/limits.h"

#include <stdint.h>

enum slot_id { SLOT_A, SLOT_B, SLOT_FACTORY, SLOT_NONE, SLOT_IDS };
enum slot_state { SLOT_EMPTY, SLOT_STAGED, SLOT_TRIAL, SLOT_GOOD, SLOT_BAD, SLOT_STATES };
enum slot_lease { SLOT_LEASE_NONE, SLOT_LEASE_EXPOSURE, SLOT_LEASE_SHADOW, SLOT_LEASES };
/* Outcomes and kinds of harm as numbers on disk: the same as in wire/outcome.def, held to it by report.c. */
enum slot_outcome { SLOT_PROVEN, SLOT_HARMED, SLOT_DECLINED, SLOT_PREFLIGHT_FAILED, SLOT_OUTCOMES };
enum slot_kind {
        SLOT_KIND_NONE, SLOT_CRASH, SLOT_BOOT_LOOP, SLOT_ROLLED_BACK, SLOT_PROBE_FAILED,
        SLOT_ACTION_STORM, SLOT_RESOURCE, SLOT_HUMAN, SLOT_KINDS,
};

enum {
        SLOT_RECORD_VERSION = 1,
        SLOT_NAME_BYTES = LIMIT_NAME_BYTES + 8,
        SLOT_DETAIL_BYTES = 96,
        SLOT_DENIED_MAX = 16,       /* bad releases remembered one by one; below the oldest forgotten all are denied */
        SLOT_REPORTS_MAX = 32,      /* kept while offline; the oldest go first, the counters live in the later ones */
};

/* Who has counted this start already. */
enum slot_counted { SLOT_UNCOUNTED, SLOT_COUNTED_BY_GUARD, SLOT_COUNTED_FOR_HEIR };

struct slot_release {
        uint64_t counter;           /* 0: factory content */
        uint64_t floor;             /* of its stream, as its note says */
        uint8_t target[32];         /* SHA-256 of its note's text */
        uint8_t nonce[16];          /* of the last lease that it ran under */
};

struct slot_trial {
        uint8_t nonce[16];
        int64_t granted, deadline, started;      /* unix seconds */
        uint64_t bake_s;
        uint8_t lease, slot, crashes_max, boots_max;
        uint32_t boot;                           /* which start of the machine it began in */
};

struct slot_counters { uint64_t starts, crashes, boots, fallbacks, proven; };   /* since enrolment, never down */

struct slot_stream {
        char name[SLOT_NAME_BYTES];
        uint8_t current, last_good;              /* enum slot_id */
        uint8_t state[2];                        /* of a and b */
        uint8_t crashes, boots;                  /* of this attempt, or in a row outside one */
        uint8_t is_counted;                      /* enum slot_counted */
        uint8_t denied_count;
        struct slot_release release[2];
        struct slot_trial trial;                 /* zeros unless on trial */
        struct slot_counters counters;
        uint64_t floor;                          /* highest ever proven to us: nothing below is installed */
        uint64_t denied_below;                   /* counters below this are denied */
        uint64_t denied[SLOT_DENIED_MAX];
};

struct slot_report {
        uint64_t seq;
        char stream[SLOT_NAME_BYTES];
        uint64_t counter, running;
        int64_t at;
        struct slot_counters counters;
        uint8_t nonce[16];
        uint8_t outcome, kind, unused[6];
        char detail[SLOT_DETAIL_BYTES];
};

struct slot_record {
        char magic[4];                           /* "FBSR" */
        uint32_t crc;                            /* of everything after it */
        uint32_t version;
        uint16_t stream_count, report_count;
        uint64_t next_seq;                       /* of the next report; 0: none was made, the first takes the time as its number */
        struct slot_stream streams[LIMIT_STREAMS];
        struct slot_report reports[SLOT_REPORTS_MAX];
};

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "on-disk structs are little-endian");
_Static_assert(sizeof(struct slot_release) == 64, "on-disk format");
_Static_assert(sizeof(struct slot_trial) == 56, "on-disk format");
_Static_assert(sizeof(struct slot_stream) == 72 + 8 + 128 + 56 + 40 + 16 + 128, "on-disk format");
_Static_assert(sizeof(struct slot_report) == 8 + 72 + 24 + 40 + 16 + 8 + 96, "on-disk format");
_Static_assert(sizeof(struct slot_record) == 24 + 16 * sizeof(struct slot_stream) + 32 * sizeof(struct slot_report), "on-disk format");

uint32_t slot_record_crc(const struct slot_record *record);
/* ERR_SYNTAX: it was damaged, is of another version, or contradicts itself. */
MUST_CHECK enum err slot_record_check(const struct slot_record *record, struct why *why);

struct slot_harm {
        enum slot_kind kind;
        const char *detail;
        int64_t now_s;
};
