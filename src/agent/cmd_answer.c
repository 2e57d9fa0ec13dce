/* The child that engines ask: standard input is its channel to the supervisor. */
#include "agent/answer.h"
#include "agent/command.h"
#include "agent/platform_index.h"
#include "platform/system.h"

enum err cmd_answer(const struct command_line *line, struct why *why)
{
        OWN(agent_config) struct agent_config *config = NULL;
        enum err e = agent_config_open(line->config, &config, why);
        if (e)
                return e;
        const struct agent_stream_config *stream = line->stream ? agent_config_find(config, line->stream) : NULL;
        if (!stream || !stream->breaker.socket)
                return FAIL(why, ERR_USAGE, "answer needs --stream NAME, of one that has a breaker");
        return answer_main(&(struct answer_setup){ line->config, config, stream, system_has(SYSTEM_PACKAGES) ? platform_database : NULL }, why);
}
