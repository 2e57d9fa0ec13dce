/* Requests out of any bytes: the same however they are cut, and never more body than came in. What is refused may be
 * refused before or after the piece of body that stands before the fault. */
#include "server/api/http.h"

#include <string.h>

struct outcome { enum http_step step; size_t used, body; int status; };

static struct outcome feed(const char *bytes, size_t length, size_t portion)
{
        static char head[LIMIT_HEADER_BYTES + 1];
        struct http http;
        struct outcome outcome = { .step = HTTP_WANTS_MORE };
        http_begin(&http, head);
        while (outcome.step < HTTP_GOT_WHOLE && (outcome.used < length || outcome.step != HTTP_WANTS_MORE)) {
                size_t left = length - outcome.used, used = 0;
                outcome.step = http_take(&http, bytes + outcome.used, left < portion ? left : portion, &used);
                outcome.used += used;
                outcome.body += outcome.step == HTTP_GOT_PIECE ? http.piece_length : 0;
        }
        outcome.status = http.status;
        return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
        struct outcome whole = feed((const char *)bytes, length, length), single = feed((const char *)bytes, length, 1);
        bool is_same = whole.step == single.step && whole.status == single.status && (whole.step == HTTP_GOT_BAD || whole.body == single.body);
        if (!is_same || whole.used > length || whole.body > whole.used)
                __builtin_trap();
        return 0;
}
