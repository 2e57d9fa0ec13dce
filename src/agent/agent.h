/* agent.h - the device as its supervisor sees it: one loop, the streams, and what they share.
 *
 * One thread and one poll(2). Whatever takes long is a child (fetch, preflight, probes, engines) or is done in slices
 * (unpacking). The verifier is waited for: it takes milliseconds and runs only when the server's epoch changed. */
#pragma once

#include "agent/anchors.h"
#include "agent/caller.h"
#include "agent/config.h"
#include "agent/identity.h"
#include "agent/self.h"
#include "agent/slot.h"
#include "agent/trusted_time.h"
#include "agent/worker.h"
#include "base/log.h"

#include <limits.h>

struct stream;
struct refresh;

struct agent {
        const char *config_path;
        int config_copy;                         /* of what it said at the start, a memory file; 0: there is none */
        const struct agent_config *config;
        struct log log;
        struct clock *clock;
        struct trusted_time time;
        struct random_source *random;
        struct disk *disk;                       /* state_dir */
        struct slots *slots;
        struct identity identity;
        struct anchors *anchors;                 /* there when the caller is */
        struct self self;
        struct workers workers;
        struct worker_states states;             /* as the disk has it, and as it was said */
        char spool[PATH_MAX];
        struct caller *caller;                   /* NULL: no updates, see the log */
        struct refresh *refresh;
        struct stream *streams;
        size_t stream_count;
        char device[33];

        int64_t epoch, pace_ms, checkin_at_ms, report_at_ms, report_pause_ms, save_at_ms, save_pause_ms, updates_at_ms;
        uint32_t boot;                           /* which start of the machine this is */
        bool has_called_in;
        int signals;                             /* channel_signals() */
        bool ends;                               /* told to */
};

/* Runs until SIGTERM or SIGINT. `units`: see worker.h; `handed`: see self_open(); both may be NULL. */
MUST_CHECK enum err agent_run(const char *config_path, const char *units, const char *handed, struct why *why);

int64_t agent_steady_ms(const struct agent *agent);
/* Trusted time (trusted_time.h). The server never moves it, not with a Date nor with what it signs: whoever holds its keys could
 * reach past the ceiling of a release by it. */
int64_t agent_time_s(const struct agent *agent);
int64_t agent_trusted_s(struct clock *clock);            /* for reports, where there is no supervisor: of clock and build */
void agent_note_sources(struct agent *agent);
bool agent_is_busy(const struct agent *agent);           /* a release is on trial in some stream */
/* May a stream ask for a lease? Not while another is on trial, nor before its report is sent. */
bool agent_may_ask(const struct agent *agent);
/* `span_ms` give or take a quarter, so that devices that started together do not stay together. */
int64_t agent_jitter_ms(const struct agent *agent, int64_t span_ms);
/* When to ask again what was not answered. A server that is away is asked as soon as the caller's growing pause is over: its
 * pace is for good days. */
int64_t agent_again_ms(const struct agent *agent);
/* Were we told to end? Waits so long for the word. */
bool agent_ends(struct agent *agent, int64_t wait_ms);
/* All of them, and waits for that; those that take longer than they may are killed. */
MUST_CHECK enum err agent_end_engines(struct agent *agent, struct why *why);
/* What a worker said of itself: logged and kept when it is not what it said before. */
void agent_note_worker(struct agent *agent, enum worker worker, const struct worker_state *state);
/* One log line; `stream` may be NULL. */
void agent_note(const struct agent *agent, enum log_event event, const struct stream *stream, const char *text);
