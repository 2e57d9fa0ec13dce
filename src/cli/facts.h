/* facts.h - what the commands that ask the server one question have in common. */
#pragma once

#include "cli/api.h"
#include "cli/print.h"

/* GET `path`, and print it: as JSON, or by `people`. */
typedef enum err facts_people(struct cli *cli, const struct json *answer, struct buf *into, struct why *why);
MUST_CHECK enum err facts_show(struct cli *cli, const char *path, facts_people *people, struct why *why);

/* The same for a list, as a table of `columns`. */
MUST_CHECK enum err facts_list(struct cli *cli, const char *path, const struct column *columns, size_t column_count,
                               struct why *why);

/* A rollout of the answer of an action: one line for people. */
MUST_CHECK enum err facts_rollout(struct cli *cli, const struct json *rollout, struct why *why);

/* "title  value" lines for the members of `object` that the table names; absent ones are left out. */
struct fact {
        const char *title, *field;
};
void facts_lines(const struct fact *facts, size_t fact_count, const struct json *object, struct buf *into);

int64_t cli_now(const struct cli *cli);
/* Who decides: a name that the record can hold; an account's name nearly always is. */
const char *cli_who(const struct args *args);
