/* Help and completion, both printed from the table of commands. */
#include "cli/commands.h"
#include "replay/catalogue.h"
#include "replay/director.h"

#include <string.h>

static void one_line(const struct command *command, struct buf *into)
{
        char left[64];
        snprintf(left, sizeof(left), "%s %s", command->name, command->words);
        buf_addf(into, "  %-34s %s\n", left, command->about);
}

void help_all(struct buf *into)
{
        buf_add_text(into, "firebreak - ship releases to a fleet, and stop a bad one within a harm budget\n\n"
                           "usage: firebreak COMMAND [WORDS] [OPTIONS]\n\n");
        for (size_t i = 0; i < command_count(); i++)
                one_line(command_at(i), into);
        buf_add_text(into, "\n`firebreak help COMMAND` tells more. The server, its key and its certificate come from the options\n"
                           "--server, --key-file and --ca, from FIREBREAK_SERVER, FIREBREAK_KEY_FILE and FIREBREAK_CA, or from\n"
                           "~/.config/firebreak/cli.yaml (server, key_file, ca), whichever is found first.\n");
}

void help_group(const char *group, struct buf *into)
{
        size_t length = strlen(group);
        for (size_t i = 0; i < command_count(); i++)
                if (strncmp(command_at(i)->name, group, length) == 0 && command_at(i)->name[length] == ' ')
                        one_line(command_at(i), into);
}

void help_command(const struct command *command, struct buf *into)
{
        enum option_id ids[OPTION_COUNT + 1];
        command_options(command, ids);
        buf_addf(into, "firebreak %s - %s\n\nusage: firebreak %s%s%s [OPTIONS]\n\noptions:\n", command->name, command->about, command->name,
                 command->words[0] ? " " : "", command->words);
        for (size_t i = 0; ids[i] != OPTION_NONE; i++) {
                const struct option *option = option_info(ids[i]);
                char left[64];
                snprintf(left, sizeof(left), "--%s %s", option->name, option->value ? option->value : "");
                buf_addf(into, "  %-24s %s\n", left, option->help);
        }
        buf_add_text(into, "\nexamples:\n");
        for (const char *at = command->examples; *at;) {
                size_t length = strcspn(at, "\n");
                buf_addf(into, "  %.*s\n", (int)length, at);
                at += length + (at[length] == '\n');
        }
}

static void options_of(const struct command *command, struct buf *into)
{
        enum option_id ids[OPTION_COUNT + 1];
        command_options(command, ids);
        for (size_t i = 0; ids[i] != OPTION_NONE; i++)
                buf_addf(into, "%s--%s", i ? " " : "", option_info(ids[i])->name);
}

/* The next words of a name: of "" the first words, of "rollout" what may follow. Each once, as the table has them. */
static void next_words(const char *after, struct buf *into)
{
        size_t length = strlen(after);
        const char *last = "";
        for (size_t i = 0; i < command_count(); i++) {
                const char *name = command_at(i)->name;
                if (length && (strncmp(name, after, length) != 0 || name[length] != ' '))
                        continue;
                const char *word = length ? name + length + 1 : name;
                size_t word_length = strcspn(word, " ");
                if (strncmp(last, word, word_length) == 0 && last[word_length] == ' ')
                        continue;
                buf_addf(into, "%.*s ", (int)word_length, word);
                last = word;
        }
}

static void scenario_names(struct buf *into)
{
        for (size_t i = 0; i < catalogue_count(); i++)
                buf_addf(into, "%s ", catalogue_at(i)->name);
        buf_add_text(into, "all ");
}

/* What may stand after a command of one word: `files` is the place of the first word that names a file. */
static void words_of(const struct command *command, struct buf *into)
{
        bool is_folder = strcmp(command->words, "DIR") == 0;
        if (strcmp(command->words, "[COMMAND]") == 0)
                next_words("", into);
        bool is_replay = strcmp(command->name, "replay") == 0;
        if (is_replay)
                scenario_names(into);
        for (const char *at = !is_replay && strchr(command->words, '|') ? command->words : ""; *at; at++)
                buf_addf(into, "%c%s", *at == '|' ? ' ' : *at, at[1] ? "" : " ");
        options_of(command, into);
        buf_addf(into, "' files=%d", is_folder ? 2 : 9);
}

