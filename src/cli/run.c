#include "cli/run.h"

#include "cli/commands.h"
#include "cli/print.h"

#include <string.h>

static enum err check_words(const struct command *command, const struct args *args, struct why *why)
{
        if (args->word_count < command->words_min)
                return FAIL(why, ERR_USAGE, "usage: firebreak %s %s [OPTIONS]; --help tells more", command->name, command->words);
        if (args->word_count > command->words_max)
                return FAIL(why, ERR_USAGE, "one word too many: `%.60s`; usage: firebreak %s %s [OPTIONS]", args->words[command->words_max],
                            command->name, command->words);
        return OK;
}

static enum err print_help(struct cli *cli, const struct command *command, struct why *why)
{
        OWN(buf) struct buf text;
        buf_init(&text, 64 << 10);
        if (command)
                help_command(command, &text);
        else
                help_all(&text);
        return print_buf(cli, &text, why);
}

static enum err run(struct cli *cli, int count, char *const *words, struct why *why)
{
        static const enum option_id none[] = { OPTION_NONE };
        enum option_id allowed[OPTION_COUNT + 1];
        const struct command *command = NULL;
        struct args args = { 0 };
        int used = 0;
        if (count && (strcmp(words[0], "--help") == 0 || strcmp(words[0], "-h") == 0))
                return print_help(cli, NULL, why);
        if (count && strcmp(words[0], "--version") == 0) {
                cli->args = &args;
                return cmd_version(cli, why);
        }
        if (count && words[0][0] == '-')
                return options_parse(none, count, words, &args, why);
        enum err e = command_find(count, words, &command, &used, why);
        if (e)
                return e;
        command_options(command, allowed);
        e = options_parse(allowed, count - used, words + used, &args, why);
        if (e)
                return DURING(why, e, "%s", command->name);
        if (arg_has(&args, OPTION_HELP))
                return print_help(cli, command, why);
        e = check_words(command, &args, why);
        if (e)
                return e;
        cli->args = &args;
        e = command->run(cli, why);
        cli->args = NULL;
        return e;
}

int cli_run(struct cli *cli, int count, char *const *words)
{
        struct why why = { 0 };
        cli->exit_code = 0;
        enum err e = run(cli, count, words, &why);
        if (!e)
                return cli->exit_code;
        OWN(buf) struct buf text;
        buf_init(&text, 4096);
        print_clean(&text, why.text);
        fprintf(cli->err, "firebreak: %s\n", text.length ? buf_text(&text) : err_info(e)->text);
        return cli->exit_code ? cli->exit_code : err_info(e)->exit;
}
