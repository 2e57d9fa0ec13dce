/* command.h - the commands of firebreak-agent and what may be said to each: commands.def. */
#pragma once

#include "base/err.h"

#include <stdbool.h>

/* What was said; NULL or false where it was not. */
struct command_line {
        const char *config, *server, *token, *ca, *root, *state, *stream, *slot, *spool, *units, *socket, *action, *path, *to, *number, *config_path, *was, *handed, *back_in, *word, *shell, *verb, *log;
        bool is_json, is_dry, is_undo, is_before, is_suspend, is_shutdown, is_reboot, is_stopping;
};

typedef enum err command_run(const struct command_line *line, struct why *why);

/* Runs the command that argv names and returns the program's exit code. Says what is wrong on standard error. */
int command_main(int argc, char **argv);

#define COMMAND(name, run, ...) command_run run;
#include "agent/commands.def"
#undef COMMAND
