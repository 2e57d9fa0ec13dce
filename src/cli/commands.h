/* commands.h - the table of commands, and what is made of it: finding, help, completion. */
#pragma once

#include "base/buf.h"
#include "cli/cli.h"

enum { COMMAND_ONLINE = 1, COMMAND_FACTS = 2, COMMAND_PUBLIC = 4 };

struct command {
        const char *name, *words;            /* "release pack", "CONTENT_DIR" */
        unsigned words_min, words_max, marks;
        const enum option_id *own;           /* ends with OPTION_NONE */
        const char *about, *examples;
        enum err (*run)(struct cli *cli, struct why *why);
};

size_t command_count(void);
const struct command *command_at(size_t index);

/* All options that it takes, the common ones included; ends with OPTION_NONE. */
void command_options(const struct command *command, enum option_id ret_options[static OPTION_COUNT + 1]);

/* The command that `words` begin with; *ret_used words name it. ERR_USAGE says what was meant, perhaps. */
MUST_CHECK enum err command_find(int count, char *const *words, const struct command **ret_command, int *ret_used,
                                 struct why *why);

void help_all(struct buf *into);
void help_group(const char *group, struct buf *into);          /* "rollout": its commands */
void help_command(const struct command *command, struct buf *into);
void completion_bash(struct buf *into);
void completion_zsh(struct buf *into);
