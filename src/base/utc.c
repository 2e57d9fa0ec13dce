#include "base/utc.h"

#include <stdio.h>

enum { DAY_S = 86400, DAYS_400_YEARS = 146097 };
static const int64_t last_s = INT64_C(253402300799);             /* 9999-12-31T23:59:59Z */

static bool is_leap(int64_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

static int days_of_month(int64_t year, int month)
{
        static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
        return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

struct utc utc_from_s(int64_t unix_s)
{
        int64_t s = unix_s < 0 ? 0 : unix_s > last_s ? last_s : unix_s;
        int64_t day = s / DAY_S, year = 1970 + day / DAYS_400_YEARS * 400;
        int month = 1;
        day %= DAYS_400_YEARS;
        for (; day >= 365 + is_leap(year); year++)
                day -= 365 + is_leap(year);
        for (; day >= days_of_month(year, month); month++)
                day -= days_of_month(year, month);
        return (struct utc){ (int)year, month, (int)day + 1, (int)(s / 3600 % 24), (int)(s / 60 % 60), (int)(s % 60) };
}

bool utc_to_s(const struct utc *utc, int64_t *ret_unix_s)
{
        bool is_date = utc->year >= 1970 && utc->year <= 9999 && utc->month >= 1 && utc->month <= 12;
        if (!is_date || utc->day < 1 || utc->day > days_of_month(utc->year, utc->month))
                return false;
        if (utc->hour < 0 || utc->hour > 23 || utc->minute < 0 || utc->minute > 59 || utc->second < 0 || utc->second > 59)
                return false;
        int64_t before = utc->year - 1, leaps = before / 4 - before / 100 + before / 400 - 477, day = 365 * (before - 1969) + leaps + utc->day - 1;
        for (int month = 1; month < utc->month; month++)
                day += days_of_month(utc->year, month);
        *ret_unix_s = ((day * 24 + utc->hour) * 60 + utc->minute) * 60 + utc->second;
        return true;
}

/* Two digits; the compiler cannot know that they are enough. */
static void put(char *at, int number, int digits)
{
        for (char *digit = at + digits; digit > at; number /= 10)
                *--digit = (char)('0' + number % 10);
}

void utc_text_s(int64_t unix_s, char text[21])
{
        struct utc utc = utc_from_s(unix_s);
        snprintf(text, 21, "%s", "0000-00-00T00:00:00Z");
        put(text, utc.year, 4);
        put(text + 5, utc.month, 2);
        put(text + 8, utc.day, 2);
        put(text + 11, utc.hour, 2);
        put(text + 14, utc.minute, 2);
        put(text + 17, utc.second, 2);
}

void utc_text_ms(int64_t unix_ms, char text[25])
{
        int64_t ms = unix_ms < 0 ? 0 : unix_ms;
        utc_text_s(ms / 1000, text);
        snprintf(text + 19, 6, ".000Z");
        put(text + 20, (int)(ms % 1000), 3);
}
