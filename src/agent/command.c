#include "agent/command_list.h"

#include "format/near.h"
#include "platform/paths.h"

#include <string.h>

static enum err unknown_option(const struct command *command, const char *name, size_t length, struct why *why)
{
        char word[64];
        snprintf(word, sizeof(word), "%.*s", (int)length, name);
        struct near near = { .word = word };
        for (const struct option *option = option_list; option->name; option++)
                if (command_takes(command, option->name))
                        near_consider(&near, option->name);
        if (near.best)
                return FAIL(why, ERR_USAGE, "%s takes no option `--%s`; did you mean `--%s`?", command->name, word, near.best);
        return FAIL(why, ERR_USAGE, "%s takes no option `--%s`; see `firebreak-agent help %s`", command->name, word, command->name);
}

static enum err take_option(const struct command *command, char **argv, int *at, struct command_line *line, struct why *why)
{
        const char *name = argv[*at] + 2, *equals = strchr(name, '=');
        size_t length = equals ? (size_t)(equals - name) : strlen(name);
        const struct option *option = command_option(command, name, length);
        if (!option)
                return unknown_option(command, name, length, why);
        char *field = (char *)line + option->offset;
        if (!option->value) {
                if (equals)
                        return FAIL(why, ERR_USAGE, "--%s takes no value", option->name);
                *(bool *)field = true;
                return OK;
        }
        const char *value = equals ? equals + 1 : argv[*at + 1];
        if (!value || !*value)
                return FAIL(why, ERR_USAGE, "--%s needs a value: --%s %s", option->name, option->name, option->value);
        *at += !equals;
        *(const char **)field = value;
        return OK;
}

static enum err parse(const struct command *command, char **argv, struct command_line *line, struct why *why)
{
        for (int at = 0; argv[at]; at++) {
                enum err e = OK;
                if (strcmp(argv[at], "--help") == 0)
                        line->word = command->name;
                else if (strncmp(argv[at], "--", 2) == 0)
                        e = take_option(command, argv, &at, line, why);
                else if (command_takes(command, "word") && !line->word)
                        line->word = argv[at];
                else if (command_takes(command, "shell") && !line->shell)
                        line->shell = argv[at];
                else if (command_takes(command, "verb") && !line->verb)
                        line->verb = argv[at];
                else if (command_takes(command, "action") && !line->action)
                        line->action = argv[at];
                else if (command_takes(command, "path") && !line->path)
                        line->path = argv[at];
                else
                        e = FAIL(why, ERR_USAGE, "`%s`: %s takes no such word; see `firebreak-agent help %s`", argv[at], command->name, command->name);
                if (e)
                        return e;
        }
        return OK;
}

/* All that can be needed have values. */
static enum err check_needs(const struct command *command, const struct command_line *line, struct why *why)
{
        for (const struct option *option = option_list; option->name; option++)
                if (command_needs(command, option->name) && !*(const char *const *)((const char *)line + option->offset))
                        return FAIL(why, ERR_USAGE, "%s needs --%s %s: %s", command->name, option->name, option->value, option->help);
        return OK;
}

/* What we start is told it too, and may stand in another folder. */
static enum err make_absolute(const char **path, char real[static PATH_MAX], struct why *why)
{
        if (paths_is_absolute(*path))
                return OK;
        enum err e = paths_real(*path, real, why);
        if (!e)
                *path = real;
        return e ? DURING(why, e, "the configuration") : OK;
}

static enum err run(int argc, char **argv, struct why *why)
{
        struct command_line line = { 0 };
        if (argc < 2)
                return FAIL(why, ERR_USAGE, "no command; `firebreak-agent help` lists those there are");
        if (strcmp(argv[1], "--help") == 0)
                return cmd_help(&line, why);
        const struct command *command = command_find(strcmp(argv[1], "--version") == 0 ? "version" : argv[1]);
        if (!command)
                return command_unknown(argv[1], why);
        enum err e = parse(command, argv + 2, &line, why);
        if (e)
                return e;
        if (line.word && command->run != cmd_help)
                return cmd_help(&line, why);
        e = check_needs(command, &line, why);
        if (e)
                return e;
        char config[PATH_MAX];
        e = line.config ? make_absolute(&line.config, config, why) : OK;
        return e ? e : command->run(&line, why);
}

int command_main(int argc, char **argv)
{
        struct why why = { 0 };
        enum err e = run(argc, argv, &why);
        if (e)
                fprintf(stderr, "firebreak-agent: %s (%s)\n", why.text, err_info(e)->text);
        if (fflush(stdout) && !e)
                return err_info(ERR_IO)->exit;
        return err_info(e)->exit;
}
