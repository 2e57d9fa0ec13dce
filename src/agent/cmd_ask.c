/* What an engine that is a script asks; the C call is ask/firebreak-ask.h. */
#include "agent/command.h"
#include "agent/config.h"
#include "ask/firebreak-ask.h"
#include "base/buf.h"
#include "format/json.h"
#include "platform/paths.h"

#include <string.h>

enum { TIMEOUT_MS = 5000 };

/* Of the stream that was named, or of the only one that has a breaker. */
static enum err find_socket(const struct agent_config *config, const char *name, const char **ret_socket, struct why *why)
{
        const struct agent_stream_config *found = NULL;
        for (size_t i = 0; i < config->streams.count; i++) {
                const struct agent_stream_config *stream = agent_config_stream(config, i);
                bool is_meant = stream->breaker.socket && (!name || strcmp(stream->name, name) == 0);
                if (is_meant && found)
                        return FAIL(why, ERR_USAGE, "more than one stream has a breaker: name one, --stream NAME");
                found = is_meant ? stream : found;
        }
        if (!found)
                return FAIL(why, ERR_NOT_FOUND, "%s%s has no breaker in this configuration", name ? "stream " : "no stream", name ? name : "");
        *ret_socket = found->breaker.socket;
        return OK;
}

static enum err print(const struct command_line *line, const char *word, const char *reason, struct why *why)
{
        if (!line->is_json) {
                printf("%s%s%s\n", word, reason[0] ? ": " : "", reason);
                return OK;
        }
        OWN(json) struct json *json = json_new_object();
        OWN(buf) struct buf text;
        buf_init(&text, LIMIT_DEVICE_REQUEST_BYTES);
        json_set_text(json, "answer", word);
        json_set_text(json, "reason", reason);
        enum err e = json_write(json, 2, &text, why);
        if (!e)
                puts(buf_text(&text));
        return e;
}

static enum err ask(const struct command_line *line, const char *socket, struct why *why)
{
        static const struct { const char *word; enum err e; } known[] = {
                [FIREBREAK_NO_ANSWER] = { "no answer", ERR_UNAVAILABLE }, [FIREBREAK_DENY] = { "deny", ERR_REFUSED }, [FIREBREAK_ALLOW] = { "allow", OK },
        };
        char reason[FIREBREAK_REASON_BYTES];
        enum firebreak_answer answer = firebreak_ask(socket, line->action, line->path, TIMEOUT_MS, reason, sizeof(reason));
        enum err e = print(line, known[answer].word, reason, why);
        if (!e && known[answer].e)
                e = FAIL(why, known[answer].e, "%s %s: %s", line->action, line->path, reason);
        return e;
}

enum err cmd_ask(const struct command_line *line, struct why *why)
{
        OWN(agent_config) struct agent_config *config = NULL;
        const char *socket = line->socket;
        if (!line->action || !line->path)
                return FAIL(why, ERR_USAGE, "ask needs an action and a path: ask quarantine /srv/x");
        if (!paths_is_absolute(line->path))
                return FAIL(why, ERR_USAGE, "`%s` is no absolute path", line->path);
        if (!socket && !line->config)
                return FAIL(why, ERR_USAGE, "ask needs --config FILE, or --socket PATH");
        enum err e = socket ? OK : agent_config_open(line->config, &config, why);
        if (!e && !socket)
                e = find_socket(config, line->stream, &socket, why);
        return e ? e : ask(line, socket, why);
}
