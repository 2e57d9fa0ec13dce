/* The child is this test itself, which knows no word `fetch` and ends at once: a fetcher that is never there. */
#include "agent/caller.h"

#include "platform/channel.h"
#include "support/sim_clock.h"
#include "support/sim_random.h"
#include "support/test.h"

struct heard { unsigned count; enum err e; };

static void hear(void *user, enum err e, const struct fetch_answer *answer)
{
        struct heard *heard = user;
        CHECK(!answer);
        heard->count++;
        heard->e = e;
}

static void ask(struct caller *caller, struct heard *heard)
{
        unsigned before = heard->count;
        caller_get(caller, &(struct caller_get){ "/v1/x", "x", 10, false }, hear, heard);
        const int file = caller_file(caller);
        for (bool is_ready = false; heard->count == before;) {
                CHECK(channel_wait(&file, 1, 1000, &is_ready, NULL) == OK);
                if (is_ready)
                        caller_take(caller);
        }
}

TEST(caller, asks_to_be_woken_at_the_end_of_a_pause_and_not_after_it)
{
        static const struct identity identity = { .version = 1 };
        struct sim_clock clock;
        struct sim_random random;
        struct heard heard = { 0 };
        sim_clock_init(&clock, 1784432200);
        sim_random_init(&random, 1);
        OWN(caller) struct caller *caller = NULL;
        CHECK(caller_new(&(struct caller_setup){ "/no/such.yaml", &identity, &clock.clock, &random.source, 60000 }, &caller, NULL) == OK);
        CHECK(caller_is_free(caller, clock.steady) && caller_wake_ms(caller) == INT64_MAX);
        for (unsigned i = 0; i < 3; i++) {
                ask(caller, &heard);
                CHECK(heard.count == i + 1 && heard.e == ERR_UNAVAILABLE && !caller_is_free(caller, clock.steady));
                int64_t wake = caller_wake_ms(caller);
                CHECK(wake > clock.steady && wake < clock.steady + 60000);
                sim_clock_pass(&clock, wake - clock.steady);
                CHECK(caller_is_free(caller, clock.steady) && caller_wake_ms(caller) == INT64_MAX);
        }
}
