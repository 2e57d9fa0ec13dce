/* rollouts.h - the pure library (rollout/rollout.h), driven: durable inputs in, leases and states out.
 *
 * A rollout is event-sourced. Whatever it is told is first appended to rollout_inputs, in the transaction that answers the
 * caller, and then fed to the library; after a restart the same inputs in the same order make the same decisions. If a
 * transaction fails after something was fed, memory is ahead of the disk: the owner closes all this and opens it again.
 *
 * A picked device's lease is a row before anybody hears of it. It is reserved first; when the device comes for it, its deadline
 * begins and it is signed (run_grant, leases.h). A reservation that nobody came for occupies the window for the time of a
 * lease and is then censored, never dark. */
#pragma once

#include "rollout/rollout.h"
#include "server/rollouts/leases.h"
#include "trust/ceiling.h"

struct json;
struct rollouts;
struct run;                                     /* one rollout */

/* What a lease request meets. */
enum run_stand {
        RUN_WAITS,                              /* nothing new starts now */
        RUN_PICKS,                              /* line up */
        RUN_WATCHES,                            /* complete: its fleet lines up, whoever is not of it may have it */
        RUN_FOLLOWS,                            /* the watch is over: whoever asks may have it */
        RUN_OVER,                               /* never again */
};

/* Borrowed from the rollout; changes with it. */
struct run_facts {
        int64_t number, release, budget, counter, note_length, started_ms, lease_ms, bake_s;
        int64_t ahead_ms;                       /* by how much its own time, which never goes back, is ahead of the clock */
        char stream[65];
        uint8_t target[32];
        enum rollout_state state;
        bool is_frozen;                         /* a freeze window is open for everybody, and nobody passed over it */
        bool is_probing;                        /* control fell silent: shadow leases only, to see whether it answers again */
        enum run_stand stand;
};

MUST_CHECK enum err rollouts_open(struct db *db, struct rollouts **ret_rollouts, struct why *why);
void rollouts_close(struct rollouts *rollouts);
OWN_DEFINE(rollouts, struct rollouts *, rollouts_close)

/* Oldest first; all that were ever started. NULL: none. */
struct run *rollouts_first(const struct rollouts *rollouts);
struct run *run_next(const struct run *run);
struct run *rollouts_find(const struct rollouts *rollouts, const char *stream, int64_t counter);
struct run *rollouts_by_number(const struct rollouts *rollouts, int64_t number);
const struct run_facts *run_facts(const struct run *run);
int64_t run_own_ms(const struct run *run, int64_t now_ms);      /* its own time, when the clock says this */

/* Begin one: takes the census, supersedes older ones of the stream. The evidence was looked at by the caller. */
struct rollout_order {
        int64_t release;
        const struct json *policy;              /* NULL: all defaults */
        const char *override_text;              /* who passed over which evidence and why, for the record; NULL: nobody */
        const char *who;
        struct ceiling ceiling;                 /* of the release's note */
        int64_t now_ms;
};
MUST_CHECK enum err rollouts_start(struct rollouts *rollouts, const struct rollout_order *order, struct run **ret_run, struct why *why);

/* What people tell it; "hold", "resume", "halt", "withdraw", "cancel", "override". ERR_REFUSED names what is missing;
 * ERR_SYNTAX: another word. */
struct run_word {
        const char *action, *who, *second, *reason;
        int64_t now_ms;
        bool has_pace;                          /* of "withdraw": over rollback_s, whatever the policy says, also when devices are on their way already */
        int64_t rollback_s;
};
MUST_CHECK enum err rollouts_command(struct rollouts *rollouts, struct run *run, const struct run_word *word, struct why *why);

/* A device with a prepared candidate asks to be picked. Kept in memory: who is forgotten asks again. False: it is not one of
 * this rollout's fleet. */
struct run_asker { int64_t device, running, now_ms; uint8_t nonce[16]; };
bool run_line_up(struct run *run, const struct run_asker *asker);
void rollouts_leave_lines(struct rollouts *rollouts, int64_t device);      /* it has a lease now: one at a time, whatever the stream */
int64_t run_retry_ms(const struct run *run);    /* when to ask again: the longer the line, the later */

/* May this device, of the fleet or not, start nothing now because a freeze window is open where it is? */
MUST_CHECK enum err run_freezes(struct db *db, struct run *run, int64_t device, int64_t now_ms, bool *ret_is_frozen, struct why *why);

/* Is this device, of the fleet or not, kept on an older release with its group, and which is it to have instead? 0: none. */
struct run_keep { bool is_kept; int64_t instead; };
MUST_CHECK enum err run_keeps_back(struct db *db, const struct run *run, int64_t device, struct run_keep *ret_keep, struct why *why);

/* The device came for its reservation: `row` gets its time of granting and its deadline. ERR_EXPIRED: too late, ask with a new
 * nonce; ERR_REFUSED: nothing may start just now. */
MUST_CHECK enum err run_grant(struct rollouts *rollouts, struct run *run, struct lease_row *row, int64_t now_ms, struct why *why);

/* What came of a counted lease; words of wire/outcome.h. */
struct run_outcome { int64_t handle; const char *outcome, *kind; int64_t now_ms; };
MUST_CHECK enum err rollouts_outcome(struct rollouts *rollouts, struct run *run, const struct run_outcome *outcome, struct why *why);

/* It was harmed, whatever it tells that of: that counts, too, in every other rollout in which it is in its bake, or, of the same stream, watched. `reporting`:
 * the rollout that was told already; NULL: none. at_s: when, by the device's word: harm from before it got the lease is none of that. */
struct run_harm { int64_t device; const char *stream, *kind; const struct run *reporting; int64_t at_s, now_ms; };
MUST_CHECK enum err rollouts_harm(struct rollouts *rollouts, const struct run_harm *harm, struct why *why);

/* Deadlines, picks, moves between states, for all of them. */
MUST_CHECK enum err rollouts_tick(struct rollouts *rollouts, int64_t now_ms, struct why *why);

/* Is its release below the security floor that a release published since has set? Then nobody is asked to install it. */
MUST_CHECK enum err run_is_below_floor(struct db *db, const struct run *run, bool *ret_is_below, struct why *why);
/* What whoever runs it is to go back to: the newest release before it that was proven, was not stopped since, and is not below
 * the floor; 0: what came with the device. */
MUST_CHECK enum err run_fallback(struct db *db, const struct run *run, int64_t *ret_counter, struct why *why);

/* Grows with everything that the rollouts in memory were told: equal before and after means that nothing was. */
uint64_t rollouts_fed(const struct rollouts *rollouts);

/* Devices that got it outside of the books: they enrolled late, or came after the watch. */
struct run_followers { int64_t given, hurt; };
MUST_CHECK enum err run_followers(struct db *db, const struct run *run, struct run_followers *ret_followers, struct why *why);

/* formats.md 5, "Rollout". */
MUST_CHECK enum err run_view(struct db *db, const struct run *run, struct json **ret_json, struct why *why);
