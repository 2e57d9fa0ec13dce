/* usage.h - the engine of a stream, sampled: outside of trials for its past (past.h), on trial to judge the release by it.
 *
 * Outside of trials a window begins when the device is awake anyway, and only its end wakes the device by itself: never more than once for each time
 * that something else did. Nothing is sampled for a stream whose configuration has no `resources`, nor before its engine has loaded. */
#pragma once

#include "agent/past.h"
#include "platform/process.h"

struct stream;

struct usage {
        const struct agent_resources *limits;    /* NULL: nothing to do */
        struct past past, kept;                  /* kept: what is on disk */
        struct process_usage begin;              /* of the window that is open */
        int pid;
        int64_t begun_ms, ended_ms;              /* of the window that is open, 0: none; of the one before it, 0: none */
        struct past_watch watch;                 /* of the trial */
        bool is_trial;                           /* the window that is open */
        bool is_told;                            /* that there is no past to judge by */
};

/* What is on disk; nothing is as good as damage. */
void usage_open(struct stream *stream);
/* A trial begins, or what it runs is loaded anew. */
void usage_begin(struct stream *stream);
/* Harms the release if it has to. */
void usage_tick(struct stream *stream, int64_t now_ms);
int64_t usage_wake_ms(const struct stream *stream);
/* On trial: was it looked at, and is it not too much now? True as well where there is no past to judge by. */
bool usage_is_well(const struct stream *stream);
