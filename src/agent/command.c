#include "agent/command.h"

#include "format/near.h"
#include "platform/paths.h"

#include <stddef.h>
#include <string.h>

static const struct command {
        const char *name;
        command_run *run;
        const char *takes, *line, *example;
} commands[] = {
#define COMMAND(name, run, takes, line, example) { name, run, takes, line, example },
#include "agent/commands.def"
#undef COMMAND
};
enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static const struct option {
        const char *name, *value, *help;         /* value NULL: a flag */
        size_t offset;
} options[] = {
#define TEXT(name, value, field, help) { name, value, help, offsetof(struct command_line, field) }
        TEXT("config", "FILE", config, "agent.yaml, see firebreak-agent.yaml(5)"),
        TEXT("server", "URL", server, "instead of the configuration's"),
        TEXT("token", "TOKEN", token, "what `firebreak token new` printed"),
        TEXT("ca", "FILE", ca, "instead of the configuration's"),
        TEXT("root", "DIR", root, "where the device's disk is mounted"),
        TEXT("state", "DIR", state, "state folder below the root; default var/lib/firebreak"),
        TEXT("stream", "NAME", stream, "of the configuration"),
        TEXT("slot", "a|b", slot, "where the candidate is"),
        TEXT("spool", "DIR", spool, "where downloads go"),
        TEXT("units", "DIR", units, "folder of the sockets at which systemd starts fetch and verify"),
        TEXT("handed", "N", handed, "open file: said by an agent that goes on as this one"),
        TEXT("config-path", "FILE", config_path, "where the configuration lies, when --config is a copy of it"),
        TEXT("number", "N", number, "of a probe of the stream, from 0"),
        TEXT("was", "WORD", was, "what it was before the trial"),
        TEXT("before", NULL, is_before, "judge nothing, say what it is"),
        TEXT("socket", "PATH", socket, "the breaker's, instead of the configuration"),
        TEXT("json", NULL, is_json, "for programs"),
        TEXT("to", "good|factory|safe", to, "how far back; default good"),
        TEXT("undo", NULL, is_undo, "put the last recovery back, if the device has not run since"),
        TEXT("dry-run", NULL, is_dry, "say what would be done, change nothing"),
#undef TEXT
};
enum { OPTIONS = sizeof(options) / sizeof(options[0]) };

static const struct command *find_command(const char *name)
{
        for (size_t i = 0; i < COMMANDS; i++)
                if (strcmp(commands[i].name, name) == 0)
                        return &commands[i];
        return NULL;
}

/* The word `name` of `takes`, with what follows it; NULL when it is none of them. */
static const char *find_taken(const struct command *command, const char *name)
{
        size_t length = strlen(name);
        for (const char *at = command->takes; *at; at += strcspn(at, " "), at += strspn(at, " "))
                if (strcspn(at, " !") == length && memcmp(at, name, length) == 0)
                        return at;
        return NULL;
}

static bool takes(const struct command *command, const char *name)
{
        return find_taken(command, name);
}

static bool needs(const struct command *command, const char *name)
{
        const char *word = find_taken(command, name);
        return word && word[strlen(name)] == '!';
}

static const struct option *find_option(const struct command *command, const char *name, size_t length)
{
        for (size_t i = 0; i < OPTIONS; i++)
                if (strlen(options[i].name) == length && memcmp(options[i].name, name, length) == 0 && takes(command, options[i].name))
                        return &options[i];
        return NULL;
}

static enum err unknown_option(const struct command *command, const char *name, size_t length, struct why *why)
{
        char word[64];
        snprintf(word, sizeof(word), "%.*s", (int)length, name);
        struct near near = { .word = word };
        for (size_t i = 0; i < OPTIONS; i++)
                if (takes(command, options[i].name))
                        near_consider(&near, options[i].name);
        if (near.best)
                return FAIL(why, ERR_USAGE, "%s takes no option `--%s`; did you mean `--%s`?", command->name, word, near.best);
        return FAIL(why, ERR_USAGE, "%s takes no option `--%s`; see `firebreak-agent help %s`", command->name, word, command->name);
}

