/* policy.h - a rollout's policy as operators write it (formats.md 5), defaults filled in. */
#pragma once

#include "format/json.h"
#include "format/calendar.h"
#include "rollout/rollout.h"

/* NULL: all defaults. ERR_SYNTAX names the field. Whether the values make sense together, rollout_new() says. */
MUST_CHECK enum err policy_read(const struct json *json, struct rollout_policy *ret_policy, struct why *why);
/* Its freeze windows; ERR_USAGE names the one that is none. Whether their zones exist, freeze_check() says. */
MUST_CHECK enum err policy_read_freeze(const struct json *json, struct calendar *ret_calendar, struct why *why);
/* Over how long devices go back when it is withdrawn. */
MUST_CHECK enum err policy_read_rollback(const struct json *json, int64_t *ret_rollback_s, struct why *why);
struct json *policy_json(const struct rollout_policy *policy, const struct calendar *freeze, int64_t rollback_s);
