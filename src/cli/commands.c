#include "cli/commands.h"

#include "format/near.h"

#include <string.h>

#define OPTS(...) (const enum option_id[]){ __VA_ARGS__ OPTION_NONE }
#define ONLINE COMMAND_ONLINE
#define FACTS COMMAND_FACTS
#define PUBLIC COMMAND_PUBLIC
static const struct command commands[] = {
#define COMMAND(id, name, words, least, most, marks, own, about, examples) { name, words, least, most, marks, own, about, examples, cmd_##id },
#include "cli/commands.def"
#undef COMMAND
};
#undef OPTS
#undef ONLINE
#undef FACTS
#undef PUBLIC

size_t command_count(void)
{
        return sizeof(commands) / sizeof(commands[0]);
}

const struct command *command_at(size_t index)
{
        return &commands[index];
}

void command_options(const struct command *command, enum option_id ret_options[static OPTION_COUNT + 1])
{
        static const struct { enum option_id option; unsigned marks; } online[] = {
                { OPTION_SERVER, COMMAND_ONLINE | COMMAND_PUBLIC }, { OPTION_KEY_FILE, COMMAND_ONLINE }, { OPTION_CA, COMMAND_ONLINE | COMMAND_PUBLIC },
        };
        size_t count = 0;
        for (; command->own[count] != OPTION_NONE; count++)
                ret_options[count] = command->own[count];
        for (size_t i = 0; i < sizeof(online) / sizeof(online[0]); i++)
                if (command->marks & online[i].marks)
                        ret_options[count++] = online[i].option;
        if (command->marks & COMMAND_FACTS)
                ret_options[count++] = OPTION_JSON;
        ret_options[count++] = OPTION_HELP;
        ret_options[count] = OPTION_NONE;
}

static const struct command *find_exactly(const char *name)
{
        for (size_t i = 0; i < command_count(); i++)
                if (strcmp(commands[i].name, name) == 0)
                        return &commands[i];
        return NULL;
}

static bool is_group(const char *word)
{
        size_t length = strlen(word);
        for (size_t i = 0; i < command_count(); i++)
                if (strncmp(commands[i].name, word, length) == 0 && commands[i].name[length] == ' ')
                        return true;
        return false;
}

/* Nearest of all names, else of all first words: "rolout start" and "rolout" both lead somewhere. */
static enum err unknown_command(const char *name, const char *first, struct why *why)
{
        struct near near = { .word = name }, near_first = { .word = first };
        char groups[sizeof(commands) / sizeof(commands[0])][32];
        for (size_t i = 0; i < command_count(); i++) {
                snprintf(groups[i], sizeof(groups[i]), "%.*s", (int)strcspn(commands[i].name, " "), commands[i].name);
                near_consider(&near, commands[i].name);
                near_consider(&near_first, groups[i]);
        }
        const char *best = near.best ? near.best : near_first.best;
        if (best)
                return FAIL(why, ERR_USAGE, "no command `%.60s`; did you mean `firebreak %s`?", near.best ? name : first, best);
        return FAIL(why, ERR_USAGE, "no command `%.60s`; `firebreak help` lists those there are", first);
}

enum err command_find(int count, char *const *words, const struct command **ret_command, int *ret_used, struct why *why)
{
        char name[128] = "";
        if (!count)
                return FAIL(why, ERR_USAGE, "no command; `firebreak help` lists those there are");
        const struct command *found = find_exactly(words[0]);
        int used = 1;
        snprintf(name, sizeof(name), "%.60s", words[0]);
        if (!found && count > 1 && words[1][0] != '-') {
                snprintf(name, sizeof(name), "%.60s %.60s", words[0], words[1]);
                found = find_exactly(name);
                used = 2;
        }
        if (!found && is_group(words[0]) && (count == 1 || words[1][0] == '-'))
                return FAIL(why, ERR_USAGE, "`%.60s` is several commands; `firebreak help %.60s` lists them", words[0], words[0]);
        if (!found)
                return unknown_command(name, words[0], why);
        *ret_command = found;
        *ret_used = used;
        return OK;
}
