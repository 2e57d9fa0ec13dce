/* stream.h - one stream of this device: carries out what life.h decides, and watches its engine.
 *
 * Invariant: nothing risky (switching, reloading on trial) happens before slot.h has the attempt on disk; no crash of the
 * engine is answered before it is counted on disk. */
#pragma once

#include "agent/agent.h"
#include "agent/asking.h"
#include "agent/engine.h"
#include "agent/holding.h"
#include "agent/life.h"
#include "agent/murmur.h"
#include "agent/patching.h"
#include "agent/preflight.h"
#include "agent/probing.h"
#include "agent/recheck.h"
#include "agent/reuse.h"
#include "agent/reusing.h"
#include "agent/unpack.h"
#include "agent/usage.h"
#include "agent/vouch.h"

enum {
        STREAM_SETTLE_MS = 1000,         /* an engine that says nothing is taken to hear its signals after so long */
        STREAM_LOOK_MS = 250,            /* at the status file, until it says what we wait for */
        STREAM_LOAD_MS = 30000,          /* an engine that has not loaded its content by then hangs, or cannot */
};

struct stream {
        struct agent *agent;
        size_t index;                    /* in the slot record */
        const struct agent_stream_config *config;
        struct engine engine;
        struct murmur murmur;            /* of the engine, and of probes of ours */
        struct asking asking;
        struct offer offer;
        struct withdrawal withdrawal;    /* of what runs, as it was heard last or is on disk; counter 0: none was */
        int64_t back_at_ms;              /* and when it goes back for it */
        uint64_t wanted;                 /* the older release that the server named instead of the newest; 0: none */
        enum life_state life;

        /* The candidate, from FETCHING to the grant. */
        struct release_note *note;
        struct vouch vouch;
        struct slot_release release;
        size_t next_file;
        struct reuse *reuse;             /* what of it is here already; NULL: nothing */
        struct reuse_doubts doubts;
        struct patching patching;
        bool is_looked, syncs_alone;     /* that is known, and there is room for the rest; the whole file system could not be synced, perhaps by the fault of others */
        struct unpack *unpack;
        enum slot_id slot;
        struct preflight preflight;
        uint64_t late_release;           /* whose preflight was killed or did not get to work, and how often in a row */
        unsigned late_count;
        int64_t helper_until_ms, retry_at_ms, ask_at_ms, retry_pause_ms, refused_pause_ms, fetch_at_ms;      /* fetch: when the limit lets the next file come */
        bool is_calling;                 /* a request of ours is out */
        struct holding holding;

        /* The trial. */
        struct probing probing;          /* begins before it */
        struct usage usage;              /* of the engine: always */
        struct slot_trial trial;
        int64_t load_until_ms, bake_until_ms, watched_ms, look_at_ms, forgive_at_ms;
        bool is_loaded, says_again;      /* the status file was written after it had loaded */
        uint64_t status_mark;            /* file_mark() of the status file at the last look that found all well, at said_ms */
        int64_t said_ms;
        int64_t load_by_ms;              /* outside a trial: by then the engine says that it loaded what the record names. 0: it has */
        struct recheck *recheck;         /* of this slot, while it is the current one; NULL: none is under way */
        enum slot_id recheck_slot;
        int64_t recheck_until_ms;        /* so long an engine that does not live waits for it */
        bool may_hang, is_restarted;     /* a release may have left it so; because it had not loaded */
        bool is_off_link, is_untold;     /* given the folder itself: the link could not be set right; others started it, perhaps on what was there before */
        int64_t settles_by_ms;           /* the engine has just started and may not hear a signal yet: no lease until then. 0: it does */
        enum slot_kind harm_kind;
        enum slot_outcome refusal;
        char text[SLOT_DETAIL_BYTES];    /* why: of harm, refusal or retry */
        char expected[65];               /* first line of VERSION of what runs */
};

