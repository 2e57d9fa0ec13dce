#include "trust/withdrawal.h"

#include "base/limits.h"
#include "format/canon.h"
#include "format/json.h"
#include "support/test.h"

#include <string.h>

enum { SINCE = 1784432200, SECOND = 1000 };
static const struct withdrawal slow = { 4, SINCE, 1700 };

/* The share of the fleet that went back after so long, as a bound of buckets: found by halving, as the turn only grows. */
static uint64_t share_after(int64_t after_ms, int64_t over_s)
{
        uint64_t low = 0, high = UINT64_MAX;
        while (low < high) {
                uint64_t middle = low + (high - low) / 2 + 1;
                if (withdrawal_turn_ms(middle, over_s) <= after_ms)
                        low = middle;
                else
                        high = middle - 1;
        }
        return low;
}

TEST(withdrawal, begins_with_a_few_and_doubles_until_everybody_went)
{
        CHECK(withdrawal_turn_ms(0, 1700) == 0 && withdrawal_turn_ms(((uint64_t)1 << 47) - 1, 1700) == 0 && withdrawal_turn_ms((uint64_t)1 << 47, 1700) == 0);
        for (unsigned k = 0; k < WITHDRAWAL_DOUBLINGS; k++)
                CHECK(withdrawal_turn_ms((uint64_t)1 << (47 + k), 1700) == 100 * SECOND * k);
        CHECK(withdrawal_turn_ms((uint64_t)3 << 62, 1700) == 1650 * SECOND);
        CHECK(withdrawal_turn_ms(UINT64_MAX, 1700) == 1700 * SECOND - 1);
        for (unsigned k = 1; k < WITHDRAWAL_DOUBLINGS; k++) {
                double grown = (double)share_after(100 * SECOND * k, 1700) / (double)share_after(100 * SECOND * (k - 1), 1700);
                CHECK(grown > 1.999 && grown < 2.001);
        }
        CHECK(share_after(1700 * SECOND, 1700) == UINT64_MAX);
}

TEST(withdrawal, keeps_the_order_of_buckets_whatever_the_time_it_takes)
{
        static const int64_t over[] = { 0, 1, 7, 600, LIMIT_ROLL_BACK_S };
        for (size_t i = 0; i < sizeof(over) / sizeof(over[0]); i++) {
                int64_t before = 0;
                for (uint64_t bucket = 0; bucket < UINT64_MAX - ((uint64_t)1 << 50); bucket += (uint64_t)1 << 50) {
                        int64_t turn = withdrawal_turn_ms(bucket, over[i]);
                        CHECK(turn >= before && turn <= over[i] * SECOND);
                        before = turn;
                }
                CHECK(withdrawal_turn_ms(UINT64_MAX, over[i]) <= over[i] * SECOND);
        }
}

/* For those who write another device: the buckets are the vectors of test_cohort.c. */
TEST(withdrawal, gives_the_published_buckets_the_turns_that_are_written_down)
{
        CHECK(withdrawal_turn_ms(0x172de05add10dfa2, 600) == 474660);
        CHECK(withdrawal_turn_ms(0xc0d7198922aec475, 600) == 582584);
        CHECK(withdrawal_turn_ms(0x9523e78e05b5c97b, 600) == 570534);
}

TEST(withdrawal, lets_a_device_go_at_its_turn)
{
        uint64_t half = (uint64_t)1 << 63;
        CHECK(withdrawal_moment_ms(&slow, half, SINCE * (int64_t)SECOND) == (SINCE + 1600) * (int64_t)SECOND);
        CHECK(withdrawal_moment_ms(&slow, half, (SINCE + 1600) * (int64_t)SECOND) == (SINCE + 1600) * (int64_t)SECOND);
        CHECK(withdrawal_moment_ms(&slow, half, (SINCE - WITHDRAWAL_SKEW_S) * (int64_t)SECOND) == (SINCE + 1600) * (int64_t)SECOND);
}

