/* truth.h - what the offline keys approved, and the judgement of each install. Knows nothing of the code that is attacked: the numbers are
 * its own, its arithmetic is its own, and what was installed it knows by its bytes.
 *
 * Times are unix seconds; START is when release 4 begins. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { START = 1828000000, HOUR = 3600, DAY = 86400 };
enum { TRUTH_PLATFORMS = 3, TRUTH_STEPS = 4, TRUTH_RELEASES = 6, TRUTH_EDITIONS = 4, TRUTH_SIGHTS = 64 };
struct truth_step { int64_t after_s; uint32_t ppm; };

struct truth_release {
        const char *stream;
        uint64_t counter, floor;
        const char *platforms[TRUTH_PLATFORMS + 1];      /* ends with NULL */
        int64_t start;
        struct truth_step steps[TRUTH_STEPS + 1];        /* ends with ppm 0 */
        const char *text;                                /* of its one file */
        int64_t logged;                                  /* 0: not yet */
        bool is_lifted, is_wanted;                       /* the emergency keys let it go faster than the pace; the customer approved it */
};
/* Releases 1 to 5 of `rules`, then one of stream `other`. */
extern const struct truth_release truth_releases[TRUTH_RELEASES];
/* As fast as anything may go after the witnesses saw it; ends with ppm 0. */
extern const struct truth_step truth_pace[TRUTH_STEPS + 1];

/* What the offline keys published, one after the other: how many of the releases it lists, and until when it is good. */
struct truth_edition { unsigned releases; int64_t expires; };
extern const struct truth_edition truth_editions[TRUTH_EDITIONS];

enum harm { HARM_UNAPPROVED, HARM_PLATFORM, HARM_FLOOR, HARM_CEILING, HARM_EXPIRED, HARM_PACE, HARM_CUSTOMER, HARM_OLDER, HARMS };
const char *harm_name(enum harm harm);

/* A judge that is wrong on purpose, to see that somebody would notice. */
enum { LIE_NEVER_APPROVED_4 = 1, LIE_NO_EARLY_RING = 2, LIE_OLDER_IS_HARM = 4, LIE_FLOOR_IS_NEWEST = 8, LIE_FACTORY_IS_BELOW = 16 };

/* When a log with this leaf (RFC 6962, 2.1) was first seen by a witness that does not lie. */
struct truth_log {
        size_t count;
        struct { uint8_t leaf[32]; int64_t at_s; } sights[TRUTH_SIGHTS];
};
void truth_saw(struct truth_log *log, const uint8_t leaf[32], int64_t at_s);

/* What stolen content keys signed: it is not approved, but all the same nobody may go faster with it than the pace. `name`: its note's SHA-256. */
struct truth_bad { struct truth_release release; uint8_t name[32]; };

struct truth_install {
        const char *device, *ring, *platform, *stream;
        const void *bytes;
        size_t length;
        int64_t at_s;                    /* true time */
        int64_t fresh_s;                 /* 0, or since when at least the device has known better than its clock */
        bool owns_clock;                 /* the attacker sets it: then only what the device knows is held against it */
        unsigned edition;                /* the newest that the device trusts; from 1, 0: one that the offline keys did not publish */
        uint64_t floor, newest;          /* of what it ran: the highest floor and counter */
        bool has_customer;               /* who must have approved what it installs */
        const struct truth_log *log;
        const struct truth_bad *bad;
        size_t bad_count;
        unsigned lies;
};

/* The names of releases, once their notes are signed. */
void truth_name(unsigned release, const void *note, size_t length);
/* Bits: 1 << HARM_. `ret_release` is NULL where it is none of ours. */
unsigned truth_judge(const struct truth_install *install, const struct truth_release **ret_release);
