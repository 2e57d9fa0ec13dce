#include "agent/agent.h"
#include "agent/command.h"
#include "agent/verify.h"

enum err cmd_run(const struct command_line *line, struct why *why)
{
        return agent_run(line->config, line->units, line->handed, why);
}

enum err cmd_verify(const struct command_line *line, struct why *why)
{
        (void)line;
        return verify_main(why);
}
