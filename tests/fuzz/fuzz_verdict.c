/* Any bundle: a verdict that the supervisor would believe in its form, and the same one each time. */
#include "trust/verdict.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
        struct verdict verdict, again;
        char name[VERDICT_NAME_BYTES];
        verdict_decide(bytes, length, &verdict);
        verdict_decide(bytes, length, &again);
        assert(memcmp(&verdict, &again, sizeof(verdict)) == 0);
        enum err e = verdict_check(&verdict, BUNDLE_RECORDS_MAX, NULL);
        assert(e == OK);
        if (verdict.status == VERDICT_WANT)
                verdict_want_name(&verdict, name);
        return 0;
}