/* Too late, or by a clock that is further behind than any that the server talks to. */
TEST(withdrawal, lets_whoever_comes_late_go_within_seconds_and_not_all_at_once)
{
        static const int64_t heard_s[] = { SINCE + 1601, SINCE + 1700, SINCE + 90000, SINCE - WITHDRAWAL_SKEW_S - 1, 0 };
        for (size_t i = 0; i < sizeof(heard_s) / sizeof(heard_s[0]); i++) {
                int64_t heard = heard_s[i] * SECOND;
                CHECK(withdrawal_moment_ms(&slow, (uint64_t)1 << 63, heard) == heard + WITHDRAWAL_JITTER_S * SECOND / 2);
                CHECK(withdrawal_moment_ms(&slow, 0, heard) == heard);
        }
        int64_t late = (SINCE + 90000) * (int64_t)SECOND;
        CHECK(withdrawal_moment_ms(&slow, UINT64_MAX, late) < late + WITHDRAWAL_JITTER_S * SECOND);
        const struct withdrawal quick = { 4, SINCE, 2 }, at_once = { 4, SINCE, 0 };
        CHECK(withdrawal_moment_ms(&quick, UINT64_MAX, late) < late + 2 * SECOND);
        CHECK(withdrawal_moment_ms(&at_once, UINT64_MAX, late) == late && withdrawal_moment_ms(&at_once, UINT64_MAX, SINCE * (int64_t)SECOND - 5) == SINCE * (int64_t)SECOND - 5);
}

static size_t read_text(const char *text, struct withdrawal withdrawals[WITHDRAWALS_MAX])
{
        OWN(json) struct json *json = NULL;
        CHECK(json_parse(text, strlen(text), 1 << 16, &json, NULL) == OK);
        return withdrawals_read(json, withdrawals);
}

TEST(withdrawal, is_read_as_it_was_written)
{
        static const struct withdrawal two[] = { { 3, SINCE - 90, 0 }, { 4, SINCE, 600 } };
        struct withdrawal again[WITHDRAWALS_MAX];
        OWN(json) struct json *custom = withdrawals_json(two, 2);
        OWN(buf) struct buf text;
        buf_init(&text, 4096);
        CHECK(canon_write(custom, &text, NULL) == OK);
        CHECK(strcmp(buf_text(&text), "{\"withdrawn\":[{\"counter\":3,\"over_s\":0,\"since\":1784432110},{\"counter\":4,\"over_s\":600,\"since\":1784432200}]}") == 0);
        CHECK(withdrawals_read(custom, again) == 2);
        const struct withdrawal *found = withdrawal_find(again, 2, 4);
        CHECK(found && found->since_s == SINCE && found->over_s == 600 && !withdrawal_find(again, 2, 5) && !withdrawal_find(again, 0, 4));
        CHECK(!withdrawals_json(two, 0) && withdrawals_read(NULL, again) == 0);
}

TEST(withdrawal, leaves_out_what_is_none)
{
        static const char *const bad[] = {
                "{}", "[]", "{\"withdrawn\":4}", "{\"withdrawn\":{}}", "{\"withdrawn\":[4,null,\"4\",[]]}", "{\"withdrawn\":[{\"counter\":4}]}",
                "{\"withdrawn\":[{\"counter\":0,\"over_s\":1,\"since\":1}]}", "{\"withdrawn\":[{\"counter\":-4,\"over_s\":1,\"since\":1}]}",
                "{\"withdrawn\":[{\"counter\":4,\"over_s\":-1,\"since\":1}]}", "{\"withdrawn\":[{\"counter\":4,\"over_s\":86401,\"since\":1}]}",
                "{\"withdrawn\":[{\"counter\":4,\"over_s\":9223372036854775807,\"since\":1}]}", "{\"withdrawn\":[{\"counter\":4,\"over_s\":1,\"since\":-1}]}",
                "{\"withdrawn\":[{\"counter\":4,\"over_s\":1,\"since\":9223372036854775807}]}", "{\"withdrawn\":[{\"counter\":4,\"over_s\":\"1\",\"since\":1}]}",
        };
        struct withdrawal withdrawals[WITHDRAWALS_MAX];
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                CHECK(read_text(bad[i], withdrawals) == 0);
        CHECK(read_text("{\"withdrawn\":[{\"counter\":-1},{\"counter\":4,\"over_s\":86400,\"since\":0,\"later\":true}],\"more\":1}", withdrawals) == 1);
        CHECK(withdrawals[0].counter == 4 && withdrawals[0].over_s == 86400 && withdrawals[0].since_s == 0);
}

TEST(withdrawal, reads_no_more_than_there_is_room_for)
{
        OWN(buf) struct buf text;
        struct withdrawal withdrawals[WITHDRAWALS_MAX];
        buf_init(&text, 1 << 16);
        buf_add_text(&text, "{\"withdrawn\":[");
        for (int i = 1; i <= WITHDRAWALS_MAX + 1; i++)
                buf_addf(&text, "%s{\"counter\":%d,\"over_s\":1,\"since\":1}", i > 1 ? "," : "", i);
        buf_add_text(&text, "]}");
        CHECK(read_text(buf_text(&text), withdrawals) == WITHDRAWALS_MAX && withdrawals[WITHDRAWALS_MAX - 1].counter == WITHDRAWALS_MAX);
}
