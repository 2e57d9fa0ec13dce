#include "agent/allowance.h"

#include "base/limits.h"
#include "support/test.h"

enum { RATE = 10000, MOST = RATE * ALLOWANCE_BURST_S };

TEST(allowance, gives_all_where_there_is_no_limit)
{
        struct allowance one;
        allowance_init(&one, 0, 5);
        CHECK(allowance_slice(&one, 1, 5) == UINT64_MAX && allowance_ready_ms(&one, UINT64_MAX, 5) == 5);
        allowance_spend(&one, UINT64_MAX, 6);
        CHECK(allowance_slice(&one, UINT64_MAX, 6) == UINT64_MAX);
}

TEST(allowance, starts_empty_and_holds_no_more_than_its_burst)
{
        struct allowance one;
        allowance_init(&one, RATE, 5);
        CHECK(allowance_slice(&one, 1, 5) == 0 && allowance_slice(&one, 0, 5) == 0);
        CHECK(allowance_slice(&one, 1, 105) == RATE / 10);
        CHECK(allowance_slice(&one, UINT64_MAX, 5 + 1000 * ALLOWANCE_BURST_S - 1) == 0);
        CHECK(allowance_slice(&one, UINT64_MAX, 5 + 1000 * ALLOWANCE_BURST_S) == MOST);
        CHECK(allowance_slice(&one, UINT64_MAX, INT64_MAX) == MOST);
}

TEST(allowance, is_ready_when_it_says_and_not_before)
{
        static const uint64_t wanted[] = { 0, 1, 9, 10, 9999, 10001, MOST - 1, MOST, MOST + 1, UINT64_MAX };
        for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
                struct allowance one;
                allowance_init(&one, RATE, 0);
                allowance_spend(&one, 12345, 0);
                const int64_t at_ms = allowance_ready_ms(&one, wanted[i], 0);
                CHECK(at_ms > 1234 && !allowance_slice(&one, wanted[i], at_ms - 1));
                allowance_init(&one, RATE, 0);
                allowance_spend(&one, 12345, 0);
                CHECK(allowance_slice(&one, wanted[i], at_ms) && allowance_ready_ms(&one, wanted[i], at_ms) == at_ms);
        }
}

/* However the bytes are cut, and however often somebody asks: never more than the limit and one burst. */
TEST(allowance, keeps_the_limit_over_all_that_is_fetched)
{
        for (int64_t step_ms = 1; step_ms < 5000; step_ms = step_ms * 3 + 1) {
                struct allowance one;
                uint64_t fetched = 0;
                allowance_init(&one, RATE, 0);
                for (int64_t now_ms = 0; now_ms <= 100000; now_ms += step_ms) {
                        const uint64_t slice = allowance_slice(&one, 30000, now_ms);
                        const uint64_t bytes = slice < 30000 ? slice : 30000;
                        allowance_spend(&one, bytes, now_ms);
                        fetched += bytes;
                        CHECK(fetched <= (uint64_t)(RATE * now_ms / 1000));
                }
                CHECK(fetched >= RATE * 100 / 2);
        }
}

TEST(allowance, is_not_upset_by_the_ends_of_its_numbers)
{
        struct allowance one;
        allowance_init(&one, LIMIT_BANDWIDTH_MOST, 0);
        for (int i = 0; i < 3; i++)
                allowance_spend(&one, UINT64_MAX, 0);
        CHECK(!allowance_slice(&one, 1, 1000));
        allowance_init(&one, LIMIT_BANDWIDTH_LEAST, 0);
        allowance_spend(&one, UINT64_MAX, 0);
        const int64_t at_ms = allowance_ready_ms(&one, 1, 0);
        CHECK(at_ms > 0 && allowance_slice(&one, 1, at_ms) >= 1);
        CHECK(!allowance_slice(&one, UINT64_MAX, at_ms - 1000));             /* a clock that goes back takes nothing, and gives nothing */
}
