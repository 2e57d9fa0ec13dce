#include "format/calendar.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { DAY_MIN = 1440, WEEK_MIN = 7 * DAY_MIN, MONDAY_MIN = 3 * DAY_MIN };      /* 1 January 1970 was a Thursday, three days after a Monday */

static const char *const days[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };

static const char form[] = "write it as `fri 16:00 - mon 06:00 Europe/Berlin`, or with dates as 2026-12-24 for days; "
                           "the zone is an IANA name, or `device` for each device's own";

/* The words of a text; none is longer than a zone. */
enum { WORDS = 6 };
struct words { char of[WORDS][CALENDAR_ZONE_BYTES]; };

static bool split(const char *text, struct words *words)
{
        size_t count = 0;
        for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
                size_t length = strcspn(text, " ");
                if (count == WORDS || length >= sizeof(words->of[0]))
                        return false;
                memcpy(words->of[count], text, length);
                words->of[count++][length] = '\0';
                text += length;
        }
        return count == WORDS;
}

/* Digits where the pattern has 0, itself elsewhere. */
static bool is_like(const char *text, const char *pattern)
{
        size_t i = 0;
        while (pattern[i] && (pattern[i] == '0' ? text[i] >= '0' && text[i] <= '9' : text[i] == pattern[i]))
                i++;
        return !pattern[i] && !text[i];
}

static int number(const char *digits, int count)
{
        int sum = 0;
        for (int i = 0; i < count; i++)
                sum = 10 * sum + digits[i] - '0';
        return sum;
}

/* 00:00 to 24:00, which is the next day's first minute. */
static bool read_time(const char *text, int64_t *minutes)
{
        if (!is_like(text, "00:00"))
                return false;
        *minutes = number(text, 2) * 60 + number(text + 3, 2);
        return *minutes <= DAY_MIN && number(text + 3, 2) < 60;
}

static bool read_day(const char *text, bool *is_dated, int64_t *minutes)
{
        *is_dated = is_like(text, "0000-00-00");
        if (*is_dated) {
                struct utc utc = { number(text, 4), number(text + 5, 2), number(text + 8, 2), 0, 0, 0 };
                bool is_date = utc_to_s(&utc, minutes);
                *minutes = is_date ? *minutes / 60 : 0;
                return is_date;
        }
        for (int64_t day = 0; day < 7; day++)
                if (strcasecmp(text, days[day]) == 0) {
                        *minutes = day * DAY_MIN;
                        return true;
                }
        return false;
}

static enum err read_edge(const char *day, const char *time, bool *is_dated, int64_t *minutes, struct why *why)
{
        int64_t of_day = 0;
        if (!read_day(day, is_dated, minutes))
                return FAIL(why, ERR_USAGE, "`%.40s` is no day; %s", day, form);
        if (!read_time(time, &of_day))
                return FAIL(why, ERR_USAGE, "`%.40s` is no time of day; %s", time, form);
        *minutes += of_day;
        return OK;
}

static enum err check_zone(const char *zone, struct why *why)
{
        static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/";
        return strspn(zone, letters) == strlen(zone) ? OK : FAIL(why, ERR_USAGE, "`%.64s` is no time zone; %s", zone, form);
}

static enum err check_order(const struct calendar_window *window, bool has_one_kind, struct why *why)
{
        if (!has_one_kind)
                return FAIL(why, ERR_USAGE, "it begins with a date and ends with a day of the week, or the other way round; %s", form);
        if (window->from_min == window->to_min)
                return FAIL(why, ERR_USAGE, "it ends when it begins; hold the rollout for good with `firebreak rollout hold`");
        if (window->is_dated && window->to_min < window->from_min)
                return FAIL(why, ERR_USAGE, "it ends before it begins");
        return OK;
}

static enum err read_window(const char *text, struct calendar_window *window, struct why *why)
{
        struct words words;
        bool ends_dated = false;
        if (!split(text, &words) || strcmp(words.of[2], "-") != 0)
                return FAIL(why, ERR_USAGE, "%s", form);
        enum err e = read_edge(words.of[0], words.of[1], &window->is_dated, &window->from_min, why);
        if (!e)
                e = read_edge(words.of[3], words.of[4], &ends_dated, &window->to_min, why);
        if (e)
                return e;
        if (!window->is_dated && !ends_dated) {
                window->from_min %= WEEK_MIN;
                window->to_min %= WEEK_MIN;
        }
        e = check_order(window, window->is_dated == ends_dated, why);
        if (!e)
                e = check_zone(words.of[5], why);
        if (!e)
                memcpy(window->zone, words.of[5], sizeof(window->zone));
        return e;
}

enum err calendar_add(struct calendar *calendar, const char *text, struct why *why)
{
        struct calendar_window window = { 0 };
        if (calendar->count == CALENDAR_WINDOWS_MAX)
                return FAIL(why, ERR_LIMIT, "there are at most %d freeze windows", CALENDAR_WINDOWS_MAX);
        enum err e = read_window(text, &window, why);
        if (e)
                return DURING(why, e, "freeze window `%.60s`", text);
        calendar->windows[calendar->count++] = window;
        return OK;
}

