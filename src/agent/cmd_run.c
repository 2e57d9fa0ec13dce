#include "agent/agent.h"
#include "agent/command.h"
#include "agent/keep.h"
#include "agent/verify.h"

enum err cmd_run(const struct command_line *line, struct why *why)
{
        return line->handed ? agent_run(line->config, line->units, line->handed, why) : keep_run(line->config, line->units, why);
}

enum err cmd_verify(const struct command_line *line, struct why *why)
{
        (void)line;
        return verify_main(why);
}
