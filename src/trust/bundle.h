/* bundle.h - what the verifier is told: records { uint8 kind, uint32 little-endian length, bytes }, one after the other.
 *
 * Written by the supervisor (bundle_add), read by verdict.c. See verdict.h for the loop. */
#pragma once

#include "base/buf.h"
#include "trust/tuf_build.h"

enum {
        BUNDLE_RECORDS_MAX = 320,                    /* 256 new roots at most, and a few of each other kind */
        BUNDLE_ROOTS_MAX = 256,
        BUNDLE_BYTES_MAX = 16 << 20,                 /* eight files of LIMIT_METADATA_BYTES, and roots of a few KB */
};

enum bundle_repository { BUNDLE_RELEASE, BUNDLE_DIRECTOR, BUNDLE_REPOSITORIES };

/* Facts: once each, in any order. */
enum bundle_kind {
        BUNDLE_NOW = 1,                              /* int64 little-endian: trusted time, unix seconds */
        BUNDLE_DEVICE, BUNDLE_RING, BUNDLE_PLATFORM, BUNDLE_STREAM,      /* text without NUL */
        BUNDLE_FLOOR,                                /* uint64 little-endian: highest floor so far */
        BUNDLE_COHORT,                               /* the cohort document */
        BUNDLE_WANTED,                               /* uint64 little-endian: the older release that the server named; may be left out */
        BUNDLE_ABOVE,                                /* the same: what the device runs, and it takes nothing older; may be left out: it never chooses by itself */
        BUNDLE_DENIED,                               /* uint64s little-endian: what it gave up; may be left out */
        /* Files: | repository << 2 | role. */
        BUNDLE_KEPT = 0x40,                          /* pinned root; timestamp, snapshot, targets that were trusted before */
        BUNDLE_FRESH = 0x80,                         /* newly fetched; roots in order of their versions */
        BUNDLE_ABSENT = 0xc0,                        /* no bytes: the server has no newer root */
};

static inline uint8_t bundle_file(enum bundle_kind kind, enum bundle_repository repository, enum tuf_role role)
{
        return (uint8_t)(kind | repository << 2 | role);
}

/* buf_check() tells of a full buffer or memory. */
void bundle_add(struct buf *bundle, uint8_t kind, const void *bytes, size_t length);
void bundle_add_text(struct buf *bundle, uint8_t kind, const char *text);
void bundle_add_number(struct buf *bundle, uint8_t kind, uint64_t number);
void bundle_add_numbers(struct buf *bundle, uint8_t kind, const uint64_t *numbers, size_t count);

struct bundle_record { uint8_t kind; const uint8_t *bytes; size_t length; };

/* Borrows the bytes. ERR_SYNTAX: cut, a kind that there is not, a fact twice or missing; ERR_LIMIT. */
struct bundle {
        size_t count;
        struct bundle_record records[BUNDLE_RECORDS_MAX];
        int64_t now;
        uint64_t floor, wanted, above;               /* wanted: 0 is none */
        bool has_above;
        char device[33], ring[LIMIT_NAME_BYTES + 1], platform[LIMIT_NAME_BYTES + 1], stream[LIMIT_NAME_BYTES + 1];
};
MUST_CHECK enum err bundle_parse(const void *bytes, size_t length, struct bundle *ret_bundle, struct why *why);

/* Index of the last record of that kind, BUNDLE_NONE when there is none. */
enum { BUNDLE_NONE = 0xffff };
unsigned bundle_find(const struct bundle *bundle, uint8_t kind);
bool bundle_denies(const struct bundle *bundle, uint64_t counter);
