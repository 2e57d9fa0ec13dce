#include "cli/policy.h"

#include "base/limits.h"
#include "format/json.h"
#include "format/yaml.h"
#include "platform/file.h"

#include <stddef.h>
#include <string.h>

#define ROW(key, option) { #key, OPTION_##option, offsetof(struct rollout_policy, key) }
/* Ranges are those of the options; the file counts in seconds and parts per million, as the API does. */
static const struct {
        const char *key;
        enum option_id option;
        size_t offset;
} rows[] = {
        ROW(budget, BUDGET),     ROW(bake_s, BAKE),           ROW(gap_s, GAP),            ROW(gather_s, GATHER), ROW(alpha_ppm, ALPHA),
        ROW(controls, CONTROLS), ROW(holdout_ppm, HOLDOUT),   ROW(cap_per_bake, CAP),     ROW(watch_s, WATCH),   ROW(complete_ppm, COMPLETE),
        ROW(bound_silence, BOUND_SILENCE),
};
#undef ROW
enum { ROWS = sizeof(rows) / sizeof(rows[0]), NOT_SAID = -1 };

static enum err read_file(const char *path, int64_t *values, struct why *why)
{
        struct yaml_key keys[ROWS];
        for (size_t i = 0; i < ROWS; i++) {
                const struct option *option = option_info(rows[i].option);
                keys[i] = (struct yaml_key){ rows[i].key, YAML_INT, false, i * sizeof(int64_t), option->min, option->max, NULL };
        }
        const struct yaml_schema schema = { keys, ROWS, ROWS * sizeof(int64_t) };
        OWN(arena) struct arena *arena = arena_new(LIMIT_YAML_BYTES);
        OWN(buf) struct buf text;
        buf_init(&text, LIMIT_YAML_BYTES);
        if (!arena)
                return FAIL(why, ERR_NOMEM, "reading %.150s", path);
        enum err e = file_read(path, &text, why);
        return e ? e : yaml_read(arena, path, buf_text(&text), text.length, &schema, values, why);
}

static enum err read_values(const struct args *args, int64_t values[static ROWS], struct why *why)
{
        for (size_t i = 0; i < ROWS; i++)
                values[i] = NOT_SAID;
        enum err e = arg_has(args, OPTION_POLICY) ? read_file(arg_text(args, OPTION_POLICY, NULL), values, why) : OK;
        for (size_t i = 0; !e && i < ROWS; i++)
                values[i] = arg_int(args, rows[i].option, values[i]);
        return e;
}

enum err policy_read(const struct args *args, struct json **ret_policy, struct why *why)
{
        int64_t values[ROWS];
        enum err e = read_values(args, values, why);
        if (e)
                return e;
        OWN(json) struct json *policy = json_new_object();
        for (size_t i = 0; i < ROWS; i++)
                if (values[i] != NOT_SAID)
                        json_set_int(policy, rows[i].key, values[i]);
        if (!json_is_whole(policy))
                return FAIL(why, ERR_NOMEM, "the policy");
        *ret_policy = GIVE(policy);
        return OK;
}

enum err policy_fill(const struct args *args, struct rollout_policy *ret_policy, struct why *why)
{
        int64_t values[ROWS];
        struct rollout_policy policy = rollout_policy_default();
        enum err e = read_values(args, values, why);
        for (size_t i = 0; !e && i < ROWS; i++)
                if (values[i] != NOT_SAID)
                        memcpy((char *)&policy + rows[i].offset, &values[i], sizeof(values[i]));
        if (!e)
                *ret_policy = policy;
        return e;
}
