/* A cohort document: what was read is written and read again as the same document, and answers for any device. */
#include "trust/cohort.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
        OWN(buf) struct buf first, second;
        struct cohort cohort, again;
        buf_init(&first, 2 * COHORT_BYTES_MAX);
        buf_init(&second, 2 * COHORT_BYTES_MAX);
        if (cohort_parse(bytes, length, &cohort, NULL) != OK)
                return 0;
        if (cohort_write(&cohort, &first, NULL) || cohort_parse(buf_text(&first), first.length, &again, NULL) || cohort_write(&again, &second, NULL))
                abort();
        if (strcmp(buf_text(&first), buf_text(&second)) != 0)
                abort();
        if (!cohort.rule_count && cohort_admits(&cohort, "00112233445566778899aabbccddeeff", "all", "any"))
                abort();
        return 0;
}
