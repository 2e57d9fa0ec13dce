/* The canonical form is a fixed point where it is JSON at all: raw control characters are canonical and no JSON. */
#include "base/limits.h"
#include "format/canon.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check_again(const struct buf *first)
{
        OWN(json) struct json *json = NULL;
        OWN(buf) struct buf second;
        buf_init(&second, first->length);
        for (size_t i = 0; i < first->length; i++)
                if ((unsigned char)first->bytes[i] < 0x20)
                        return;
        enum err e = json_parse(first->bytes, first->length, first->length, &json, NULL);
        if (!e)
                e = canon_write(json, &second, NULL);
        assert(e == OK && first->length == second.length && memcmp(first->bytes, second.bytes, second.length) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
        OWN(json) struct json *json = NULL;
        OWN(buf) struct buf buf;
        buf_init(&buf, 4 * LIMIT_METADATA_BYTES);
        if (json_parse(bytes, length, LIMIT_METADATA_BYTES, &json, NULL) == OK && canon_write(json, &buf, NULL) == OK)
                check_again(&buf);
        return 0;
}
