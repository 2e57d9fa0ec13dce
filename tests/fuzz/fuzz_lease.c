/* The text of a lease: what was read is written as the same bytes. */
#include "trust/lease.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
        struct lease lease;
        OWN(buf) struct buf text;
        buf_init(&text, 2 * LEASE_BYTES_MAX);
        if (lease_parse((const char *)bytes, length, &lease, NULL) != OK)
                return 0;
        lease_write(&lease, &text);
        if (text.length != length || memcmp(buf_text(&text), bytes, length) != 0 || lease.deadline <= lease.granted)
                abort();
        return 0;
}
