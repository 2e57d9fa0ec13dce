/* cli.h - what every command of `firebreak` is given.
 *
 * A command prints facts on `out`, progress on `err`, and returns why it failed; main.c prints that and chooses the
 * exit code from err.def. Nothing here is global, so that tests run commands with their own clock, network and streams. */
#pragma once

#include "base/err.h"
#include "cli/options.h"

#include <stdbool.h>
#include <stdio.h>

struct clock;
struct net;
struct random_source;

struct cli {
        FILE *out, *err;
        bool is_colour;              /* `out` understands colours, and they are wanted */
        bool is_live;                /* `out` is a terminal: it may be redrawn */
        bool is_err_live;            /* the same of `err` */
        unsigned columns, rows;
        struct clock *clock;
        struct random_source *random;
        struct net *net;             /* NULL: the real one, opened with the settings' CA */
        const char *program;         /* our own path, to find firebreak-lab beside it; may be NULL */
        const struct args *args;
        int exit_code;               /* for results that are no failure of ours; 0: from the error */
};

#define COMMAND(id, ...) MUST_CHECK enum err cmd_##id(struct cli *cli, struct why *why);
#include "cli/commands.def"
#undef COMMAND
