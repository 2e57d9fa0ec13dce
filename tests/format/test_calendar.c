#include "format/calendar.h"

#include "platform/zone.h"
#include "support/sim_random.h"
#include "support/test.h"

#include <string.h>
#include <time.h>

static bool is_kept(const char *text, const char *printed)
{
        struct calendar calendar = { 0 };
        char again[CALENDAR_TEXT_BYTES];
        if (calendar_add(&calendar, text, NULL))
                return false;
        calendar_print(&calendar.windows[0], again);
        return strcmp(again, printed) == 0;
}

TEST(calendar_add, reads_what_people_write)
{
        CHECK(is_kept("fri 16:00 - mon 06:00 Europe/Berlin", "fri 16:00 - mon 06:00 Europe/Berlin"));
        CHECK(is_kept("  Fri 16:00  -  MON 06:00 device ", "fri 16:00 - mon 06:00 device"));
        CHECK(is_kept("sat 00:00 - sun 24:00 UTC", "sat 00:00 - mon 00:00 UTC"));
        CHECK(is_kept("2026-12-24 00:00 - 2027-01-01 24:00 America/New_York", "2026-12-24 00:00 - 2027-01-02 00:00 America/New_York"));
}

TEST(calendar_add, says_what_is_wrong)
{
        static const struct { const char *text, *says; } cases[] = {
                { "", "write it as `fri 16:00 - mon 06:00 Europe/Berlin`" },     { "fri 16:00 - mon 06:00", "write it as" },
                { "fri 16:00 to mon 06:00 UTC", "write it as" },                 { "fr 16:00 - mon 06:00 UTC", "`fr` is no day" },
                { "fri 4pm - mon 06:00 UTC", "`4pm` is no time of day" },        { "fri 24:01 - mon 06:00 UTC", "`24:01` is no time of day" },
                { "fri 16:60 - mon 06:00 UTC", "`16:60` is no time of day" },    { "2026-02-29 00:00 - 2026-03-01 00:00 UTC", "`2026-02-29` is no day" },
                { "fri 16:00 - fri 16:00 UTC", "ends when it begins" },          { "mon 00:00 - sun 24:00 UTC", "ends when it begins" },
                { "2026-12-24 00:00 - 2026-12-23 00:00 UTC", "ends before it begins" }, { "fri 16:00 - 2026-12-24 00:00 UTC", "begins with a date" },
                { "2026-12-24 00:00 - fri 16:00 UTC", "begins with a date" },    { "fri 16:00 - mon 06:00 ../etc/passwd", "is no time zone" },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct calendar calendar = { 0 };
                struct why why = { 0 };
                CHECK(calendar_add(&calendar, cases[i].text, &why) == ERR_USAGE && strstr(why.text, cases[i].says) && !calendar.count);
        }
        struct calendar full = { .count = CALENDAR_WINDOWS_MAX };
        CHECK(calendar_add(&full, "fri 16:00 - mon 06:00 UTC", NULL) == ERR_LIMIT);
}

TEST(calendar_look, finds_nothing_where_nothing_is)
{
        struct calendar calendar = { 0 };
        struct calendar_answer answer = calendar_look(&calendar, NULL, 1784432200);
        CHECK(!answer.is_inside && answer.until_s == CALENDAR_NEVER);
        CHECK(calendar_add(&calendar, "2026-01-01 00:00 - 2026-02-01 00:00 UTC", NULL) == OK);
        answer = calendar_look(&calendar, &(struct calendar_zone){ NULL, 0 }, 1784432200);
        CHECK(!answer.is_inside && answer.until_s == CALENDAR_NEVER);
}

/* Two that cover the week between them. */
TEST(calendar_look, says_when_there_is_no_way_out)
{
        struct calendar calendar = { 0 };
        const struct calendar_zone utc[2] = { { NULL, 0 }, { NULL, 0 } };
        CHECK(calendar_add(&calendar, "mon 00:00 - thu 12:00 UTC", NULL) == OK && calendar_add(&calendar, "thu 11:00 - mon 00:00 UTC", NULL) == OK);
        struct calendar_answer answer = calendar_look(&calendar, utc, 1784432200);
        CHECK(answer.is_inside && answer.until_s == CALENDAR_NEVER);
        calendar.count = 1;                              /* 2026-07-19 03:36:40 is a Sunday */
        answer = calendar_look(&calendar, utc, 1784432200);
        CHECK(!answer.is_inside && answer.until_s == 1784505600);
}

/* The reference: the wall clock as libc has it, minute by minute, in the words of the window. */
enum { MINUTES = 40 * 1440, WINDOWS = 4, CASES = 24 };

