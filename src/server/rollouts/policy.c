#include "server/rollouts/policy.h"

#include <stddef.h>

#define FIELD(name) { #name, JSON_INT, false, offsetof(struct rollout_policy, name), 0, INT32_MAX }
static const struct json_field fields[] = {
        FIELD(budget), FIELD(bake_s), FIELD(gap_s), FIELD(gather_s), FIELD(alpha_ppm), FIELD(controls), FIELD(holdout_ppm), FIELD(cap_per_bake),
        FIELD(watch_s), FIELD(complete_ppm), FIELD(bound_silence),
};

enum err policy_read(const struct json *json, struct rollout_policy *ret_policy, struct why *why)
{
        struct rollout_policy policy = rollout_policy_default();
        enum err e = json ? JSON_READ(json, fields, &policy, why) : OK;
        if (e)
                return DURING(why, e, "policy");
        *ret_policy = policy;
        return OK;
}

struct json *policy_json(const struct rollout_policy *policy)
{
        struct json *json = json_new_object();
        for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
                json_set_int(json, fields[i].key, *(const int64_t *)((const char *)policy + fields[i].offset));
        return json;
}
