/* config_policy.h - `policy` of agent.yaml, for the device and for one stream: read, checked, and made a struct policy. */
#pragma once

#include "agent/policy.h"
#include "base/err.h"
#include "format/yaml.h"

struct agent_window { struct yaml_texts days; const char *from, *to, *zone; };
struct agent_battery { int64_t at_least; bool on_mains; const char *folder; };
struct agent_policy {
        int64_t pin, behind;
        bool freeze;
        const char *freeze_until, *metered, *metered_file;
        struct yaml_maps windows;        /* of struct agent_window */
        struct agent_battery battery;
        bool is_given;                   /* the file says something */
        struct policy rules;             /* the same, understood */
};
extern const struct yaml_schema agent_policy_schema;

/* Fills in `is_given` and `rules`. ERR_SYNTAX, ERR_LIMIT. */
MUST_CHECK enum err agent_policy_settle(struct agent_policy *policy, struct why *why);
