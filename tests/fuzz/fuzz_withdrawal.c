/* What stands beside a cohort document: nothing that is read keeps a device waiting for longer than it says. */
#include "base/limits.h"
#include "format/json.h"
#include "trust/withdrawal.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
        OWN(json) struct json *json = NULL;
        struct withdrawal withdrawals[WITHDRAWALS_MAX];
        if (json_parse(bytes, length, 1 << 16, &json, NULL) != OK)
                return 0;
        size_t count = withdrawals_read(json, withdrawals);
        for (size_t i = 0; i < count; i++) {
                int64_t heard_ms = withdrawals[i].since_s * 1000, moment_ms = withdrawal_moment_ms(&withdrawals[i], (uint64_t)length << 48, heard_ms);
                if (!withdrawal_is_valid(&withdrawals[i]) || moment_ms < heard_ms || moment_ms > heard_ms + LIMIT_ROLL_BACK_S * 1000)
                        abort();
        }
        return 0;
}
