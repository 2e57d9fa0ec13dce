#include "server/api/range.h"

#include <stdbool.h>
#include <string.h>

/* Decimal digits, 18 at most; moves on behind them. */
static bool read_number(const char **text, uint64_t *ret_number)
{
        size_t digits = strspn(*text, "0123456789");
        if (!digits || digits > 18)
                return false;
        for (*ret_number = 0; digits; digits--)
                *ret_number = *ret_number * 10 + (uint64_t)(*(*text)++ - '0');
        return true;
}

/* The last `count` bytes. */
static enum range_kind suffix(uint64_t count, uint64_t length, uint64_t *ret_from, uint64_t *ret_count)
{
        if (!count || !length)
                return RANGE_NONE;
        *ret_count = count < length ? count : length;
        *ret_from = length - *ret_count;
        return RANGE_PART;
}

static enum range_kind between(uint64_t first, uint64_t last, uint64_t length, uint64_t *ret_from, uint64_t *ret_count)
{
        if (first > last)
                return RANGE_ALL;
        if (first >= length)
                return RANGE_NONE;
        *ret_from = first;
        *ret_count = (last < length ? last + 1 : length) - first;
        return RANGE_PART;
}

enum range_kind range_read(const char *text, uint64_t length, uint64_t *ret_from, uint64_t *ret_count)
{
        uint64_t first = 0, last = UINT64_MAX;
        if (!text || strncmp(text, "bytes=", 6) != 0)
                return RANGE_ALL;
        text += 6;
        if (*text == '-') {
                text++;
                return read_number(&text, &first) && !*text ? suffix(first, length, ret_from, ret_count) : RANGE_ALL;
        }
        if (!read_number(&text, &first) || *text++ != '-')
                return RANGE_ALL;
        if (*text && (!read_number(&text, &last) || *text))
                return RANGE_ALL;
        return between(first, last, length, ret_from, ret_count);
}
