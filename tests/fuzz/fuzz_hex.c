/* One spelling each: what decodes is what encoding gives back. */
#include "format/hex.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

enum { MOST = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
        char text[2 * MOST + 1] = "", again[2 * MOST + 1];
        unsigned char decoded[MOST];
        size_t decoded_length = 0;
        if (length > 2 * MOST)
                return 0;
        memcpy(text, bytes, length);
        if (hex_decode(text, decoded, length / 2, NULL) == OK) {
                hex_encode(decoded, length / 2, again);
                assert(strcmp(text, again) == 0);
        }
        OWN(buf) struct buf buf;
        buf_init(&buf, 2 * MOST);
        if (base64_decode(text, length, decoded, sizeof(decoded), &decoded_length, NULL) == OK) {
                base64_encode(decoded, decoded_length, &buf);
                assert(buf.length == length && memcmp(buf_text(&buf), text, length) == 0);
        }
        return 0;
}
