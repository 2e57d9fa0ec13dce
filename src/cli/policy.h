/* policy.h - a rollout's policy: from a YAML file, with options that win over it. */
#pragma once

#include "base/err.h"
#include "cli/options.h"
#include "rollout/rollout.h"

struct json;

/* The policy object of docs/guide/formats.md 5, with only what was said; the server knows the defaults. */
MUST_CHECK enum err policy_read(const struct args *args, struct json **ret_policy, struct why *why);

/* The same, and what was not said as the rollout library has it. */
MUST_CHECK enum err policy_fill(const struct args *args, struct rollout_policy *ret_policy, struct why *why);

/* Over how long devices go back. */
MUST_CHECK enum err policy_fill_rollback(const struct args *args, int64_t *ret_rollback_s, struct why *why);

/* All of it, as the API has it. */
struct json *policy_json(const struct rollout_policy *policy, int64_t rollback_s);
