#include "bench/measure.h"

#include <assert.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
        ROUNDS = 9, CASES_MAX = 32, TURNS_MAX = 1 << 20, SMOKE_TURNS = 2,
        ROUND_NS = 10000000,                 /* turns are added until a round takes this, */
        ROUND_WHOLE_NS = 200000000,          /* or this with what prepares them */
};

struct row { unsigned turns; double ns[ROUNDS]; };    /* ns: of one operation */

bool measure_is_smoke(int argc, char **argv)
{
        bool is_smoke = argc == 2 && strcmp(argv[1], "--smoke") == 0;
        if (argc > 1 && !is_smoke) {
                fprintf(stderr, "usage: %s [--smoke]\n", argv[0]);
                exit(64);
        }
        return is_smoke;
}

static int64_t now_ns(void)
{
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* The time of so many turns without what prepared them; -1: one failed. */
static int64_t turn_prepared(const struct measure_case *one, unsigned turns)
{
        int64_t sum = 0;
        for (unsigned turn = 0; turn < turns; turn++) {
                if (!one->prepare(one->user))
                        return -1;
                int64_t began = now_ns();
                if (!one->once(one->user))
                        return -1;
                sum += now_ns() - began;
        }
        return sum;
}

static int64_t turn(const struct measure_case *one, unsigned turns)
{
        if (one->prepare)
                return turn_prepared(one, turns);
        int64_t began = now_ns();
        for (unsigned i = 0; i < turns; i++)
                if (!one->once(one->user))
                        return -1;
        return now_ns() - began;
}

/* How many turns make a round; 0: one failed. It warms up, too. */
static unsigned find_turns(const struct measure_case *one)
{
        for (unsigned turns = 1;; turns *= 2) {
                int64_t began = now_ns(), ns = turn(one, turns);
                if (ns < 0)
                        return 0;
                if (ns >= ROUND_NS || now_ns() - began >= ROUND_WHOLE_NS || turns >= TURNS_MAX)
                        return turns;
        }
}

static bool run_rounds(const struct measure *measure, struct row *rows, unsigned rounds)
{
        for (unsigned round = 0; round < rounds; round++)
                for (size_t i = 0; i < measure->count; i++) {
                        const struct measure_case *one = &measure->cases[i];
                        int64_t ns = turn(one, rows[i].turns);
                        if (ns < 0) {
                                fprintf(stderr, "%s: %s failed\n", measure->name, one->name);
                                return false;
                        }
                        rows[i].ns[round] = (double)ns / rows[i].turns / (one->operations ? one->operations : 1);
                }
        return true;
}

static int compare(const void *a, const void *b)
{
        double left = *(const double *)a, right = *(const double *)b;
        return (left > right) - (left < right);
}

static double median(const double *values, unsigned count)
{
        double sorted[ROUNDS];
        memcpy(sorted, values, count * sizeof(*values));
        qsort(sorted, count, sizeof(*sorted), compare);
        return sorted[count / 2];
}

static double ratio(const struct row *row, const struct row *against, unsigned rounds)
{
        double ratios[ROUNDS];
        for (unsigned i = 0; i < rounds; i++)
                ratios[i] = against->ns[i] > 0 ? row->ns[i] / against->ns[i] : 0;
        return median(ratios, rounds);
}

static size_t find(const struct measure *measure, const char *name)
{
        size_t at = 0;
        while (at < measure->count && strcmp(measure->cases[at].name, name) != 0)
                at++;
        assert(at < measure->count);
        return at;
}

static void print(const struct measure *measure, const struct row *rows, unsigned rounds)
{
        printf("{\"bench\":\"%s\",\"rounds\":%u,\"cases\":{", measure->name, rounds);
        for (size_t i = 0; i < measure->count; i++) {
                const struct measure_case *one = &measure->cases[i];
                printf("%s\"%s\":{\"ns\":%.0f", i ? "," : "", one->name, median(rows[i].ns, rounds));
                if (one->against)
                        printf(",\"ratio\":%.3g,\"against\":\"%s\"", ratio(&rows[i], &rows[find(measure, one->against)], rounds), one->against);
                printf("}");
        }
        printf("}}\n");
}

int measure_run(const struct measure *measure)
{
        static struct row rows[CASES_MAX];
        unsigned rounds = measure->is_smoke ? 1 : ROUNDS;
        assert(measure->count <= CASES_MAX);
        for (size_t i = 0; i < measure->count; i++) {
                rows[i].turns = measure->is_smoke ? SMOKE_TURNS : find_turns(&measure->cases[i]);
                if (!rows[i].turns) {
                        fprintf(stderr, "%s: %s failed\n", measure->name, measure->cases[i].name);
                        return 1;
                }
        }
        if (!run_rounds(measure, rows, rounds))
                return 1;
        print(measure, rows, rounds);
        return 0;
}
