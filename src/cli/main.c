/* main.c - the program `firebreak`; all it does is in run.h. */
#include "cli/run.h"
#include "platform/clock.h"
#include "platform/random.h"
#include "platform/terminal.h"
#include "platform/file_limit.h"

#include <stdlib.h>
#include <string.h>

static bool wants_colour(bool is_live)
{
        const char *no = getenv("NO_COLOR"), *kind = getenv("TERM");
        return is_live && !(no && no[0]) && !(kind && strcmp(kind, "dumb") == 0);
}

int main(int argc, char **argv)
{
        file_limit_standard();
        file_limit_size_fails();
        bool is_live = terminal_is(stdout);
        struct cli cli = {
                .out = stdout,
                .err = stderr,
                .is_live = is_live,
                .is_err_live = terminal_is(stderr),
                .is_colour = wants_colour(is_live),
                .columns = terminal_columns(stdout),
                .rows = terminal_rows(stdout),
                .clock = clock_system(),
                .random = random_system(),
                .program = argc ? argv[0] : NULL,
        };
        return cli_run(&cli, argc > 1 ? argc - 1 : 0, argv + 1);
}
