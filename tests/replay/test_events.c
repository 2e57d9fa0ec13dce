#include "replay/events.h"

#include "support/test.h"

static void put(struct events *events, int64_t at_ms, uint32_t device)
{
        CHECK(events_put(events, &(struct event){ at_ms, device, device + 1, 2, 3 }, NULL) == OK);
}

TEST(events, come_in_the_order_of_time_and_then_of_their_coming)
{
        OWN(events) struct events *events = NULL;
        const struct event *items = NULL;
        size_t count = 0, sum = 0;
        CHECK(events_open(10, 15000, &events, NULL) == OK);
        for (uint32_t i = 0; i < 1000; i++)
                put(events, i * 7919 % 150000, i);
        for (uint32_t i = 0; i < 1000; i++)
                put(events, i * 7919 % 150000, 1000 + i);
        for (uint32_t round = 0; round < 10; round++) {
                CHECK(events_take(events, round, &items, &count, NULL) == OK);
                for (size_t i = 0; i < count; i++) {
                        CHECK(items[i].at_ms / 15000 == round && items[i].handle == items[i].device + 1 && items[i].kind == 2 && items[i].detail == 3);
                        CHECK(!i || items[i - 1].at_ms < items[i].at_ms || (items[i - 1].at_ms == items[i].at_ms && items[i - 1].device < items[i].device));
                }
                sum += count;
        }
        CHECK(sum == 2000 && !events_waiting(events));
}

TEST(events, of_a_round_that_is_over_come_next)
{
        OWN(events) struct events *events = NULL;
        const struct event *items = NULL;
        size_t count = 0;
        CHECK(events_open(10, 1000, &events, NULL) == OK);
        CHECK(events_take(events, 3, &items, &count, NULL) == OK && !count);
        put(events, 500, 1);
        CHECK(events_take(events, 3, &items, &count, NULL) == OK && count == 1 && items[0].device == 1);
}

TEST(events, beyond_the_last_round_are_none)
{
        OWN(events) struct events *events = NULL;
        CHECK(events_open(10, 1000, &events, NULL) == OK);
        put(events, 10000, 1);
        CHECK(!events_waiting(events));
}
