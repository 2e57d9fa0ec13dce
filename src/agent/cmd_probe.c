#include "agent/command.h"
#include "agent/probe.h"

#include <stdlib.h>
#include <string.h>

enum err cmd_probe(const struct command_line *line, struct why *why)
{
        size_t digits = strspn(line->number, "0123456789");
        if (line->number[digits] || digits > 2)
                return FAIL(why, ERR_USAGE, "--number %s: a number from 0", line->number);
        const struct probe_of of = {
                .config_path = line->config, .stream = line->stream, .number = (size_t)strtoul(line->number, NULL, 10), .was = line->was,
                .is_before = line->is_before,
        };
        return probe_main(&of, why);
}
