/* caller.h - the supervisor's end of the fetch child: one request out at a time, its answer given to whoever asked.
 *
 * Signs what it sends (the keys never leave the supervisor), starts the child again when it is gone, lets it go when there is nothing to
 * do, and pauses longer after each failure to reach the server. */
#pragma once

#include "agent/fetch.h"
#include "agent/identity.h"
#include "platform/clock.h"
#include "platform/random.h"

#include "agent/source.h"
#include "agent/worker.h"

struct caller;                           /* NULL, where nobody is to be called, is never free */

struct caller_setup {
        const char *config_path;         /* the child reads the configuration itself */
        const struct identity *identity;
        struct clock *clock;
        struct random_source *random;
        int64_t pause_max_ms;
        const struct workers *workers;   /* NULL: none of them is special */
        const char *spool;               /* folder; the child starts there */
        int64_t bytes_per_s;             /* of all that is fetched together; 0: no limit */
        size_t mirrors;                  /* so many are configured */
};

/* What came back. `answer` is NULL when there is none (child gone); of a child that could not be started, or asked, it has nothing but
 * why, as its text. Judge by e: OK means that the server was reached and answered; then the status counts. */
typedef void caller_done(void *user, enum err e, const struct fetch_answer *answer);

MUST_CHECK enum err caller_new(const struct caller_setup *setup, struct caller **ret_caller, struct why *why);
void caller_free(struct caller *caller);                 /* ends the child */
OWN_DEFINE(caller, struct caller *, caller_free)

bool caller_is_free(const struct caller *caller, int64_t now_ms);   /* nothing out, and no pause */
int64_t caller_wake_ms(const struct caller *caller);     /* end of the pause that is now, the limit of what is out, or of idling; INT64_MAX: none */
/* Gives up on a child that hangs, and lets one go that has been idle. */
void caller_tick(struct caller *caller);
int caller_file(const struct caller *caller);            /* readable when an answer is there; -1: no child */
/* What it said of itself last; false: nothing yet. */
bool caller_state(const struct caller *caller, struct worker_state *ret_state);
/* What came from whom, and whom it was put aside; borrowed. */
struct sources *caller_sources(struct caller *caller);
/* Why one of them brought nothing, the last time that it did not: for people. Borrowed. */
const char *caller_reason(const struct caller *caller, unsigned source);
/* Take the answer and give it on; or, where a mirror failed, ask the next for the same. */
void caller_take(struct caller *caller);

/* From when on so many bytes, or a first part of them, may be fetched under the limit: what is resumed is not asked for before. All else
 * waits for nobody, and is made up for afterwards. */
int64_t caller_ready_ms(struct caller *caller, uint64_t bytes);
struct caller_get { const char *path, *spool; uint64_t bytes_max; bool is_resumed; };
void caller_get(struct caller *caller, const struct caller_get *get, caller_done *done, void *user);
/* GET of something small, which the fetcher reads. */
void caller_look(struct caller *caller, const char *path, enum fetch_reads reads, caller_done *done, void *user);
struct caller_post { const char *path, *body; enum fetch_reads reads; bool is_signed; };       /* else by MAC */
void caller_post(struct caller *caller, const struct caller_post *post, caller_done *done, void *user);
/* Forget who asked: the answer will be dropped. */
void caller_forget(struct caller *caller, const void *user);