/* Prepares folders and link, starts the engine, and goes on with a trial that the record still has. */
MUST_CHECK enum err stream_open(struct agent *agent, size_t index, struct stream *ret_stream, struct why *why);
/* Ends its children at once; engines are stopped first, see stream_stop(). */
void stream_done(struct stream *stream);
void stream_stop(struct stream *stream);
/* A candidate, if there is one, is offered anew. */
void stream_cancel(struct stream *stream, const char *text);

void stream_offer(struct stream *stream, const struct offer *offer);
/* Newer anchors are in force: what was refused by the older ones is tried again at once, and a candidate whose content they approved is
 * judged again. What runs or is on trial goes on. */
void stream_keys_changed(struct stream *stream, bool of_content);
/* Everything that is due and needs no network. */
void stream_tick(struct stream *stream);
/* To what its engine says, and a probe: when stream->murmur.read_end or probe_file() can be read. */
void stream_listen(struct stream *stream);
bool stream_call(struct stream *stream);         /* true: it used the caller, which was free */
int64_t stream_wake_ms(const struct stream *stream);

/* For stream_trial.c, stream_candidate.c, stream_reuse.c, stream_back.c and stream_recheck.c: */
void stream_event(struct stream *stream, enum life_event event, const char *text);
void stream_harm(struct stream *stream, enum slot_kind kind, const char *text);
/* What runs, or is on trial, is not what was installed: one level down, and say so. The release is not at fault. */
void stream_damaged(struct stream *stream, const char *text);
struct engine_words stream_words(const struct stream *stream, enum slot_id candidate, char (*storage)[3][1024]);
MUST_CHECK enum err stream_switch(struct stream *stream, struct why *why);       /* link as the record says, engine told */
enum engine_load stream_load(const struct stream *stream);                         /* has the engine loaded what the record says? */
void trial_begin(struct stream *stream);
int64_t trial_bake_ms(const struct stream *stream);      /* how long a release has to do well */
void trial_tick(struct stream *stream, int64_t now_ms);
/* `is_counted`: on disk. One that could not be counted is harm at once. */
void trial_crash(struct stream *stream, const struct child_end *end, bool is_counted);
int64_t trial_wake_ms(const struct stream *stream);
/* What the record names as current is looked at anew, file by file. Where that is not what was installed: stream_damaged(). */
void rechecking_begin(struct stream *stream);
void rechecking_end(struct stream *stream);
void rechecking_tick(struct stream *stream);
/* An engine is not to be started yet. */
bool rechecking_holds(const struct stream *stream, int64_t now_ms);
void back_open(struct stream *stream);           /* what was heard before a restart */
/* The release that runs, if it was withdrawn, whether its turn has come or not; 0: it was not. */
uint64_t back_from(const struct stream *stream);
bool back_is_due(struct stream *stream, int64_t now_ms);
int64_t back_wake_ms(const struct stream *stream);
/* What the candidate is judged by, without a lease; its pace refers to *ret_pace. */
struct install_facts candidate_facts(const struct stream *stream, struct ceiling *ret_pace);
/* ERR_UNTRUSTED: perhaps our anchors moved on, and we have not heard of it. */
void candidate_look_for_keys(const struct stream *stream, enum err e);
void candidate_fetch(struct stream *stream);
/* Its note is in the spool: judged, and what is here of its files is looked for. */
MUST_CHECK enum err candidate_take_note(struct stream *stream, struct why *why);
/* Into facts, what others have said of the candidate by now; the pace refers to *ret_pace. */
void vouching_apply(const struct stream *stream, struct ceiling *ret_pace, struct install_facts *facts);
/* What others said of it before still counts, if it was about this release. */
void vouching_begin(struct stream *stream);
/* Asks for what others have yet to say of it: true when the caller was used. False also when it has to wait, and is IDLE again. */
bool vouching_call(struct stream *stream);
void candidate_unpack(struct stream *stream);
void candidate_preflight(struct stream *stream);
void candidate_tick(struct stream *stream, int64_t now_ms);
bool candidate_call(struct stream *stream, int64_t now_ms);
int64_t candidate_wake_ms(const struct stream *stream);
void candidate_drop(struct stream *stream);
/* What no stream needs leaves the spool; all of it when there is no candidate. */
void candidate_tidy(const struct stream *stream);
