/* toy.h - a publisher, a director and a server in one, over plain HTTP on loopback: for tests of the agent's own program.
 *
 * Single-threaded: toy_serve() answers until a condition holds. It checks each request's proof as the real one does.
 * Keys are those of trust/keys.h: 1 release root and root of both anchors, 2 targets and content, 3 release timestamp, 4 director root, 5 director. */
#pragma once

#include "base/buf.h"
#include "trust/cohort.h"
#include "trust/release_note.h"
#include "wire/device.h"

enum { TOY_FILES = 128, TOY_REPORTS = 32, TOY_TARGETS = 8 };

enum toy_lease { TOY_WAIT, TOY_EXPOSE, TOY_SHADOW, TOY_REFUSE, TOY_FORGE };

struct toy_repository {
        struct buf root, targets;
        uint64_t version, root_version;
        uint8_t root_key, targets_key, timestamp_key;
};

/* Of the anchors and of what they stand for; the last two also sign the repositories. */
struct toy_keys { uint8_t root, content, director; };

struct toy {
        int socket, port;
        struct { char path[96]; struct buf bytes; } files[TOY_FILES];
        size_t file_count;
        struct toy_repository release, director;
        struct toy_keys keys;
        uint64_t anchor_version;
        uint8_t note_key;                /* of what is published next; 0: the one that the anchor names */
        const char *away;                /* 503 for this path */
        struct cohort says;
        uint8_t target[32], target_before[32];   /* of the last release, and of the one before */
        int64_t epoch, pace_ms;
        enum toy_lease lease;
        int64_t instead;                 /* whoever asks for another release waits, and is told to prepare this one */
        int64_t lease_s;                 /* from granted to deadline */
        int64_t lease_ahead_s;           /* a lease of the future: how far */
        uint64_t floor;                  /* of what is published next; 0: the lowest */
        int64_t start_in_s;              /* of what is published next: its ceiling admits nobody before */
        uint8_t mac_key[32], device_key[32];
        char device[33];
        struct wire_report reports[TOY_REPORTS];
        size_t report_count;
        unsigned checkins, lease_asks, refused;      /* refused: requests without a proof that fits */
        int64_t clock_skew_s;            /* the server's clock, against ours */
        struct wire_lease_request last_ask;
};

void toy_open(struct toy *toy);
void toy_close(struct toy *toy);
static inline void toy_release(struct toy *toy) { toy_close(toy); }

/* public/{release,director}.{anchor,root.json} in a folder. */
void toy_write_public(struct toy *toy, const char *folder);

/* A ceremony: the next version of both roots and both anchors, and everything signed anew. */
void toy_change_keys(struct toy *toy, struct toy_keys keys);
/* One of the anchors as text, yet to be signed. */
void toy_write_anchor(const struct toy *toy, uint64_t version, struct buf *into);
void toy_write_director_anchor(const struct toy *toy, uint64_t version, struct buf *into);
/* Serve these bytes under this path. NULL: nothing. */
void toy_put(struct toy *toy, const char *path, const struct buf *bytes);

struct toy_file { const char *path, *text; };
/* Release `counter` of stream `rules`, offered to all. Ends with a row without path; sorted by path. */
void toy_publish(struct toy *toy, uint64_t counter, const struct toy_file *files);
/* The next root of a repository, with the same keys. */
void toy_renew_root(struct toy *toy, struct toy_repository *repository);
/* Release `newest`, offered to all, and `older`, named beside it: whoever asks for another is told to prepare that one, until it is let go. */
void toy_keep_back(struct toy *toy, uint64_t older, uint64_t newest, const struct toy_file *files);
void toy_let_go(struct toy *toy);
/* What the cohort document says from now on. */
void toy_say(struct toy *toy, enum cohort_state state);
/* A cohort document for this stream that is none. */
void toy_say_nonsense(struct toy *toy, const char *stream);
/* The bytes that are served under the digest of `text`. */
void toy_spoil(struct toy *toy, const char *text, const char *instead);

/* Answers until `is_done` says so; fails the test when that takes absurdly long. */
void toy_serve(struct toy *toy, bool (*is_done)(struct toy *toy, void *user), void *user);
