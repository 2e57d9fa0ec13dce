/* What completes the words of firebreak-agent, printed from the table of commands. */
#include "agent/command_list.h"

#include <stdio.h>
#include <string.h>

/* How the two shells differ; all the rest of the script is one text. */
static const struct shell {
        const char *name, *head, *begin, *end;
} shells[] = {
        { "bash", "# bash completion for firebreak-agent; printed by `firebreak-agent completion bash`\n",
          "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]} choices= files=\n"
          "    [ \"$COMP_CWORD\" -lt 2 ] && command=\n",
          "    if [ -n \"$files\" ]; then mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
          "    else mapfile -t COMPREPLY < <(compgen -W \"$choices\" -- \"$word\"); fi\n"
          "}\n"
          "complete -o filenames -F _firebreak_agent firebreak-agent\n" },
        { "zsh", "#compdef firebreak-agent\n# zsh completion for firebreak-agent; printed by `firebreak-agent completion zsh`\n",
          "    local word=$PREFIX before=$words[CURRENT-1] command=$words[2] choices= files=\n"
          "    (( CURRENT < 3 )) && command=\n",
          "    if [[ -n $files ]]; then _files; else compadd -- ${=choices}; fi\n"
          "}\n"
          "compdef _firebreak_agent firebreak-agent\n" },
};

static void print_commands(void)
{
        for (const struct command *command = command_list; command->name; command++)
                if (command_is_shown(command))
                        printf("%s ", command->name);
}

/* An arm for each command: its options, and what its words may be. */
static void print_arms(void)
{
        for (const struct command *command = command_list; command->name; command++) {
                if (!command_is_shown(command))
                        continue;
                printf("        %s) choices='", command->name);
                if (command_takes(command, "word"))
                        print_commands();
                if (command_takes(command, "shell"))
                        printf("bash zsh ");
                if (command_takes(command, "verb"))
                        printf("install remove run ");
                for (const struct option *option = option_list; option->name; option++)
                        if (command_takes(command, option->name))
                                printf("--%s ", option->name);
                printf("--help'");
                printf("%s ;;\n", command_takes(command, "path") ? "; [[ $word = */* ]] && files=1" : "");
        }
        printf("        '') choices='");
        print_commands();
        printf("--help --version' ;;\n");
}

/* Is it for people, or only said between the agent's own programs? */
static bool is_for_people(const struct option *option)
{
        for (const struct command *command = command_list; command->name; command++)
                if (command_is_shown(command) && command_takes(command, option->name))
                        return true;
        return false;
}

static bool names_a_file(const char *value)
{
        return strcmp(value, "FILE") == 0 || strcmp(value, "DIR") == 0 || strcmp(value, "PATH") == 0;
}

/* After an option that takes a value: files, one of a few words, or nothing that we could know. */
static void print_values(void)
{
        for (const struct option *option = option_list; option->name; option++) {
                if (!option->value || !is_for_people(option))
                        continue;
                printf("        --%s) choices='", option->name);
                for (const char *at = strchr(option->value, '|') ? option->value : ""; *at; at++)
                        putchar(*at == '|' ? ' ' : *at);
                printf("'%s ;;\n", names_a_file(option->value) ? " files=1" : "");
        }
}

enum err completion_print(const char *shell, struct why *why)
{
        for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
                if (strcmp(shells[i].name, shell) != 0)
                        continue;
                printf("%s_firebreak_agent() {\n%s    case $command in\n", shells[i].head, shells[i].begin);
                print_arms();
                printf("    esac\n    case $before in\n");
                print_values();
                printf("    esac\n%s", shells[i].end);
                return OK;
        }
        return FAIL(why, ERR_USAGE, "no completion for `%.40s`; there is bash and zsh", shell);
}