static void print_edge(bool is_dated, int64_t minutes, char text[32])
{
        struct utc utc = utc_from_s(minutes * 60);
        if (is_dated)
                snprintf(text, 32, "%04d-%02d-%02d %02d:%02d", utc.year % 10000, utc.month % 100, utc.day % 100, utc.hour % 100, utc.minute % 100);
        else
                snprintf(text, 32, "%s %02d:%02d", days[minutes / DAY_MIN], (int)(minutes % DAY_MIN / 60), (int)(minutes % 60));
}

void calendar_print(const struct calendar_window *window, char text[CALENDAR_TEXT_BYTES])
{
        char from[32], to[32];
        print_edge(window->is_dated, window->from_min, from);
        print_edge(window->is_dated, window->to_min, to);
        snprintf(text, CALENDAR_TEXT_BYTES, "%s - %s %s", from, to, window->zone);
}

bool calendar_is_of_devices(const struct calendar_window *window) { return strcmp(window->zone, CALENDAR_DEVICE) == 0; }

bool calendar_has_device_windows(const struct calendar *calendar)
{
        bool has = false;
        for (size_t i = 0; i < calendar->count; i++)
                has |= calendar_is_of_devices(&calendar->windows[i]);
        return has;
}

static int64_t floor_divide(int64_t a, int64_t b) { return a / b - (a % b < 0); }
static int64_t wall_minute(int64_t unix_s, int32_t offset_s) { return floor_divide(unix_s + offset_s, 60); }

/* Of the week, from monday 00:00. */
static int64_t week_minute(int64_t minute) { return minute + MONDAY_MIN - floor_divide(minute + MONDAY_MIN, WEEK_MIN) * WEEK_MIN; }

static bool is_inside(const struct calendar_window *window, int64_t minute)
{
        int64_t at = window->is_dated ? minute : week_minute(minute);
        if (window->from_min < window->to_min)
                return window->from_min <= at && at < window->to_min;
        return window->from_min <= at || at < window->to_min;
}

bool calendar_is_inside(const struct calendar_window *window, int64_t unix_s, int32_t offset_s)
{
        return is_inside(window, wall_minute(unix_s, offset_s));
}

/* How many minutes of the wall until the next edge; NEVER. */
static int64_t minutes_to_edge(const struct calendar_window *window, int64_t minute)
{
        if (window->is_dated)
                return minute < window->from_min ? window->from_min - minute : minute < window->to_min ? window->to_min - minute : CALENDAR_NEVER;
        int64_t at = week_minute(minute), to_from = window->from_min - at, to_to = window->to_min - at;
        to_from += to_from <= 0 ? WEEK_MIN : 0;
        to_to += to_to <= 0 ? WEEK_MIN : 0;
        return to_from < to_to ? to_from : to_to;
}

struct place { int32_t offset_s; int64_t until_s; };      /* what a zone adds to UTC, and until when */
static struct place place_of(const struct calendar_zone *zone, int64_t unix_s)
{
        struct place place = { zone->count ? zone->shifts[0].offset_s : 0, CALENDAR_NEVER };
        for (size_t i = 1; i < zone->count && place.until_s == CALENDAR_NEVER; i++) {
                if (zone->shifts[i].from_s > unix_s)
                        place.until_s = zone->shifts[i].from_s;
                else
                        place.offset_s = zone->shifts[i].offset_s;
        }
        return place;
}

/* Nothing of the window changes before this: its next edge, or another offset of its zone. */
static int64_t next_of(const struct calendar_window *window, const struct calendar_zone *zone, int64_t unix_s)
{
        struct place place = place_of(zone, unix_s);
        int64_t minute = wall_minute(unix_s, place.offset_s), minutes = minutes_to_edge(window, minute);
        int64_t edge_s = minutes == CALENDAR_NEVER ? CALENDAR_NEVER : (minute + minutes) * 60 - place.offset_s;
        return edge_s < place.until_s ? edge_s : place.until_s;
}

static bool is_any_inside(const struct calendar *calendar, const struct calendar_zone *zones, int64_t unix_s)
{
        bool is_any = false;
        for (size_t i = 0; i < calendar->count && !is_any; i++)
                is_any = calendar_is_inside(&calendar->windows[i], unix_s, place_of(&zones[i], unix_s).offset_s);
        return is_any;
}

struct calendar_answer calendar_look(const struct calendar *calendar, const struct calendar_zone *zones, int64_t unix_s)
{
        struct calendar_answer answer = { is_any_inside(calendar, zones, unix_s), CALENDAR_NEVER };
        for (int64_t at = unix_s; at < unix_s + CALENDAR_AHEAD_S;) {
                int64_t next = CALENDAR_NEVER;
                for (size_t i = 0; i < calendar->count; i++) {
                        int64_t own = next_of(&calendar->windows[i], &zones[i], at);
                        next = own < next ? own : next;
                }
                if (next == CALENDAR_NEVER || is_any_inside(calendar, zones, next) != answer.is_inside)
                        return (struct calendar_answer){ answer.is_inside, next };
                at = next;
        }
        return answer;
}
