#include "trust/withdrawal.h"

#include "base/limits.h"
#include "format/json.h"

enum { SECOND_MS = 1000, FIRST_BIT = 64 - WITHDRAWAL_DOUBLINGS };
static const int64_t since_max_s = 253402300799;             /* the last second of the year 9999 */

/* In how many doublings the share has grown up to the bucket, as 32 bits and 32 bits of fraction. */
static uint64_t doublings(uint64_t bucket)
{
        unsigned top = 63;
        if (bucket < (uint64_t)1 << FIRST_BIT)
                return 0;
        while (!(bucket >> top))
                top--;
        uint64_t below_top = bucket << (63 - top) << 1;
        return (uint64_t)(top - FIRST_BIT) << 32 | below_top >> 32;
}

/* Less than 2^27 ms (a day) times 2^37 fits. */
int64_t withdrawal_turn_ms(uint64_t bucket, int64_t over_s)
{
        uint64_t over_ms = (uint64_t)over_s * SECOND_MS;
        return (int64_t)((over_ms * doublings(bucket) / WITHDRAWAL_DOUBLINGS) >> 32);
}
_Static_assert((uint64_t)LIMIT_ROLL_BACK_S * SECOND_MS <= UINT64_MAX / ((uint64_t)WITHDRAWAL_DOUBLINGS << 32), "no overflow");

static int64_t jitter_ms(uint64_t bucket, int64_t over_s)
{
        uint64_t span_ms = (uint64_t)(over_s < WITHDRAWAL_JITTER_S ? over_s : WITHDRAWAL_JITTER_S) * SECOND_MS;
        return (int64_t)(span_ms * (bucket >> 32) >> 32);
}

int64_t withdrawal_moment_ms(const struct withdrawal *withdrawal, uint64_t bucket, int64_t heard_ms)
{
        int64_t since_ms = withdrawal->since_s * SECOND_MS, turn_ms = since_ms + withdrawal_turn_ms(bucket, withdrawal->over_s);
        bool is_clock_right = heard_ms >= since_ms - WITHDRAWAL_SKEW_S * SECOND_MS;
        if (withdrawal->over_s && is_clock_right && turn_ms >= heard_ms)
                return turn_ms;
        return heard_ms + jitter_ms(bucket, withdrawal->over_s);
}

bool withdrawal_is_valid(const struct withdrawal *withdrawal)
{
        return withdrawal->counter && withdrawal->counter <= INT64_MAX && withdrawal->since_s >= 0 && withdrawal->since_s <= since_max_s
               && withdrawal->over_s >= 0 && withdrawal->over_s <= LIMIT_ROLL_BACK_S;
}

struct json *withdrawals_json(const struct withdrawal *withdrawals, size_t count)
{
        if (!count)
                return NULL;
        struct json *custom = json_new_object(), *list = json_new_array();
        for (size_t i = 0; i < count; i++) {
                struct json *entry = json_new_object();
                json_set_int(entry, "counter", (int64_t)withdrawals[i].counter);
                json_set_int(entry, "over_s", withdrawals[i].over_s);
                json_set_int(entry, "since", withdrawals[i].since_s);
                json_add(list, entry);
        }
        json_set(custom, "withdrawn", list);
        return custom;
}

size_t withdrawals_read(const struct json *custom, struct withdrawal withdrawals[WITHDRAWALS_MAX])
{
        const struct json *list = json_get(custom, "withdrawn");
        size_t count = 0;
        for (size_t i = 0; i < json_count(list) && count < WITHDRAWALS_MAX; i++) {
                const struct json *entry = json_at(list, i);
                const struct withdrawal withdrawal = { (uint64_t)json_int(json_get(entry, "counter"), 0), json_int(json_get(entry, "since"), -1),
                                                       json_int(json_get(entry, "over_s"), -1) };
                if (withdrawal_is_valid(&withdrawal))
                        withdrawals[count++] = withdrawal;
        }
        return count;
}

const struct withdrawal *withdrawal_find(const struct withdrawal *withdrawals, size_t count, uint64_t counter)
{
        for (size_t i = 0; i < count; i++)
                if (withdrawals[i].counter == counter)
                        return &withdrawals[i];
        return NULL;
}
