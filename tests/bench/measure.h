/* measure.h - what things cost, side by side: the rounds of all cases take turns, so that a machine that slows down slows them all.
 *
 * Prints one JSON object: for each case the median round in ns an operation and, against the case that it names, the median
 * of the ratios within one round. Ratios travel between machines, ns do not. Nothing is asserted about time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct measure_case {
        const char *name, *against;          /* against: the name of an earlier case; NULL: it is a yardstick */
        bool (*once)(void *user);            /* one turn; false: it failed, and so does the benchmark */
        bool (*prepare)(void *user);         /* before each turn, not counted; NULL: nothing to do */
        void *user;
        unsigned operations;                 /* in one turn; 0: 1 */
};

struct measure { const char *name; const struct measure_case *cases; size_t count; bool is_smoke; };

/* usage: bench_x [--smoke]: two turns of each, to see that all still work. Ends the program on anything else. */
bool measure_is_smoke(int argc, char **argv);
int measure_run(const struct measure *measure);      /* the exit code */
