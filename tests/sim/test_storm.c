#include "sim/storm.h"

#include "support/test.h"

#include <stdio.h>

enum { SEEDS = 200 };

/* `make bench-long` goes on from here. */
TEST(a_rollout, keeps_its_promises_whatever_befalls_server_network_and_clock)
{
        struct storm_tally tally = { 0 };
        storm_name_its_seed();
        for (uint64_t seed = 0; seed < SEEDS; seed++) {
                struct why why = { .text = "" };
                enum err e = storm_run(seed, &tally, &why);
                if (e)
                        fprintf(stderr, "# %s\n", why.text);
                CHECK(!e);
        }
        CHECK(tally.crashes > SEEDS && tally.exposures > 10 * SEEDS && tally.hurt > SEEDS && tally.answers_lost > SEEDS);
        CHECK(tally.overrides > SEEDS / 10 && tally.unknown_rounds > SEEDS && tally.completed > SEEDS / 10 && tally.stopped > SEEDS / 10);
        CHECK(tally.lapsed > SEEDS / 10 && tally.withdrawn > SEEDS / 20);
}
