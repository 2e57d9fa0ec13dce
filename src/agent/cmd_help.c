#include "agent/command_list.h"

#include <stdio.h>
#include <string.h>

/* What stands beside the options. */
static const char *command_words(const struct command *command)
{
        static const struct { const char *takes, *shown; } each[] = {
                { "word", " [COMMAND]" }, { "shell", " bash|zsh" }, { "verb", " install|remove|run" }, { "action", " ACTION PATH" },
        };
        for (size_t i = 0; i < sizeof(each) / sizeof(each[0]); i++)
                if (command_takes(command, each[i].takes))
                        return each[i].shown;
        return "";
}

static void print_usage(const struct command *command)
{
        printf("usage: firebreak-agent %s", command->name);
        for (const struct option *option = option_list; option->name; option++) {
                bool is_needed = command_needs(command, option->name);
                if (command_takes(command, option->name))
                        printf(" %s--%s%s%s%s", is_needed ? "" : "[", option->name, option->value ? " " : "", option->value ? option->value : "",
                               is_needed ? "" : "]");
        }
        printf("%s\n", command_words(command));
}

static void help_one(const struct command *command)
{
        print_usage(command);
        printf("\n%s\n", command->line);
        bool is_first = true;
        for (const struct option *option = option_list; option->name; option++) {
                if (!command_takes(command, option->name))
                        continue;
                printf("%s  --%-8s %-17s %s\n", is_first ? "\n" : "", option->name, option->value ? option->value : "", option->help);
                is_first = false;
        }
        if (command->example[0])
                printf("\nexample:\n  %s\n", command->example);
}

static void help_all(void)
{
        printf("firebreak-agent keeps content on this device up to date, and never without a version that works.\n\ncommands:\n");
        for (const struct command *command = command_list; command->name; command++)
                if (command_is_shown(command))
                        printf("  %-10s %s\n", command->name, command->line);
        printf("\nexamples:\n");
        for (size_t i = 0; i < 3; i++)
                printf("  %s\n", command_list[i].example);
        printf("\n`firebreak-agent help COMMAND` says more; see also firebreak-agent(8).\n");
}

enum err cmd_help(const struct command_line *line, struct why *why)
{
        if (!line->word || strcmp(line->word, "help") == 0) {
                help_all();
                return OK;
        }
        const struct command *command = command_find(line->word);
        if (!command || !command_is_shown(command))
                return command_unknown(line->word, why);
        help_one(command);
        return OK;
}

enum err cmd_completion(const struct command_line *line, struct why *why)
{
        if (!line->shell)
                return FAIL(why, ERR_USAGE, "completion for which shell? `firebreak-agent completion bash`, or zsh");
        return completion_print(line->shell, why);
}

enum err cmd_version(const struct command_line *line, struct why *why)
{
        (void)line;
        (void)why;
        printf("firebreak-agent %s\n", FIREBREAK_VERSION);
        return OK;
}