static const char *const zones[] = {
        "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca", "Pacific/Chatham", "UTC", "America/St_Johns",
};
enum { ZONES = sizeof(zones) / sizeof(zones[0]) };
static const char *const days[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat" };

struct trial {
        struct calendar calendar;
        struct calendar_zone zones[WINDOWS];
        struct utc_shift shifts[WINDOWS][12];
        char from[WINDOWS][24], to[WINDOWS][24];         /* "2026-12-24 00:00", or minutes of a week that begins on Sunday */
        bool inside[MINUTES + 1];
};

static void minute_of_week(const struct tm *tm, char text[24])
{
        snprintf(text, 24, "%05d", tm->tm_wday * 1440 + tm->tm_hour * 60 + tm->tm_min);
}

static bool is_inside_as_written(const struct trial *trial, size_t i, const struct tm *tm)
{
        char now[24];
        if (trial->calendar.windows[i].is_dated)
                CHECK(strftime(now, sizeof(now), "%Y-%m-%d %H:%M", tm));
        else
                minute_of_week(tm, now);
        bool from = strcmp(trial->from[i], now) <= 0, to = strcmp(now, trial->to[i]) < 0;
        return strcmp(trial->from[i], trial->to[i]) < 0 ? from && to : from || to;
}

static void look_at_the_clock(struct trial *trial, int64_t start_s)
{
        for (size_t i = 0; i < trial->calendar.count; i++) {
                CHECK(setenv("TZ", trial->calendar.windows[i].zone, 1) == 0);
                tzset();
                for (int minute = 0; minute <= MINUTES; minute++) {
                        time_t at = (time_t)(start_s + minute * 60);
                        struct tm tm;
                        CHECK(localtime_r(&at, &tm));
                        trial->inside[minute] |= is_inside_as_written(trial, i, &tm);
                }
        }
}

static void add_weekly(struct trial *trial, struct sim_random *random, size_t i, char text[128])
{
        unsigned from = (unsigned)sim_random_below(random, 7 * 1440), to = (unsigned)sim_random_below(random, 7 * 1440);
        if (sim_random_below(random, 3) == 0)            /* in the hours that clocks are changed in */
                from = (unsigned)sim_random_below(random, 240), to = from + 1 + (unsigned)sim_random_below(random, 90);
        to += from == to;
        to %= 7 * 1440;
        snprintf(trial->from[i], sizeof(trial->from[i]), "%05u", from);
        snprintf(trial->to[i], sizeof(trial->to[i]), "%05u", to);
        snprintf(text, 128, "%s %02u:%02u - %s %02u:%02u %s", days[from / 1440], from % 1440 / 60, from % 60, days[to / 1440], to % 1440 / 60, to % 60,
                 zones[sim_random_below(random, ZONES)]);
}

static void add_dated(struct trial *trial, struct sim_random *random, size_t i, int64_t start_s, char text[128])
{
        time_t from = (time_t)(start_s + (int64_t)sim_random_below(random, MINUTES) * 60), to = from + 60 + (time_t)sim_random_below(random, MINUTES) * 60;
        struct tm tm;
        CHECK(gmtime_r(&from, &tm) && strftime(trial->from[i], sizeof(trial->from[i]), "%Y-%m-%d %H:%M", &tm));
        CHECK(gmtime_r(&to, &tm) && strftime(trial->to[i], sizeof(trial->to[i]), "%Y-%m-%d %H:%M", &tm));
        snprintf(text, 128, "%s - %s %s", trial->from[i], trial->to[i], zones[sim_random_below(random, ZONES)]);
}

static void make_trial(struct trial *trial, struct sim_random *random, int64_t start_s)
{
        size_t count = 1 + sim_random_below(random, WINDOWS);
        *trial = (struct trial){ 0 };
        for (size_t i = 0; i < count; i++) {
                char text[128];
                if (sim_random_below(random, 3))
                        add_weekly(trial, random, i, text);
                else
                        add_dated(trial, random, i, start_s, text);
                CHECK(calendar_add(&trial->calendar, text, NULL) == OK);
                CHECK(zone_shifts(trial->calendar.windows[i].zone, start_s, start_s + CALENDAR_AHEAD_S, 12, trial->shifts[i], &trial->zones[i].count, NULL) == OK);
                trial->zones[i].shifts = trial->shifts[i];
        }
        look_at_the_clock(trial, start_s);
}

static void check_trial(const struct trial *trial, int64_t start_s)
{
        int64_t until_s = 0;                             /* 0: beyond the reference */
        for (int minute = MINUTES - 1; minute >= 0; minute--) {
                int64_t at = start_s + minute * 60;
                if (trial->inside[minute] != trial->inside[minute + 1])
                        until_s = at + 60;
                if (minute % 7 && until_s != at + 60)
                        continue;
                struct calendar_answer answer = calendar_look(&trial->calendar, trial->zones, at + minute % 60);
                CHECK(answer.is_inside == trial->inside[minute]);
                CHECK(until_s ? answer.until_s == until_s : answer.until_s > start_s + MINUTES * 60);
        }
}

/* Forty days from anywhere in three years: the changes of clocks of eight zones, week ends, ends of years. */
TEST(calendar_look, says_what_the_clock_on_the_wall_says)
{
        static struct trial trial;
        struct sim_random random;
        sim_random_init(&random, 1);
        for (int i = 0; i < CASES; i++) {
                int64_t start_s = 1767225600 + (int64_t)sim_random_below(&random, 3 * 365 * 1440) * 60;
                make_trial(&trial, &random, start_s);
                check_trial(&trial, start_s);
        }
        CHECK(unsetenv("TZ") == 0);
}

TEST(calendar_look, shuts_a_window_over_the_new_year_where_its_zone_has_it)
{
        struct calendar calendar = { 0 };
        struct utc_shift shifts[12];
        struct calendar_zone zone = { shifts, 0 };
        CHECK(calendar_add(&calendar, "2026-12-24 00:00 - 2027-01-02 06:00 Europe/Berlin", NULL) == OK);
        CHECK(zone_shifts("Europe/Berlin", 1784432200, 1784432200 + CALENDAR_AHEAD_S, 12, shifts, &zone.count, NULL) == OK && zone.count == 3);
        struct calendar_answer answer = calendar_look(&calendar, &zone, 1784432200);
        CHECK(!answer.is_inside && answer.until_s == 1798066800);                /* 23 December, 23:00 UTC */
        answer = calendar_look(&calendar, &zone, 1798066800);
        CHECK(answer.is_inside && answer.until_s == 1798866000);                 /* 2 January, 05:00 UTC */
        answer = calendar_look(&calendar, &zone, 1798866000);
        CHECK(!answer.is_inside && answer.until_s == CALENDAR_NEVER);
}
