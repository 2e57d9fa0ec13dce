/* replay_facts.h - replays for programs and for people: an object a run, a table of the rows, what is known of the scenario. */
#pragma once

#include "cli/print.h"
#include "replay/study.h"

/* NULL: out of memory. Owned by the caller. */
struct json *replay_json(const struct study_row *row, size_t run);
struct json *replay_list_json(const struct scenario *scenarios, size_t count);

/* The names, and how to go on. */
MUST_CHECK enum err replay_list(struct cli *cli, const struct scenario *scenarios, size_t count, struct why *why);
MUST_CHECK enum err replay_table(struct cli *cli, const struct study *study, struct why *why);
