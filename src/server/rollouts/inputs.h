/* inputs.h - everything that a rollout is told, as rows; replayed after a restart.
 *
 * The one place that calls the library's inputs, so that living and replaying cannot differ. */
#pragma once

#include "server/rollouts/run.h"

enum input_what { INPUT_START, INPUT_TICK, INPUT_PICK, INPUT_GRANTED, INPUT_REPORT, INPUT_SEEN, INPUT_COMMAND, INPUT_FREEZE, INPUT_CEILING, INPUT_HEARD, INPUT_LEFT,
                  INPUTS };

/* Words, not numbers of enums, are on disk: they outlive a reordering. */
struct input {
        enum input_what what;
        int64_t at_ms, number;                  /* a handle, how many, until when, or from when */
        const char *word, *kind;                /* an outcome and its kind, an event, or of freeze windows: open, over */
        const char *who, *second, *because;
        /* Dense numbers in line, or that left; handles that were heard; of a ceiling: after, ppm, most exposed, again and again. */
        const uint32_t *list;
        size_t list_count;
};

/* What the library answered. */
struct fed {
        struct rollout_pick *picks;             /* the caller's, list_count of them; may be NULL when replaying */
        size_t picked;
        int64_t deadline_ms;
        bool has_changed;                       /* of a tick or a pick: false needs no row */
};

/* An input comes with the clock's time; what is fed and appended has the rollout's own.
 * Feed it, and append it unless nothing changed. What the library refuses changed nothing and is not appended. */
MUST_CHECK enum err run_input(struct rollouts *rollouts, struct run *run, const struct input *input, struct fed *fed, struct why *why);
/* Feed all rows to a library that was just made. */
MUST_CHECK enum err run_replay(struct db *db, struct run *run, struct why *why);
