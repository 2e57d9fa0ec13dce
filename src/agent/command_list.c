#include "agent/command_list.h"

#include "format/near.h"
#include "platform/system.h"

#include <string.h>

const struct command command_list[] = {
#define COMMAND(name, run, takes, line, example) { name, run, takes, line, example },
#include "agent/commands.def"
#undef COMMAND
        { .name = NULL },
};

const struct option option_list[] = {
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
        TEXT("handed", "N", handed, "open file: said by an agent that goes on as this one, or by its keeper"),
        TEXT("config-path", "FILE", config_path, "where the configuration lies, when --config is a copy of it"),
        TEXT("number", "N", number, "of a probe of the stream, from 0"),
        TEXT("was", "WORD", was, "what it was before the trial"),
        TEXT("before", NULL, is_before, "judge nothing, say what it is"),
        TEXT("socket", "PATH", socket, "the breaker's, instead of the configuration"),
        TEXT("log", "FILE", log, "of the service; default agent.log in the state folder"),
        TEXT("json", NULL, is_json, "for programs"),
        TEXT("suspend", NULL, is_suspend, "it sleeps"),
        TEXT("shutdown", NULL, is_shutdown, "it is shut down"),
        TEXT("reboot", NULL, is_reboot, "it starts anew"),
        TEXT("stopping", NULL, is_stopping, "whichever of these two systemd is about to do; if neither, say nothing"),
        TEXT("back-in", "SECONDS", back_in, "when it expects to be back; default 600 of a reboot, else it does not know"),
        TEXT("to", "good|factory|safe", to, "how far back; default good"),
        TEXT("undo", NULL, is_undo, "put the last recovery back, if the device has not run since"),
        TEXT("dry-run", NULL, is_dry, "say what would be done, change nothing"),
#undef TEXT
        { .name = NULL },
};

const struct command *command_find(const char *name)
{
        for (const struct command *command = command_list; command->name; command++)
                if (strcmp(command->name, name) == 0)
                        return command;
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

bool command_takes(const struct command *command, const char *name)
{
        return find_taken(command, name);
}

bool command_needs(const struct command *command, const char *name)
{
        const char *word = find_taken(command, name);
        return word && word[strlen(name)] == '!';
}

bool command_is_shown(const struct command *command)
{
        return !command_takes(command, "inner") && (!command_takes(command, "services") || system_has(SYSTEM_SERVICES));
}

const struct option *command_option(const struct command *command, const char *name, size_t length)
{
        for (const struct option *option = option_list; option->name; option++)
                if (strlen(option->name) == length && memcmp(option->name, name, length) == 0 && command_takes(command, option->name))
                        return option;
        return NULL;
}

enum err command_unknown(const char *name, struct why *why)
{
        struct near near = { .word = name };
        for (const struct command *command = command_list; command->name; command++)
                if (command_is_shown(command))
                        near_consider(&near, command->name);
        if (near.best)
                return FAIL(why, ERR_USAGE, "no command `%.60s`; did you mean `firebreak-agent %s`?", name, near.best);
        return FAIL(why, ERR_USAGE, "no command `%.60s`; `firebreak-agent help` lists those there are", name);
}
