#include "cli/commands.h"
#include "cli/print.h"

#include <string.h>

enum { HELP_BYTES_MAX = 256 << 10 };

enum err cmd_help(struct cli *cli, struct why *why)
{
        OWN(buf) struct buf text;
        buf_init(&text, HELP_BYTES_MAX);
        unsigned count = cli->args->word_count;
        if (count == 0)
                help_all(&text);
        if (count == 1)
                help_group(cli->args->words[0], &text);
        if (count && text.length == 0) {
                char *words[] = { (char *)cli->args->words[0], (char *)(count > 1 ? cli->args->words[1] : "") };
                const struct command *command = NULL;
                int used = 0;
                enum err e = command_find((int)count, words, &command, &used, why);
                if (e)
                        return e;
                help_command(command, &text);
        }
        return print_buf(cli, &text, why);
}

enum err cmd_completion(struct cli *cli, struct why *why)
{
        OWN(buf) struct buf text;
        buf_init(&text, HELP_BYTES_MAX);
        if (strcmp(cli->args->words[0], "bash") == 0)
                completion_bash(&text);
        else if (strcmp(cli->args->words[0], "zsh") == 0)
                completion_zsh(&text);
        else
                return FAIL(why, ERR_USAGE, "no completion for `%.40s`; there is bash and zsh", cli->args->words[0]);
        return print_buf(cli, &text, why);
}

enum err cmd_version(struct cli *cli, struct why *why)
{
        OWN(buf) struct buf text;
        buf_init(&text, HELP_BYTES_MAX);
        buf_add_text(&text, arg_has(cli->args, OPTION_JSON) ? "{\"name\":\"firebreak\",\"version\":\"" FIREBREAK_VERSION "\"}\n"
                                                            : "firebreak " FIREBREAK_VERSION "\n");
        return print_buf(cli, &text, why);
}
