#include "agent/config_policy.h"

#include "base/limits.h"
#include "platform/zone.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define KEYS(table) .keys = (table), .key_count = sizeof(table) / sizeof((table)[0])
#define AT(type, field) .offset = offsetof(struct type, field)

enum { DAYS = 7, TIME_BYTES = 5, DATE_BYTES = 20 };

static const struct yaml_key window_keys[] = {
        { .key = "days", .type = YAML_TEXTS, AT(agent_window, days), .min = 1, .max = DAYS },
        { .key = "from", .type = YAML_TEXT, .required = true, AT(agent_window, from), .min = TIME_BYTES, .max = TIME_BYTES },
        { .key = "to", .type = YAML_TEXT, .required = true, AT(agent_window, to), .min = TIME_BYTES, .max = TIME_BYTES },
        { .key = "zone", .type = YAML_TEXT, AT(agent_window, zone), .min = 1, .max = LIMIT_NAME_BYTES - 1 },
};
static const struct yaml_schema window_schema = { KEYS(window_keys), .item_size = sizeof(struct agent_window) };

static const struct yaml_key battery_keys[] = {
        { .key = "at_least", .type = YAML_INT, AT(agent_battery, at_least), .min = 1, .max = 100 },
        { .key = "on_mains", .type = YAML_BOOL, AT(agent_battery, on_mains) },
        { .key = "folder", .type = YAML_TEXT, AT(agent_battery, folder), .min = 1, .max = LIMIT_PATH_BYTES },
};
static const struct yaml_schema battery_schema = { KEYS(battery_keys), .item_size = sizeof(struct agent_battery) };

static const struct yaml_key policy_keys[] = {
        { .key = "pin", .type = YAML_INT, AT(agent_policy, pin), .min = 1, .max = INT64_MAX },
        { .key = "behind", .type = YAML_INT, AT(agent_policy, behind), .min = 1, .max = 1 },
        { .key = "freeze", .type = YAML_BOOL, AT(agent_policy, freeze) },
        { .key = "freeze_until", .type = YAML_TEXT, AT(agent_policy, freeze_until), .min = DATE_BYTES, .max = DATE_BYTES },
        { .key = "windows", .type = YAML_MAPS, AT(agent_policy, windows), .min = 1, .max = CALENDAR_WINDOWS_MAX, .schema = &window_schema },
        { .key = "metered", .type = YAML_TEXT, AT(agent_policy, metered), .min = 1, .max = 8 },
        { .key = "metered_file", .type = YAML_TEXT, AT(agent_policy, metered_file), .min = 1, .max = LIMIT_PATH_BYTES },
        { .key = "battery", .type = YAML_MAP, AT(agent_policy, battery), .schema = &battery_schema },
};
const struct yaml_schema agent_policy_schema = { KEYS(policy_keys), .item_size = sizeof(struct agent_policy) };

static const char *const day_names[DAYS] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };

static enum err find_day(const char *name, unsigned *ret_day, struct why *why)
{
        unsigned day = 0;
        while (day < DAYS && strcmp(day_names[day], name) != 0)
                day++;
        if (day == DAYS)
                return FAIL(why, ERR_SYNTAX, "`%.16s` is no day: mon, tue, wed, thu, fri, sat or sun", name);
        *ret_day = day;
        return OK;
}

/* One that ends no later than it begins ends on the day after. */
static enum err add_day(const struct agent_window *window, const char *zone, unsigned day, struct calendar *calendar, struct why *why)
{
        char text[CALENDAR_TEXT_BYTES];
        const unsigned last = strcmp(window->to, window->from) > 0 ? day : (day + 1) % DAYS;
        snprintf(text, sizeof(text), "%s %s - %s %s %s", day_names[day], window->from, day_names[last], window->to, zone);
        struct why inner = { 0 };
        enum err e = calendar_add(calendar, text, &inner);
        if (e == ERR_LIMIT)
                return FAIL(why, e, "windows: more than %d, each day counted by itself", CALENDAR_WINDOWS_MAX);
        return e ? FAIL(why, ERR_SYNTAX, "windows: %s", inner.text) : OK;
}

