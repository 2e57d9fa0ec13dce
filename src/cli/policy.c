#include "cli/policy.h"

#include "base/limits.h"
#include "format/json.h"
#include "format/yaml.h"
#include "platform/file.h"
#include "format/calendar.h"
#include "trust/withdrawal.h"

#include <stddef.h>
#include <string.h>

enum { NOT_OF_RULES = -1 };                     /* the server's alone: the rollout library does not know it */

#define ROW(key, option) { #key, OPTION_##option, (int)offsetof(struct rollout_policy, key) }
/* Ranges are those of the options; the file counts in seconds and parts per million, as the API does. */
static const struct {
        const char *key;
        enum option_id option;
        int offset;
} rows[] = {
        ROW(budget, BUDGET),     ROW(bake_s, BAKE),           ROW(gap_s, GAP),            ROW(gather_s, GATHER), ROW(alpha_ppm, ALPHA),
        ROW(controls, CONTROLS), ROW(holdout_ppm, HOLDOUT),   ROW(cap_per_bake, CAP),     ROW(watch_s, WATCH),   ROW(complete_ppm, COMPLETE),
        ROW(bound_silence, BOUND_SILENCE), { "rollback_s", OPTION_ROLLBACK, NOT_OF_RULES },
};
#undef ROW
enum { ROWS = sizeof(rows) / sizeof(rows[0]), NOT_SAID = -1 };

struct said {
        int64_t values[ROWS];
        struct yaml_texts windows;              /* in the arena */
        struct arena *arena;
};

static void said_release(struct said *said) { arena_free(said->arena); }

static enum err read_file(const char *path, struct said *said, struct why *why)
{
        struct yaml_key keys[ROWS + 1];
        for (size_t i = 0; i < ROWS; i++) {
                const struct option *option = option_info(rows[i].option);
                keys[i] = (struct yaml_key){ rows[i].key, YAML_INT, false, i * sizeof(int64_t), option->min, option->max, NULL };
        }
        keys[ROWS] = (struct yaml_key){ "freeze", YAML_TEXTS, false, offsetof(struct said, windows), 0, CALENDAR_WINDOWS_MAX, NULL };
        const struct yaml_schema schema = { keys, ROWS + 1, sizeof(struct said) };
        OWN(buf) struct buf text;
        buf_init(&text, LIMIT_YAML_BYTES);
        said->arena = arena_new(LIMIT_YAML_BYTES);
        if (!said->arena)
                return FAIL(why, ERR_NOMEM, "reading %.150s", path);
        enum err e = file_read(path, &text, why);
        return e ? e : yaml_read(said->arena, path, buf_text(&text), text.length, &schema, said, why);
}

static enum err read_said(const struct args *args, struct said *said, struct why *why)
{
        for (size_t i = 0; i < ROWS; i++)
                said->values[i] = NOT_SAID;
        enum err e = arg_has(args, OPTION_POLICY) ? read_file(arg_text(args, OPTION_POLICY, NULL), said, why) : OK;
        for (size_t i = 0; !e && i < ROWS; i++)
                said->values[i] = arg_int(args, rows[i].option, said->values[i]);
        return e;
}

/* The windows of an option: one, or several with commas between them. */
static enum err add_windows(const char *list, struct calendar *calendar, struct why *why)
{
        enum err e = OK;
        while (*list && !e) {
                char text[CALENDAR_TEXT_BYTES];
                size_t length = strcspn(list, ",");
                if (length >= sizeof(text))
                        return FAIL(why, ERR_USAGE, "freeze window `%.60s...` is too long", list);
                memcpy(text, list, length);
                text[length] = '\0';
                e = calendar_add(calendar, text, why);
                list += length + (list[length] == ',');
        }
        return e;
}

/* As with all options, those that are given win over the file. Whether a zone exists, the server knows. */
static enum err read_windows(const struct args *args, const struct said *said, struct calendar *calendar, struct why *why)
{
        const struct arg *given = &args->of[OPTION_FREEZE];
        enum err e = OK;
        for (size_t i = 0; i < given->count && !e; i++)
                e = add_windows(given->texts[i], calendar, why);
        for (size_t i = 0; !given->count && i < said->windows.count && !e; i++)
                e = calendar_add(calendar, said->windows.items[i], why);
        return e;
}

static void set_windows(struct json *policy, const struct calendar *calendar)
{
        struct json *windows = json_new_array();
        for (size_t i = 0; i < calendar->count; i++) {
                char text[CALENDAR_TEXT_BYTES];
                calendar_print(&calendar->windows[i], text);
                json_add(windows, json_new_text(text));
        }
        json_set(policy, "freeze", windows);
}

enum err policy_read(const struct args *args, struct json **ret_policy, struct why *why)
{
        OWN(said) struct said said = { .arena = NULL };
        struct calendar calendar = { 0 };
        enum err e = read_said(args, &said, why);
        if (!e)
                e = read_windows(args, &said, &calendar, why);
        if (e)
                return e;
        OWN(json) struct json *policy = json_new_object();
        for (size_t i = 0; i < ROWS; i++)
                if (said.values[i] != NOT_SAID)
                        json_set_int(policy, rows[i].key, said.values[i]);
        if (calendar.count)
                set_windows(policy, &calendar);
        if (!json_is_whole(policy))
                return FAIL(why, ERR_NOMEM, "the policy");
        *ret_policy = GIVE(policy);
        return OK;
}

enum err policy_fill(const struct args *args, struct rollout_policy *ret_policy, struct why *why)
{
        OWN(said) struct said said = { .arena = NULL };
        struct rollout_policy policy = rollout_policy_default();
        enum err e = read_said(args, &said, why);
        for (size_t i = 0; !e && i < ROWS; i++)
                if (said.values[i] != NOT_SAID && rows[i].offset != NOT_OF_RULES)
                        memcpy((char *)&policy + rows[i].offset, &said.values[i], sizeof(said.values[i]));
        if (!e)
                *ret_policy = policy;
        return e;
}

enum err policy_fill_rollback(const struct args *args, int64_t *ret_rollback_s, struct why *why)
{
        OWN(said) struct said said = { .arena = NULL };
        enum err e = read_said(args, &said, why);
        *ret_rollback_s = WITHDRAWAL_OVER_S;
        for (size_t i = 0; !e && i < ROWS; i++)
                if (said.values[i] != NOT_SAID && rows[i].option == OPTION_ROLLBACK)
                        *ret_rollback_s = said.values[i];
        return e;
}

struct json *policy_json(const struct rollout_policy *policy, int64_t rollback_s)
{
        struct json *json = json_new_object();
        for (size_t i = 0; i < ROWS; i++) {
                int64_t value = rollback_s;
                if (rows[i].offset != NOT_OF_RULES)
                        memcpy(&value, (const char *)policy + rows[i].offset, sizeof(value));
                json_set_int(json, rows[i].key, value);
        }
        return json;
}
