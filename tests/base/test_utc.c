#include "base/utc.h"

#include "support/test.h"

#include <stdbool.h>
#include <string.h>

static bool is_text(int64_t unix_s, const char *expected)
{
        char text[21];
        utc_text_s(unix_s, text);
        return strcmp(text, expected) == 0;
}

/* Expected values from date(1): date -u -d @N +%FT%TZ */
TEST(utc_text_s, agrees_with_the_calendar)
{
        CHECK(is_text(0, "1970-01-01T00:00:00Z") && is_text(86399, "1970-01-01T23:59:59Z") && is_text(1784432140, "2026-07-19T03:35:40Z"));
        CHECK(is_text(951782399, "2000-02-28T23:59:59Z") && is_text(951782400, "2000-02-29T00:00:00Z") && is_text(951868800, "2000-03-01T00:00:00Z"));
        CHECK(is_text(1709164800, "2024-02-29T00:00:00Z") && is_text(4107542399, "2100-02-28T23:59:59Z") && is_text(4107542400, "2100-03-01T00:00:00Z"));
        CHECK(is_text(253402300799, "9999-12-31T23:59:59Z"));
}

TEST(utc_text_s, stays_at_the_ends)
{
        CHECK(is_text(-1, "1970-01-01T00:00:00Z") && is_text(INT64_MIN, "1970-01-01T00:00:00Z"));
        CHECK(is_text(253402300800, "9999-12-31T23:59:59Z") && is_text(INT64_MAX, "9999-12-31T23:59:59Z"));
}

TEST(utc_text_s, goes_up_day_by_day)
{
        char before[21] = "", text[21];
        for (int64_t day = 0; day < 200000; day++) {
                utc_text_s(day * 86400, text);
                CHECK(strcmp(before, text) < 0);
                memcpy(before, text, sizeof(text));
        }
}

TEST(utc_text_ms, has_three_digits_more)
{
        char text[25];
        utc_text_ms(1784432140007, text);
        CHECK(strcmp(text, "2026-07-19T03:35:40.007Z") == 0);
        utc_text_ms(-5, text);
        CHECK(strcmp(text, "1970-01-01T00:00:00.000Z") == 0);
}

TEST(utc_to_s, is_the_way_back)
{
        int64_t s = 0;
        for (int64_t day = 0; day < 200000; day++) {
                int64_t at = day * 86400 + day % 86400;
                struct utc utc = utc_from_s(at);
                CHECK(utc_to_s(&utc, &s) && s == at);
        }
        CHECK(utc_to_s(&(struct utc){ 9999, 12, 31, 23, 59, 59 }, &s) && s == 253402300799);
}

TEST(utc_to_s, knows_what_is_no_date)
{
        const struct utc none[] = {
                { 2026, 2, 29, 0, 0, 0 }, { 2100, 2, 29, 0, 0, 0 }, { 2026, 4, 31, 0, 0, 0 }, { 2026, 0, 1, 0, 0, 0 },  { 2026, 13, 1, 0, 0, 0 },
                { 1969, 1, 1, 0, 0, 0 },  { 10000, 1, 1, 0, 0, 0 }, { 2026, 1, 0, 0, 0, 0 },  { 2026, 1, 1, 24, 0, 0 }, { 2026, 1, 1, 0, 60, 0 },
        };
        int64_t s = 7;
        for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
                CHECK(!utc_to_s(&none[i], &s) && s == 7);
        CHECK(utc_to_s(&(struct utc){ 2024, 2, 29, 0, 0, 0 }, &s) && s == 1709164800);
}
