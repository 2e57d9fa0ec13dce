#include "server/rollouts/policy.h"

#include "base/limits.h"
#include "trust/withdrawal.h"

#include <stddef.h>

struct form { struct rollout_policy rules; const struct json *freeze; int64_t rollback_s; };

#define FIELD(name) { #name, JSON_INT, false, offsetof(struct form, rules.name), 0, INT32_MAX }
static const struct json_field fields[] = {
        FIELD(budget), FIELD(bake_s), FIELD(gap_s), FIELD(gather_s), FIELD(alpha_ppm), FIELD(controls), FIELD(holdout_ppm), FIELD(cap_per_bake),
        FIELD(watch_s), FIELD(complete_ppm), FIELD(bound_silence),
        { "rollback_s", JSON_INT, false, offsetof(struct form, rollback_s), 0, LIMIT_ROLL_BACK_S }, { "freeze", JSON_ARRAY, false, offsetof(struct form, freeze), 0, CALENDAR_WINDOWS_MAX },
};

static enum err read_form(const struct json *json, struct form *ret_form, struct why *why)
{
        *ret_form = (struct form){ .rules = rollout_policy_default(), .rollback_s = WITHDRAWAL_OVER_S };
        enum err e = json ? JSON_READ(json, fields, ret_form, why) : OK;
        return e ? DURING(why, e, "policy") : OK;
}

enum err policy_read(const struct json *json, struct rollout_policy *ret_policy, struct why *why)
{
        struct form form;
        enum err e = read_form(json, &form, why);
        if (!e)
                *ret_policy = form.rules;
        return e;
}

enum err policy_read_freeze(const struct json *json, struct calendar *ret_calendar, struct why *why)
{
        struct form form;
        struct calendar calendar = { 0 };
        enum err e = read_form(json, &form, why);
        for (size_t i = 0; i < json_count(form.freeze) && !e; i++) {
                const char *text = json_text(json_at(form.freeze, i));
                e = text ? calendar_add(&calendar, text, why) : FAIL(why, ERR_SYNTAX, "freeze[%zu] is no text", i);
                if (e)
                        return DURING(why, e, "policy");
        }
        if (!e)
                *ret_calendar = calendar;
        return e;
}

enum err policy_read_rollback(const struct json *json, int64_t *ret_rollback_s, struct why *why)
{
        struct form form;
        enum err e = read_form(json, &form, why);
        if (!e)
                *ret_rollback_s = form.rollback_s;
        return e;
}

struct json *policy_json(const struct rollout_policy *policy, const struct calendar *freeze, int64_t rollback_s)
{
        const struct form form = { .rules = *policy, .rollback_s = rollback_s };
        struct json *json = json_new_object(), *windows = json_new_array();
        for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
                if (fields[i].type == JSON_INT)
                        json_set_int(json, fields[i].key, *(const int64_t *)(const void *)((const char *)&form + fields[i].offset));
        for (size_t i = 0; i < freeze->count; i++) {
                char text[CALENDAR_TEXT_BYTES];
                calendar_print(&freeze->windows[i], text);
                json_add(windows, json_new_text(text));
        }
        json_set(json, "freeze", windows);
        return json;
}
