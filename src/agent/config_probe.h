/* config_probe.h - the part of agent.yaml that says how a stream's engine is probed: `probes:`. For config.c alone. */
#pragma once

#include "agent/config.h"

extern const struct yaml_schema agent_probe_schema;      /* of one struct agent_probe */

/* Says of each its kind, and fills in what the file leaves out. Before the check: what has two kinds gets the first one. */
void agent_probes_settle(struct agent_stream_config *stream);
MUST_CHECK enum err agent_probes_check(const struct agent_stream_config *stream, struct why *why);
bool agent_is_unit(const char *name);            /* may systemd have a unit of that name? */
