#include "agent/policy_facts.h"

#include "base/buf.h"
#include "base/own.h"
#include "platform/file.h"
#include "platform/paths.h"
#include "platform/zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_BYTES_MAX = 64, AHEAD_S = 64 * 86400 };      /* ahead: a weekly window's next edge, over any change of the clock */

/* The first word of a small file; false: there is none. */
static bool read_word(const char *path, char word[FILE_BYTES_MAX])
{
        OWN(buf) struct buf text;
        struct why why;
        buf_init(&text, 4096);           /* of sysfs a page */
        if (file_read_regular(path, &text, &why))
                return false;
        return sscanf(buf_text(&text), "%63s", word) == 1;
}

static enum policy_known look_at_metered(const char *path)
{
        char word[FILE_BYTES_MAX] = "";
        if (!path || !read_word(path, word))
                return POLICY_UNKNOWN;
        return strcmp(word, "yes") == 0 ? POLICY_YES : strcmp(word, "no") == 0 ? POLICY_NO : POLICY_UNKNOWN;
}

struct power { bool has_battery, has_supply, is_supplied, is_charging, is_drained; int charge; };

static bool read_of(const char *folder, const char *name, char word[FILE_BYTES_MAX])
{
        char path[1024];
        return snprintf(path, sizeof(path), "%s/%s", folder, name) < (int)sizeof(path) && read_word(path, word);
}

/* Not that of a mouse. */
static void see_battery(struct power *power, const char *folder)
{
        char word[FILE_BYTES_MAX] = "";
        if (read_of(folder, "scope", word) && strcmp(word, "Device") == 0)
                return;
        power->has_battery = true;
        if (read_of(folder, "capacity", word)) {
                char *end = word;
                long percent = strtol(word, &end, 10);
                if (!*end && percent >= 0 && percent <= 100 && (power->charge == POLICY_NO_CHARGE || percent < power->charge))
                        power->charge = (int)percent;
        }
        if (read_of(folder, "status", word)) {
                power->is_drained |= strcmp(word, "Discharging") == 0;
                power->is_charging |= strcmp(word, "Charging") == 0 || strcmp(word, "Full") == 0 || strcmp(word, "Not") == 0;
        }
}

static enum err see_supply(void *user, const char *path, struct why *why)
{
        struct power *power = user;
        char folder[1024], word[FILE_BYTES_MAX] = "";
        (void)why;
        snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(path, '/') - path), path);
        if (!read_word(path, word))
                return OK;
        if (strcmp(word, "Battery") == 0) {
                see_battery(power, folder);
        } else if (read_of(folder, "online", word)) {
                power->has_supply = true;
                power->is_supplied |= strcmp(word, "1") == 0;
        }
        return OK;
}

/* A machine without a battery runs, so it is on mains. */
static enum policy_known is_on_mains(const struct power *power)
{
        if (!power->has_battery || power->is_supplied)
                return POLICY_YES;
        if (power->has_supply || power->is_drained)
                return POLICY_NO;
        return power->is_charging ? POLICY_YES : POLICY_UNKNOWN;
}

static void look_at_power(const char *folder, struct policy_machine *machine)
{
        char pattern[512];
        struct power power = { .charge = POLICY_NO_CHARGE };
        struct why why;
        if (file_kind(folder) != FILE_FOLDER || snprintf(pattern, sizeof(pattern), "%s/*/type", folder) >= (int)sizeof(pattern))
                return;
        if (paths_like(pattern, see_supply, &power, &why))
                return;
        machine->on_mains = is_on_mains(&power);
        machine->charge = power.charge;
}

/* A zone that cannot be read counts as UTC. */
static void look_at_zone(const struct calendar_window *window, int64_t now_s, struct utc_shift shifts[POLICY_SHIFTS_MAX], struct calendar_zone *ret_zone)
{
        size_t count = 0;
        struct why why;
        if (calendar_is_of_devices(window))
                zone_local_shifts(now_s, now_s + AHEAD_S, POLICY_SHIFTS_MAX, shifts, &count);
        else if (zone_shifts(window->zone, now_s, now_s + AHEAD_S, POLICY_SHIFTS_MAX, shifts, &count, &why))
                count = 0;
        *ret_zone = (struct calendar_zone){ shifts, count };
}

void policy_look(const struct agent_policy *policy, int64_t now_s, struct policy_machine *ret_machine)
{
        *ret_machine = (struct policy_machine){ .charge = POLICY_NO_CHARGE };
        const struct policy *rules = &policy->rules;
        if (rules->holds_metered)
                ret_machine->is_metered = look_at_metered(policy->metered_file);
        if (rules->needs_mains || rules->battery_least)
                look_at_power(policy->battery.folder, ret_machine);
        for (size_t i = 0; i < rules->windows.count; i++)
                look_at_zone(&rules->windows.windows[i], now_s, ret_machine->shifts[i], &ret_machine->zones[i]);
}

struct policy_facts policy_facts(const struct policy_machine *machine, int64_t now_s)
{
        return (struct policy_facts){ .now_s = now_s, .zones = machine->zones, .is_metered = machine->is_metered, .on_mains = machine->on_mains, .charge = machine->charge };
}
