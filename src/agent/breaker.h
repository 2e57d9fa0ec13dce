/* breaker.h - may an engine do what it asks about? One stream's rate of actions, and what a trip is.
 *
 * Pure: it is told the time, what the file is, and whether a release is on trial. On trial, an action on what the platform needs, and one more
 * than `actions_max` within the window, trip the breaker. Otherwise both are denied, and no content is blamed for them. What is denied because nobody
 * knows whose it is counts apart, each path once: a storm over the platform's folders is one also where the platform keeps no list of its files.
 *
 * Invariant: under one release no span of `window_ms` has more than `actions_max` allowed actions, however the questions come. A release on trial
 * begins with an empty window: it is blamed only for what was done under it.
 *
 * Does not find out what a file is: see platform_file.h. Does not roll back: see stream_breaker.c. */
#pragma once

#include "base/limits.h"

#include <stdbool.h>
#include <stdint.h>

enum breaker_file {
        BREAKER_ORDINARY,                /* also what a package brought and is no longer as it was: an engine must get at a trojan */
        BREAKER_PLATFORM,                /* as a package brought it, or made by the platform for itself */
        BREAKER_OWN,                     /* this agent's own program, configuration, anchors and state */
        BREAKER_UNKNOWN,                 /* where the platform's files are, and we cannot tell whether it is one */
        BREAKER_FILES,
};

enum breaker_verdict { BREAKER_ALLOW, BREAKER_DENY, BREAKER_TRIP };

enum { BREAKER_REASON_BYTES = 96 };      /* it is the detail of a report, too */

struct breaker {
        unsigned actions_max;            /* 1 to LIMIT_BREAKER_ACTIONS */
        int64_t window_ms;
        int64_t allowed_ms[LIMIT_BREAKER_ACTIONS];       /* a ring: when the last `actions_max` were allowed */
        unsigned next, count;
        struct { int64_t now_ms; uint32_t path; } unknown[LIMIT_BREAKER_ACTIONS];        /* the same of what was denied as not known, on trial */
        unsigned unknown_next, unknown_count;
        bool is_tripped;                 /* until the content before is at work again, which the caller finds out */
};

struct breaker_question {
        const char *action, *path;
        enum breaker_file file;
        bool is_on_trial;
        int64_t now_ms;                  /* steady */
};

void breaker_init(struct breaker *breaker, unsigned actions_max, int64_t window_ms);
/* A release on trial is at work: an empty window, and no trip. */
void breaker_begin(struct breaker *breaker);
/* `reason` is a line without control characters or bytes above ASCII; "" when allowed. */
enum breaker_verdict breaker_ask(struct breaker *breaker, const struct breaker_question *question, char reason[static BREAKER_REASON_BYTES]);
