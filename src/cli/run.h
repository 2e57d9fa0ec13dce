/* run.h - one command line, from words to exit code; main() without the process around it, for tests. */
#pragma once

#include "cli/cli.h"

/* `words` without the program's name. Sets cli->args for the time of the call; says on cli->err what failed. */
int cli_run(struct cli *cli, int count, char *const *words);
