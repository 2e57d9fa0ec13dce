#include "server/rollouts/freeze.h"

#include "base/mem.h"
#include "platform/zone.h"

#include <string.h>

/* shifts: the most that a zone has in CALENDAR_AHEAD_S are five: Morocco shifts four times a year. zones: IANA has under 600. */
enum { SHIFTS_MAX = 12, ZONES_MAX = 1000, DAY_S = 86400, NO_ZONE = -1 };

struct zone {
        char name[CALENDAR_ZONE_BYTES];
        struct utc_shift shifts[SHIFTS_MAX];
        size_t shift_count;
        int64_t read_s;                         /* 0: never */
        int64_t devices;
        bool is_lost;
        struct calendar_answer answer;          /* for its devices, at the last look */
};

struct freeze {
        struct calendar calendar;
        size_t zone_of[CALENDAR_WINDOWS_MAX];   /* of named windows */
        struct zone *zones;
        size_t zone_count, zone_room;
        int64_t looked_minute;
        struct freeze_answer answer;
};

static int find_zone(const struct freeze *freeze, const char *name)
{
        for (size_t i = 0; i < freeze->zone_count; i++)
                if (strcmp(freeze->zones[i].name, name) == 0)
                        return (int)i;
        return NO_ZONE;
}

static enum err add_zone(struct freeze *freeze, const char *name, size_t *ret_at, struct why *why)
{
        int found = find_zone(freeze, name);
        if (found == NO_ZONE && freeze->zone_count == freeze->zone_room) {
                size_t room = freeze->zone_room ? 2 * freeze->zone_room : 8;
                void *zones = mem_resize(freeze->zones, room * sizeof(*freeze->zones));
                if (!zones)
                        return FAIL(why, ERR_NOMEM, "out of memory for time zones");
                freeze->zones = zones;
                freeze->zone_room = room;
        }
        if (found == NO_ZONE) {
                found = (int)freeze->zone_count++;
                freeze->zones[found] = (struct zone){ .is_lost = false };
                snprintf(freeze->zones[found].name, sizeof(freeze->zones[found].name), "%s", name);
        }
        *ret_at = (size_t)found;
        return OK;
}

enum err freeze_open(const struct calendar *calendar, struct freeze **ret_freeze, struct why *why)
{
        OWN(freeze) struct freeze *freeze = mem_new(1, sizeof(*freeze));
        if (!freeze)
                return FAIL(why, ERR_NOMEM, "out of memory for freeze windows");
        freeze->calendar = *calendar;
        freeze->looked_minute = -1;
        enum err e = OK;
        for (size_t i = 0; i < calendar->count && !e; i++)
                if (!calendar_is_of_devices(&calendar->windows[i]))
                        e = add_zone(freeze, calendar->windows[i].zone, &freeze->zone_of[i], why);
        if (!e)
                *ret_freeze = GIVE(freeze);
        return e;
}

void freeze_close(struct freeze *freeze)
{
        if (!freeze)
                return;
        mem_free(freeze->zones);
        mem_free(freeze);
}

const struct calendar *freeze_calendar(const struct freeze *freeze) { return &freeze->calendar; }

enum err freeze_check(const struct calendar *calendar, struct why *why)
{
        enum err e = OK;
        for (size_t i = 0; i < calendar->count && !e; i++)
                if (!calendar_is_of_devices(&calendar->windows[i]))
                        e = zone_check(calendar->windows[i].zone, why);
        return e ? DURING(why, e, "policy: freeze") : OK;
}

/* Without windows in devices' own zones all devices are alike. */
static const char *zone_of_device(const struct freeze *freeze, const char *zone)
{
        bool is_known = zone && calendar_has_device_windows(&freeze->calendar) && (find_zone(freeze, zone) != NO_ZONE || zone_check(zone, NULL) == OK);
        return is_known && freeze->zone_count < ZONES_MAX ? zone : "UTC";
}

enum err freeze_add_device(struct freeze *freeze, const char *zone, uint16_t *ret_zone, struct why *why)
{
        size_t at = 0;
        enum err e = add_zone(freeze, zone_of_device(freeze, zone), &at, why);
        if (e)
                return e;
        freeze->zones[at].devices++;
        *ret_zone = (uint16_t)at;
        return OK;
}

static void read_zone(struct zone *zone, int64_t now_s)
{
        if (zone->read_s && now_s >= zone->read_s && now_s < zone->read_s + DAY_S)
                return;
        int64_t to_s = now_s + CALENDAR_AHEAD_S + DAY_S;
        zone->is_lost = zone_shifts(zone->name, now_s - DAY_S, to_s, SHIFTS_MAX, zone->shifts, &zone->shift_count, NULL) != OK;
        zone->read_s = zone->is_lost ? 0 : now_s;
}

static struct calendar_answer look_in(struct freeze *freeze, struct zone *own, int64_t now_s)
{
        struct calendar_zone zones[CALENDAR_WINDOWS_MAX];
        bool is_lost = false;
        read_zone(own, now_s);
        for (size_t i = 0; i < freeze->calendar.count; i++) {
                struct zone *zone = calendar_is_of_devices(&freeze->calendar.windows[i]) ? own : &freeze->zones[freeze->zone_of[i]];
                read_zone(zone, now_s);
                is_lost |= zone->is_lost;
                zones[i] = (struct calendar_zone){ zone->shifts, zone->shift_count };
        }
        return is_lost ? (struct calendar_answer){ true, CALENDAR_NEVER } : calendar_look(&freeze->calendar, zones, now_s);
}

struct freeze_answer freeze_look(struct freeze *freeze, int64_t now_ms)
{
        int64_t until_s = CALENDAR_NEVER;
        size_t free_zones = 0;
        if (now_ms / 60000 == freeze->looked_minute || !freeze->calendar.count)
                return freeze->answer;
        freeze->looked_minute = now_ms / 60000;
        for (size_t i = 0; i < freeze->zone_count; i++) {
                struct zone *zone = &freeze->zones[i];
                if (!zone->devices)
                        continue;
                zone->answer = look_in(freeze, zone, now_ms / 1000);
                free_zones += !zone->answer.is_inside;
                until_s = zone->answer.until_s < until_s ? zone->answer.until_s : until_s;
        }
        bool is_frozen = !free_zones;
        freeze->answer = (struct freeze_answer){ is_frozen, is_frozen && until_s != CALENDAR_NEVER ? until_s * 1000 : 0 };
        return freeze->answer;
}

bool freeze_holds(const struct freeze *freeze, uint16_t zone) { return freeze->zones[zone].answer.is_inside; }

int64_t freeze_count(const struct freeze *freeze)
{
        int64_t count = 0;
        for (size_t i = 0; i < freeze->zone_count; i++)
                count += freeze->zones[i].answer.is_inside ? freeze->zones[i].devices : 0;
        return count;
}

bool freeze_holds_in(struct freeze *freeze, const char *zone, int64_t now_ms)
{
        struct zone own = { .is_lost = false };
        snprintf(own.name, sizeof(own.name), "%s", zone_of_device(freeze, zone));
        return freeze->calendar.count && look_in(freeze, &own, now_ms / 1000).is_inside;
}