static enum err add_window(const struct agent_window *window, struct calendar *calendar, struct why *why)
{
        const char *zone = !window->zone || strcmp(window->zone, "local") == 0 ? CALENDAR_DEVICE : window->zone;
        const size_t count = window->days.count ? window->days.count : DAYS;
        if (strcmp(window->from, window->to) == 0)
                return FAIL(why, ERR_SYNTAX, "windows: one from %s to %s; a whole day is from 00:00 to 24:00", window->from, window->to);
        enum err e = strcmp(zone, CALENDAR_DEVICE) == 0 || strcmp(zone, "UTC") == 0 ? OK : zone_check(zone, why);
        if (e)
                return DURING(why, ERR_SYNTAX, "windows");
        for (unsigned i = 0; i < count && !e; i++) {
                unsigned day = i;
                e = window->days.count ? find_day(window->days.items[i], &day, why) : OK;
                if (!e)
                        e = add_day(window, zone, day, calendar, why);
        }
        return e;
}

static enum err read_windows(struct agent_policy *policy, struct why *why)
{
        const struct agent_window *windows = policy->windows.items;
        enum err e = OK;
        for (size_t i = 0; i < policy->windows.count && !e; i++)
                e = add_window(&windows[i], &policy->rules.windows, why);
        return e;
}

/* 2026-12-27T06:00:00Z, and nothing like it. */
static enum err read_date(const char *text, int64_t *ret_s, struct why *why)
{
        struct utc utc = { 0 };
        char again[21] = "";
        int64_t at_s = 0;
        const int found = sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2dZ", &utc.year, &utc.month, &utc.day, &utc.hour, &utc.minute, &utc.second);
        if (found == 6 && utc_to_s(&utc, &at_s))
                utc_text_s(at_s, again);
        if (strcmp(again, text) != 0)
                return FAIL(why, ERR_SYNTAX, "`freeze_until: %s` is no moment; write it as 2026-12-27T06:00:00Z, in UTC", text);
        *ret_s = at_s;
        return OK;
}

static enum err check_metered(const struct agent_policy *policy, struct why *why)
{
        const char *word = policy->metered;
        if (word && strcmp(word, "hold") != 0 && strcmp(word, "allow") != 0)
                return FAIL(why, ERR_SYNTAX, "`metered: %s` is neither hold nor allow", word);
        if (word && strcmp(word, "hold") == 0 && !policy->metered_file)
                return FAIL(why, ERR_SYNTAX, "`metered: hold` needs metered_file: without it nobody tells whether the network is");
        if (policy->metered_file && policy->metered_file[0] != '/')
                return FAIL(why, ERR_SYNTAX, "`metered_file: %s` must be an absolute path", policy->metered_file);
        return OK;
}

static enum err check_others(const struct agent_policy *policy, struct why *why)
{
        if (policy->pin && policy->behind)
                return FAIL(why, ERR_SYNTAX, "`pin` and `behind`: it can be one of them");
        if (policy->freeze && policy->freeze_until)
                return FAIL(why, ERR_SYNTAX, "`freeze` and `freeze_until`: it can be one of them");
        if (policy->battery.folder && policy->battery.folder[0] != '/')
                return FAIL(why, ERR_SYNTAX, "`folder: %s` must be an absolute path", policy->battery.folder);
        if (policy->battery.folder && !policy->battery.at_least && !policy->battery.on_mains)
                return FAIL(why, ERR_SYNTAX, "battery: `folder` is of no use without at_least or on_mains");
        return check_metered(policy, why);
}

static bool is_given(const struct agent_policy *policy)
{
        return policy->pin || policy->behind || policy->freeze || policy->freeze_until || policy->metered || policy->windows.count
               || policy->battery.at_least || policy->battery.on_mains;
}

enum err agent_policy_settle(struct agent_policy *policy, struct why *why)
{
        struct policy *rules = &policy->rules;
        policy->is_given = is_given(policy);
        enum err e = check_others(policy, why);
        if (!e && policy->freeze_until)
                e = read_date(policy->freeze_until, &rules->frozen_until_s, why);
        if (!e)
                e = read_windows(policy, why);
        if (e)
                return DURING(why, e, "policy");
        rules->pin = (uint64_t)policy->pin;
        rules->is_behind = policy->behind;
        rules->is_frozen = policy->freeze;
        rules->holds_metered = policy->metered && strcmp(policy->metered, "hold") == 0;
        rules->battery_least = policy->battery.at_least;
        rules->needs_mains = policy->battery.on_mains;
        if (!policy->battery.folder)
                policy->battery.folder = "/sys/class/power_supply";
        return OK;
}