static enum err unknown_command(const char *name, struct why *why)
{
        struct near near = { .word = name };
        for (size_t i = 0; i < COMMANDS; i++)
                if (!takes(&commands[i], "inner"))
                        near_consider(&near, commands[i].name);
        if (near.best)
                return FAIL(why, ERR_USAGE, "no command `%.60s`; did you mean `firebreak-agent %s`?", name, near.best);
        return FAIL(why, ERR_USAGE, "no command `%.60s`; `firebreak-agent help` lists those there are", name);
}

static enum err take_option(const struct command *command, char **argv, int *at, struct command_line *line, struct why *why)
{
        const char *name = argv[*at] + 2, *equals = strchr(name, '=');
        size_t length = equals ? (size_t)(equals - name) : strlen(name);
        const struct option *option = find_option(command, name, length);
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
                else if (takes(command, "word") && !line->word)
                        line->word = argv[at];
                else if (takes(command, "action") && !line->action)
                        line->action = argv[at];
                else if (takes(command, "path") && !line->path)
                        line->path = argv[at];
                else
                        e = FAIL(why, ERR_USAGE, "`%s`: %s takes no such word; see `firebreak-agent help %s`", argv[at], command->name, command->name);
                if (e)
                        return e;
        }
        return OK;
}

static void print_usage(const struct command *command)
{
        printf("usage: firebreak-agent %s", command->name);
        for (size_t i = 0; i < OPTIONS; i++) {
                const struct option *option = &options[i];
                bool is_needed = needs(command, option->name);
                if (takes(command, option->name))
                        printf(" %s--%s%s%s%s", is_needed ? "" : "[", option->name, option->value ? " " : "", option->value ? option->value : "",
                               is_needed ? "" : "]");
        }
        printf("%s\n", takes(command, "word") ? " [COMMAND]" : takes(command, "action") ? " ACTION PATH" : "");
}

static void help_one(const struct command *command)
{
        print_usage(command);
        printf("\n%s\n\n", command->line);
        for (size_t i = 0; i < OPTIONS; i++)
                if (takes(command, options[i].name))
                        printf("  --%-8s %-17s %s\n", options[i].name, options[i].value ? options[i].value : "", options[i].help);
        if (command->example[0])
                printf("\nexample:\n  %s\n", command->example);
}

static void help_all(void)
{
        printf("firebreak-agent keeps content on this device up to date, and never without a version that works.\n\ncommands:\n");
        for (size_t i = 0; i < COMMANDS; i++)
                if (!takes(&commands[i], "inner"))
                        printf("  %-8s %s\n", commands[i].name, commands[i].line);
        printf("\nexamples:\n");
        for (size_t i = 0; i < 3; i++)
                printf("  %s\n", commands[i].example);
        printf("\n`firebreak-agent help COMMAND` says more; see also firebreak-agent(8).\n");
}

enum err cmd_help(const struct command_line *line, struct why *why)
{
        if (!line->word || strcmp(line->word, "help") == 0) {
                help_all();
                return OK;
        }
        const struct command *command = find_command(line->word);
        if (!command || takes(command, "inner"))
                return unknown_command(line->word, why);
        help_one(command);
        return OK;
}

enum err cmd_version(const struct command_line *line, struct why *why)
{
        (void)line;
        (void)why;
        printf("firebreak-agent %s\n", FIREBREAK_VERSION);
        return OK;
}

/* All that can be needed have values. */
static enum err check_needs(const struct command *command, const struct command_line *line, struct why *why)
{
        for (size_t i = 0; i < OPTIONS; i++)
                if (needs(command, options[i].name) && !*(const char *const *)((const char *)line + options[i].offset))
                        return FAIL(why, ERR_USAGE, "%s needs --%s %s: %s", command->name, options[i].name, options[i].value, options[i].help);
        return OK;
}

/* What we start is told it too, and may stand in another folder. */
static enum err make_absolute(const char **path, char real[static PATH_MAX], struct why *why)
{
        if (**path == '/')
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
        const struct command *command = find_command(strcmp(argv[1], "--version") == 0 ? "version" : argv[1]);
        if (!command)
                return unknown_command(argv[1], why);
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
