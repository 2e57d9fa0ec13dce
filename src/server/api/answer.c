#include "server/api/answer.h"

#include "base/utc.h"
#include "wire/problem.h"

#include <inttypes.h>

void answer_date(int64_t unix_s, char text[32])
{
        static const char days[7][4] = { "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed" };      /* 1 January 1970 was a Thursday */
        static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
        struct utc utc = utc_from_s(unix_s);
        snprintf(text, 32, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[unix_s / 86400 % 7], utc.day, months[utc.month - 1], utc.year, utc.hour,
                 utc.minute, utc.second);
}

/* 204 and 304 have no body, and 204 not even a length. */
static bool has_length(int status)
{
        return status != 204 && status != 304;
}

void answer_head_write(const struct answer *answer, const char *date, bool closes, struct buf *into)
{
        buf_addf(into, "HTTP/1.1 %d %s\r\nDate: %s\r\n", answer->status, problem_title(answer->status), date);
        if (answer->type)
                buf_addf(into, "Content-Type: %s\r\n", answer->type);
        if (has_length(answer->status))
                buf_addf(into, "Content-Length: %" PRIu64 "\r\n", answer->length);
        if (answer->retry_after_s)
                buf_addf(into, "Retry-After: %u\r\n", answer->retry_after_s);
        if (answer->headers)
                buf_add_text(into, answer->headers);
        buf_add_text(into, "X-Content-Type-Options: nosniff\r\n");
        buf_add_text(into, closes ? "Connection: close\r\n\r\n" : "\r\n");
}
