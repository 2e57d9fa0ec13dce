#include "cli/policy.h"

#include "base/limits.h"
#include "format/json.h"
#include "format/yaml.h"
#include "platform/file.h"

/* Ranges are those of the options; the file counts in seconds and parts per million, as the API does. */
static const struct {
        const char *key;
        enum option_id option;
} rows[] = {
        { "budget", OPTION_BUDGET },     { "bake_s", OPTION_BAKE },         { "gap_s", OPTION_GAP },          { "gather_s", OPTION_GATHER },
        { "alpha_ppm", OPTION_ALPHA },   { "controls", OPTION_CONTROLS },   { "holdout_ppm", OPTION_HOLDOUT }, { "cap_per_bake", OPTION_CAP },
        { "watch_s", OPTION_WATCH },     { "complete_ppm", OPTION_COMPLETE }, { "bound_silence", OPTION_BOUND_SILENCE },
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

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

enum err policy_read(const struct args *args, struct json **ret_policy, struct why *why)
{
        enum { NOT_SAID = -1 };
        int64_t values[ROWS];
        for (size_t i = 0; i < ROWS; i++)
                values[i] = NOT_SAID;
        enum err e = arg_has(args, OPTION_POLICY) ? read_file(arg_text(args, OPTION_POLICY, NULL), values, why) : OK;
        if (e)
                return e;
        OWN(json) struct json *policy = json_new_object();
        for (size_t i = 0; i < ROWS; i++) {
                int64_t value = arg_int(args, rows[i].option, values[i]);
                if (value != NOT_SAID)
                        json_set_int(policy, rows[i].key, value);
        }
        if (!json_is_whole(policy))
                return FAIL(why, ERR_NOMEM, "the policy");
        *ret_policy = GIVE(policy);
        return OK;
}
