/* command_list.h - the table of commands.def and the options there are: for who parses, for the help and for completion. */
#pragma once

#include "agent/command.h"

#include <stddef.h>

struct command {
        const char *name;
        command_run *run;
        const char *takes, *line, *example;      /* as in commands.def */
};

struct option {
        const char *name, *value, *help;         /* value NULL: a flag */
        size_t offset;                           /* in struct command_line */
};

/* Each ends with one whose name is NULL. */
extern const struct command command_list[];
extern const struct option option_list[];

/* NULL when there is none of that name; inner ones are found, too. */
const struct command *command_find(const char *name);
/* Is `name` among the words of `takes`; with a ! after it? */
bool command_takes(const struct command *command, const char *name);
bool command_needs(const struct command *command, const char *name);
/* Is it for people, on this system? */
bool command_is_shown(const struct command *command);
/* The option of this name, `length` long, if the command takes it; else NULL. */
const struct option *command_option(const struct command *command, const char *name, size_t length);

/* ERR_USAGE that says so, and which one was meant, perhaps. */
MUST_CHECK enum err command_unknown(const char *name, struct why *why);

/* What completes in this shell: the script on standard output. ERR_USAGE for a shell that is none of "bash" and "zsh". */
MUST_CHECK enum err completion_print(const char *shell, struct why *why);
