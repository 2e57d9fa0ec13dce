/* usage: bench_storm FIRST COUNT      so many seeds from FIRST on; ends at the first that breaks a promise, and names it */
#include "sim/storm.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
        if (argc != 3) {
                fprintf(stderr, "usage: bench_storm FIRST COUNT\n");
                return 64;
        }
        struct storm_tally tally = { 0 };
        uint64_t first = strtoull(argv[1], NULL, 10), end = first + strtoull(argv[2], NULL, 10);
        storm_name_its_seed();
        for (uint64_t seed = first; seed < end; seed++) {
                struct why why = { .text = "" };
                if (storm_run(seed, &tally, &why)) {
                        printf("FAIL %s (again: %s %" PRIu64 " 1)\n", why.text, argv[0], seed);
                        return 1;
                }
        }
        printf("ok   seeds %" PRIu64 " to %" PRIu64 ": %" PRIu64 " inputs, %" PRIu64 " crashes, %" PRIu64 " exposures, %" PRIu64 " hurt, %" PRIu64 " reports, %" PRIu64
               " lost answers, %" PRIu64 " lapsed, %" PRIu64 " overrides, %" PRIu64 " rounds unknown, %" PRIu64 " completed, %" PRIu64 " stopped, %" PRIu64 " withdrawn\n",
               first, end - 1, tally.inputs, tally.crashes, tally.exposures, tally.hurt, tally.reports, tally.answers_lost, tally.lapsed, tally.overrides,
               tally.unknown_rounds, tally.completed, tally.stopped, tally.withdrawn);
        return 0;
}