/* `case` arms that say for each command its options, and for each group its commands. */
static void cases(struct buf *into)
{
        char done[32] = "";
        for (size_t i = 0; i < command_count(); i++) {
                const struct command *command = command_at(i);
                const char *space = strchr(command->name, ' ');
                size_t group = space ? (size_t)(space - command->name) : 0;
                if (space && (strncmp(done, command->name, group) != 0 || done[group])) {
                        snprintf(done, sizeof(done), "%.*s", (int)group, command->name);
                        buf_addf(into, "        '%s') choices='", done);
                        next_words(done, into);
                        buf_add_text(into, "' ;;\n");
                }
                buf_addf(into, "        '%s'%s) choices='", command->name, space ? "" : "*");
                if (space)
                        options_of(command, into);
                else
                        words_of(command, into);
                buf_add_text(into, space ? "' ;;\n" : " ;;\n");
        }
        buf_add_text(into, "        *) choices='");
        next_words("", into);
        buf_add_text(into, "' ;;\n");
}

/* After an option of replay: the policies, or files; a scenario with a slash is a file, too. */
static void replay_cases(const char *before, const char *word, struct buf *into)
{
        buf_addf(into, "    case $command/%s in\n        replay*/--policy) choices='", before);
        for (size_t i = 0; i < director_count(); i++)
                buf_addf(into, "%s ", director_at(i)->name);
        buf_addf(into, "all' ;;\n        replay*/--html) files=2 ;;\n        replay*) [[ %s = */* ]] && files=2 ;;\n    esac\n", word);
}

/* Where a group is expected, those that the server knows; one that is away must not keep the shell. */
static void group_cases(const char *program, const char *before, const char *word, struct buf *into)
{
        buf_addf(into, "    case $command/%s in\n        'group show/show'|'group set/set'|'token new/--group')\n"
                       "            [[ %s != -* ]] && files=99 choices=$(timeout 3 \"%s\" group list --limit 10000 2>/dev/null | sed -n '2,$s/ .*//p') ;;\n    esac\n",
                 before, word, program);
}

void completion_bash(struct buf *into)
{
        buf_add_text(into, "# bash completion for firebreak; printed by `firebreak completion bash`\n"
                           "_firebreak() {\n"
                           "    local word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} choices files=3\n"
                           "    [ \"$COMP_CWORD\" -gt 2 ] && [[ ${COMP_WORDS[2]} != -* ]] && command+=\" ${COMP_WORDS[2]}\"\n"
                           "    [ \"$COMP_CWORD\" -lt 2 ] && command=\n"
                           "    case $command in\n");
        cases(into);
        buf_add_text(into, "    esac\n");
        replay_cases("${COMP_WORDS[COMP_CWORD-1]}", "$word", into);
        group_cases("${COMP_WORDS[0]}", "${COMP_WORDS[COMP_CWORD-1]}", "$word", into);
        buf_add_text(into, "    [[ $word != -* && $COMP_CWORD -ge files ]] && { mapfile -t COMPREPLY < <(compgen -f -- \"$word\"); return; }\n"
                           "    mapfile -t COMPREPLY < <(compgen -W \"$choices\" -- \"$word\")\n"
                           "}\n"
                           "complete -o filenames -F _firebreak firebreak\n");
}

void completion_zsh(struct buf *into)
{
        buf_add_text(into, "#compdef firebreak\n"
                           "# zsh completion for firebreak; printed by `firebreak completion zsh`\n"
                           "_firebreak() {\n"
                           "    local command=$words[2] choices files=3\n"
                           "    (( CURRENT > 3 )) && [[ $words[3] != -* ]] && command+=\" $words[3]\"\n"
                           "    (( CURRENT < 3 )) && command=\n"
                           "    case $command in\n");
        cases(into);
        buf_add_text(into, "    esac\n");
        replay_cases("$words[CURRENT-1]", "$PREFIX", into);
        group_cases("$words[1]", "$words[CURRENT-1]", "$PREFIX", into);
        buf_add_text(into, "    if [[ $PREFIX != -* ]] && (( CURRENT > files )); then _files; else compadd -- ${=choices}; fi\n"
                           "}\n"
                           "compdef _firebreak firebreak\n");
}
