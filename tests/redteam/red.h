/* red.h - an attacker: the keys that he holds, everything that was ever published, and the scenes that he sets up with them. */
#pragma once

#include "redteam/publisher.h"
#include "redteam/scene.h"
#include "support/sim_random.h"
#include "trust/lease.h"

enum { RED_SCENES = 24, RED_BAD = RED_SCENES };

/* Devices with a part missing, for controls. */
enum { FAULT_FORGETS_TIME = 1, FAULT_FORGETS_END = 2 };

struct red {
        const struct publisher *publisher;
        unsigned holds;                  /* HOLDS() of keys */
        bool is_control;                 /* this time the guard that stops him is out of his way */
        bool owns_clock;
        bool picks;                      /* of the scenes each device meets a few, in order of their times */
        unsigned lies, faults;
        struct sim_random random;
        struct scene scenes[RED_SCENES];
        size_t scene_count;
        uint64_t version;                /* of what he signs next */
        struct watched watched;          /* the log, which he may go on with, and what its witnesses saw */
        struct answers answers;          /* what he has beside the publisher's */
        struct truth_bad bad[RED_BAD];   /* what he signed with keys of content */
        size_t bad_count;
};

void red_init(struct red *red, const struct publisher *publisher, unsigned holds, uint64_t seed);
void red_done(struct red *red);
struct scene *red_scene(struct red *red, int64_t at_s);
/* In a control he gets these, too. */
void red_control_keys(struct red *red, unsigned keys);

/* All signing goes through these two; to use a key that he lacks ends the program. */
void red_sign_file(const struct red *red, const struct buf *to_sign, const enum key *keys, size_t count, struct buf *into);
void red_sign_note(const struct red *red, struct buf *note, const char *name, enum key key);

/* The release repository. */
void red_edition(struct red *red, struct scene *scene, unsigned edition);        /* as published, with a new timestamp */
void red_timestamp(struct red *red, struct scene *scene, uint64_t snapshot_version, enum key key);
void red_snapshot(struct red *red, struct scene *scene, uint64_t targets_version, enum key key);
/* What he lists beside, or instead of, what is there: targets, snapshot and timestamp. */
struct red_entry { const char *path; const struct truth_release *as; const struct buf *note; };
struct red_keys { enum key targets[2]; size_t targets_count; enum key snapshot, timestamp; };
void red_list(struct red *red, struct scene *scene, const struct red_entry *entry, const struct red_keys *keys);
/* A note of his own, and its file among the artifacts. Not signed. */
void red_note(struct red *red, struct scene *scene, const struct truth_release *release, struct buf *note);
void red_serve_note(struct scene *scene, const struct buf *note);

/* The director repository: `cohort` for path `rules`, signed with its key. */
struct cohort red_cohort(const struct red *red, uint64_t counter, const struct buf *note);
struct cohort red_cohort_for(const struct red *red, unsigned release);
void red_offer(struct red *red, struct scene *scene, const struct cohort *cohort);
void red_offer_bytes(struct red *red, struct scene *scene, const struct buf *document, enum key key);

/* The log: an entry at the end of it; a checkpoint of any story, with the log's key; what the witnesses' programs say of that; a cosignature by a key
 * that he holds under any witness's name, at any time. */
void red_checkpoint(const struct red *red, const struct story *story, struct buf *into);
bool red_show(struct red *red, const struct showing *showing, struct buf *checkpoint);
struct red_cosigner { unsigned as; enum key key; int64_t time; };
void red_cosign(const struct red *red, const struct red_cosigner *cosigner, struct buf *checkpoint);
/* As it should be: at the end of the log, shown to all witnesses at that time, and the proof for whoever asks. */
void red_log(struct red *red, const struct logged *entry, int64_t at_s);
/* An approval, and the path under which devices ask for it. */
struct red_approval { enum approval_kind kind; const uint8_t *target; enum key keys[2]; size_t count; };
void red_approval(const struct red *red, const struct red_approval *approval, struct buf *into);

/* The lease that was asked for, with the director's key. */
struct lease red_lease_for(const struct ask *ask);
void red_lease_sign(const struct red *red, const struct lease *lease, enum key key, struct buf *into);
void red_grant(const struct red *red, const struct ask *ask, struct buf *into);
