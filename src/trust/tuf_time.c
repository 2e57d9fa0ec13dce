#include "trust/tuf_time.h"

#include "base/utc.h"

#include <string.h>

static bool has_form(const char *text)
{
        static const char form[] = "dddd-dd-ddTdd:dd:ddZ";
        if (strlen(text) != sizeof(form) - 1)
                return false;
        for (size_t i = 0; form[i]; i++)
                if (form[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
                        return false;
        return true;
}

static int64_t digits(const char *text, int count)
{
        int64_t number = 0;
        for (int i = 0; i < count; i++)
                number = number * 10 + (text[i] - '0');
        return number;
}

/* Days since 1970: years begin in March, so that the leap day is a year's last. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
        year -= month <= 2;
        int64_t era_year = year % 400, of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
        return year / 400 * 146097 + era_year * 365 + era_year / 4 - era_year / 100 + of_year - 719468;
}

bool tuf_time_parse(const char *text, int64_t *ret_s)
{
        char again[TUF_TIME_BYTES];
        if (!has_form(text) || digits(text, 4) < 1970 || !digits(text + 5, 2) || digits(text + 5, 2) > 12)
                return false;
        int64_t s = days_of(digits(text, 4), digits(text + 5, 2), digits(text + 8, 2)) * 86400;
        s += digits(text + 11, 2) * 3600 + digits(text + 14, 2) * 60 + digits(text + 17, 2);
        utc_text_s(s, again);
        if (strcmp(text, again) != 0)                    /* 30 February, 25 o'clock */
                return false;
        *ret_s = s;
        return true;
}
