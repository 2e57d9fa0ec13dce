#include "platform/zone.h"

#include "support/test.h"

#include <string.h>
#include <time.h>

TEST(zone_check, takes_names_of_zones_and_no_files)
{
        struct why why = { 0 };
        CHECK(zone_check("Europe/Berlin", NULL) == OK && zone_check("UTC", NULL) == OK && zone_check("America/Argentina/Buenos_Aires", NULL) == OK);
        CHECK(zone_check("Europe/Bonn", &why) == ERR_USAGE && strstr(why.text, "there is no time zone `Europe/Bonn`"));
        const char *none[] = { "", "/etc/passwd", "../../etc/passwd", "Europe/../UTC", ":UTC", "CET-1CEST,M3.5.0,M10.5.0/3", "Europe", "Europe/", "//UTC", "tzdata.zi" };
        for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
                CHECK(zone_check(none[i], NULL) == ERR_USAGE);
}

/* Berlin 2026: summer time from 29 March 01:00 UTC to 25 October 01:00 UTC. */
TEST(zone_shifts, finds_the_second_of_each_change)
{
        struct utc_shift shifts[8];
        size_t count = 0;
        CHECK(zone_shifts("Europe/Berlin", 1767225600, 1798761600, 8, shifts, &count, NULL) == OK && count == 3);
        CHECK(shifts[0].from_s == 1767225600 && shifts[0].offset_s == 3600);
        CHECK(shifts[1].from_s == 1774746000 && shifts[1].offset_s == 7200);
        CHECK(shifts[2].from_s == 1792890000 && shifts[2].offset_s == 3600);
        CHECK(zone_shifts("Asia/Kolkata", 1767225600, 1798761600, 8, shifts, &count, NULL) == OK && count == 1 && shifts[0].offset_s == 19800);
        CHECK(zone_shifts("Europe/Berlin", 1767225600, 1798761600, 2, shifts, &count, NULL) == OK && count == 2);
        CHECK(zone_shifts("Europe/Bonn", 0, 1, 8, shifts, &count, NULL) == ERR_USAGE);
}

TEST(zone_shifts, leaves_the_zone_of_the_process_as_it_was)
{
        struct utc_shift shifts[8];
        size_t count = 0;
        for (int round = 0; round < 2; round++) {
                CHECK((round ? setenv("TZ", "Asia/Tokyo", 1) : unsetenv("TZ")) == 0);
                CHECK(zone_shifts("America/New_York", 1767225600, 1798761600, 8, shifts, &count, NULL) == OK && count == 3);
                CHECK(round ? strcmp(getenv("TZ"), "Asia/Tokyo") == 0 : !getenv("TZ"));
        }
        time_t at = 0;
        struct tm tm;
        CHECK(localtime_r(&at, &tm) && tm.tm_gmtoff == 32400);
}
