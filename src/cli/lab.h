/* lab.h - firebreak-lab, started beside ourselves, and what it leaves behind. */
#pragma once

#include "base/buf.h"
#include "cli/cli.h"

/* The program's path: beside `cli->program` when there is one, else its name, to be looked up in PATH. */
void lab_find(const struct cli *cli, char path[static 4096]);

enum { LAB_ARGS_MAX = 32 };

struct lab_run {
        const char *args[LAB_ARGS_MAX];    /* after the program's name; NULL-ended */
        int input;                         /* its standard input; -1: nothing to read */
        struct buf *said;                  /* what it printed, when wanted; NULL: it prints on cli->out itself */
};

/* Runs it to its end. *ret_code: 0 all passed, 1 the content is at fault, 2 a check broke. Any other end is an error. */
MUST_CHECK enum err lab_run(struct cli *cli, const struct lab_run *run, int *ret_code, struct why *why);
