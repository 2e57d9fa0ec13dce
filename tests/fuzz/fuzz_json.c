/* What we read is what jansson reads, and what we write is the same value to it. */
#include "base/limits.h"
#include "format/json.h"
#include "support/jansson.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
        OWN(json) struct json *json = NULL;
        enum err e = json_parse(bytes, length, LIMIT_REQUEST_BYTES, &json, NULL);
        if (e != ERR_LIMIT)
                assert((e == OK) == jansson_reads(bytes, length));
        if (e)
                return 0;
        OWN(buf) struct buf buf;
        buf_init(&buf, 16 * LIMIT_REQUEST_BYTES);
        e = json_write(json, (unsigned)(length % 3), &buf, NULL);
        assert(e == OK && jansson_agrees(bytes, length, buf.bytes, buf.length));
        return 0;
}
