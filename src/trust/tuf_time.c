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

static int digits(const char *text, int count)
{
        int number = 0;
        for (int i = 0; i < count; i++)
                number = number * 10 + (text[i] - '0');
        return number;
}

bool tuf_time_parse(const char *text, int64_t *ret_s)
{
        return has_form(text) && utc_to_s(&(struct utc){ digits(text, 4), digits(text + 5, 2), digits(text + 8, 2), digits(text + 11, 2), digits(text + 14, 2), digits(text + 17, 2) }, ret_s);
}
