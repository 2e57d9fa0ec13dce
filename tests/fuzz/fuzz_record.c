/* A lab's statement: what was read can be written and read again, as the same bytes from then on. */
#include "evidence/record.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
        OWN(buf) struct buf statement, first, second;
        OWN(record) struct record record = { 0 }, again = { 0 };
        buf_init(&statement, 2 * DSSE_BYTES_MAX);
        buf_init(&first, 2 * DSSE_BYTES_MAX);
        buf_init(&second, 2 * DSSE_BYTES_MAX);
        buf_add(&statement, bytes, length);
        if (record_parse(&statement, &record, NULL) != OK)
                return 0;
        if (record_write(&record, &first, NULL) || record_parse(&first, &again, NULL) || record_write(&again, &second, NULL))
                abort();
        if (strcmp(buf_text(&first), buf_text(&second)) != 0)
                abort();
        return 0;
}
