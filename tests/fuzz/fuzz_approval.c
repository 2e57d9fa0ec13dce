/* The short signed texts of formats.md 1.5 and 7.1: what is read is exactly what would be written. */
#include "log/logged.h"
#include "trust/approval.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void is_same(const struct buf *written, const uint8_t *bytes, size_t length)
{
        if (buf_check(written, NULL) || written->length != length || memcmp(written->bytes, bytes, length) != 0)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
        struct approval approval;
        struct logged logged;
        OWN(buf) struct buf text;
        buf_init(&text, APPROVAL_TEXT_MAX + LOGGED_BYTES_MAX);
        if (approval_parse((const char *)bytes, length, &approval, NULL) == OK) {
                approval_write(&approval, &text);
                is_same(&text, bytes, length);
        }
        buf_clear(&text);
        if (logged_parse(bytes, length, &logged, NULL) == OK) {
                logged_write(&logged, &text);
                is_same(&text, bytes, length);
        }
        return 0;
}
