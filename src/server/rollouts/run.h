/* run.h - one rollout in memory: shared by the files of this folder only. */
#pragma once

#include "base/limits.h"
#include "rollout/view.h"
#include "server/rollouts/freeze.h"
#include "server/rollouts/rollouts.h"

/* A device of the fleet; its place in the array is the dense number that the library knows it by. */
struct member {
        int64_t device;
        struct rollout_device facts;
        uint16_t zone;                          /* of the freeze */
        uint32_t group;                         /* its number in `groups` */
        bool has_had_it;                        /* known only of those who are kept back */
        int64_t asked_ms, running;              /* in line since its last question; 0: not in line */
        uint8_t nonce[16];
};

struct run {
        struct run *next;
        struct run_facts facts;
        struct rollout *pure;
        struct rollout_policy policy;
        int64_t rollback_s;
        struct ceiling ceiling;                 /* no steps: of a rollout that began before ceilings were kept */
        struct freeze *freeze;
        struct freeze_answer frozen;            /* what the library was told last */
        struct member *members;                 /* by device, ascending */
        size_t member_count;
        char (*strata)[2 * LIMIT_NAME_BYTES + 2];      /* "os_version=11" */
        uint32_t *stratum_sizes;
        size_t stratum_count;
        uint32_t block_count;
        int64_t held_out;                       /* members that the hold-out keeps without it */
        struct tally *groups;
        int64_t kept_back;                      /* members of others, without it because of their group */
        int64_t seq, last_ms;                   /* of the newest input: its number, its own time */
        int64_t seen_asked_ms, heard_asked_ms;
        uint32_t seen;
        size_t line_length;                     /* at the last tick */
};

struct rollouts {
        struct db *db;
        struct run *first;
        uint64_t fed;
};

struct member *run_member(const struct run *run, int64_t device);      /* NULL: not of the fleet */
/* A deadline that has come since the last tick must not turn away who comes now. */
MUST_CHECK enum err run_pass_time(struct rollouts *rollouts, struct run *run, int64_t now_ms, struct why *why);
/* What the server itself says to it, and what people may say to it after it was looked at. */
MUST_CHECK enum err run_tell(struct rollouts *rollouts, struct run *run, const struct run_word *word, struct why *why);
/* Bring one from its rows into memory. */
MUST_CHECK enum err rollouts_load(struct rollouts *rollouts, int64_t number, struct why *why);
/* Tells the library of freeze windows that opened or are over. */
MUST_CHECK enum err run_follow_freeze(struct rollouts *rollouts, struct run *run, int64_t now_ms, struct why *why);
/* Tells the library, once, how many may be exposed at each step of its ceiling. */
MUST_CHECK enum err run_set_ceiling(struct rollouts *rollouts, struct run *run, int64_t now_ms, struct why *why);
/* As the device itself finds. */
bool run_ceiling_admits(const struct run *run, const struct member *member, int64_t now_ms);
bool run_freezes_member(const struct run *run, const struct member *member);      /* at the last look */
/* Tells the library who of those it listens to was heard of since it was told last. */
MUST_CHECK enum err run_hear(struct rollouts *rollouts, struct run *run, int64_t now_ms, struct why *why);
/* These got a newer release of the stream: older rollouts watch them no more. */
MUST_CHECK enum err run_takes_over(struct rollouts *rollouts, const struct run *run, const int64_t *devices, size_t count, int64_t now_ms, struct why *why);
/* Facts that follow from the library's state. */
void run_refresh(struct run *run);
void run_free(struct run *run);
OWN_DEFINE(run, struct run *, run_free)
