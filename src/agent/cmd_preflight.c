#include "agent/command.h"
#include "agent/preflight.h"

#include <string.h>

enum err cmd_preflight(const struct command_line *line, struct why *why)
{
        if (!line->stream || !line->slot || (strcmp(line->slot, "a") != 0 && strcmp(line->slot, "b") != 0))
                return FAIL(why, ERR_USAGE, "preflight needs --stream NAME and --slot a or b");
        return preflight_main(&(struct preflight_of){ line->config, line->config_path ? line->config_path : line->config, line->stream, 0, line->slot[0] == 'a' ? SLOT_A : SLOT_B, NULL }, why);
}
