/* How many outcomes a second go through the gate, with 1,000 strata: reports that prove or harm, silences, and every deadline.
 *
 * Prints one JSON object; `decisions` is a digest of everything that was decided, down to the last bit of the evidence. It is the same whatever
 * compiles the library (tools/same-decisions). */
#include "base/mem.h"
#include "rollout/rollout.h"
#include "rollout/view.h"

#include "bench/measure.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { STRATA = 1000, BLOCKS = 300, ROUNDS = 16, MIXED = 4 };
static const int64_t start_ms = 1784432200000;

struct world {
        uint32_t fleet, attributes, waiting;
        struct rollout_device *devices;
        struct rollout_pick *picks;
        uint32_t *handles, handle_count, *order;
        struct rollout *rollout;
        int64_t now_ms;
        uint64_t random, digest, outcomes;
        double reported_s;
};

static uint64_t next(struct world *world)
{
        uint64_t z = world->random += 0x9E3779B97F4A7C15;
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
        z = (z ^ z >> 27) * 0x94D049BB133111EB;
        return z ^ z >> 31;
}

static void digest(struct world *world, const void *bytes, size_t length)
{
        for (size_t i = 0; i < length; i++)
                world->digest = (world->digest ^ ((const unsigned char *)bytes)[i]) * 0x100000001B3;
}

static double seconds(void)
{
        struct timespec now;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
        return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool world_open(struct world *world, uint32_t fleet, uint32_t attributes)
{
        *world = (struct world){ .fleet = fleet, .attributes = attributes, .random = 7, .digest = 0xCBF29CE484222325, .now_ms = start_ms };
        world->devices = mem_new(fleet, sizeof(*world->devices));
        world->picks = mem_new(fleet, sizeof(*world->picks));
        world->handles = mem_new(fleet, sizeof(*world->handles));
        if (!world->devices || !world->picks || !world->handles)
                return false;
        for (uint32_t i = 0; i < fleet; i++) {
                world->devices[i] = (struct rollout_device){ .bucket = next(world), .device = i, .block = (uint32_t)(next(world) % BLOCKS),
                                                             .strata_count = (uint8_t)attributes, .ring = ROLLOUT_RING_ALL };
                for (uint32_t at = 0; at < attributes; at++)
                        world->devices[i].strata[at] = (uint16_t)(at * (STRATA / attributes) + next(world) % (STRATA / attributes));
        }
        struct rollout_policy policy = rollout_policy_default();
        policy.gather_s = 0;
        policy.budget = 1000000;
        policy.controls = 1;
        const struct rollout_config config = { .policy = policy, .fleet = fleet, .blocks = BLOCKS, .strata = STRATA };
        return rollout_new(&config, &world->rollout, NULL) == OK && rollout_start(world->rollout, start_ms, NULL) == OK;
}

static void world_close(struct world *world)
{
        rollout_free(world->rollout);
        mem_free(world->devices);
        mem_free(world->picks);
        mem_free(world->handles);
}

/* One sixteenth of the fleet asks, half of it is exposed and half is control. */
static bool let_in(struct world *world, uint32_t round)
{
        uint32_t from = (uint32_t)((uint64_t)world->fleet * round / ROUNDS), count = (uint32_t)((uint64_t)world->fleet * (round + 1) / ROUNDS) - from;
        struct rollout_line line = { world->now_ms, world->devices + from, count / 2, world->picks, 0 };
        for (unsigned half = 0; half < 2; half++) {
                if (rollout_pick(world->rollout, &line, NULL))
                        return false;
                for (uint32_t i = 0; i < line.count; i++) {
                        int64_t deadline_ms = 0;
                        if (line.picks[i].kind == ROLLOUT_WAIT)
                                continue;
                        if (rollout_granted(world->rollout, line.picks[i].handle, world->now_ms, &deadline_ms, NULL))
                                return false;
                        world->handles[world->handle_count++] = line.picks[i].handle;
                        digest(world, &line.picks[i], sizeof(line.picks[i]));
                        digest(world, &deadline_ms, sizeof(deadline_ms));
                }
                line.devices += line.count;
        }
        return true;
}

/* 1 in 1,000 crashes, 1 in 200 says nothing, in any order. */
static bool report_all(struct world *world)
{
        double before = seconds();
        int64_t lease_ms = rollout_lease_ms(world->rollout);
        for (uint32_t i = 0; i < world->handle_count; i++) {
                uint64_t draw = next(world);
                struct rollout_report report = { .now_ms = start_ms + lease_ms / 2 + (int64_t)((uint64_t)lease_ms / 4 * i / world->handle_count),
                                                 .handle = world->handles[i], .outcome = draw % 1000 ? ROLLOUT_PROVEN : ROLLOUT_HARMED, .kind = (draw >> 32) % ROLLOUT_KINDS };
                if (draw % 200 != 7 && rollout_report(world->rollout, &report, NULL))
                        return false;
        }
        bool changed = false;
        for (int64_t now_ms = start_ms + lease_ms; now_ms <= start_ms + 3 * lease_ms; now_ms += lease_ms / 64)
                changed |= rollout_tick(world->rollout, now_ms);
        world->reported_s = seconds() - before;
        world->outcomes = world->handle_count;
        return changed;
}

static void digest_view(struct world *world)
{
        struct rollout_view view;
        struct rollout_counts counts;
        rollout_view(world->rollout, &view);
        digest(world, &view.evidence, sizeof(view.evidence));
        digest(world, &view.state, sizeof(view.state));
        digest(world, view.sentence, strlen(view.sentence));
        for (uint16_t i = 0; i < STRATA; i++) {
                rollout_view_stratum(world->rollout, i, &counts);
                digest(world, &counts.excess_upper_ppm, sizeof(counts.excess_upper_ppm));
                digest(world, &counts.window, sizeof(counts.window));
                digest(world, &counts.attributed, sizeof(counts.attributed));
        }
}

static void shuffle(struct world *world)
{
        for (uint32_t i = world->handle_count; i > 1; i--) {
                uint32_t at = (uint32_t)(next(world) % i), handle = world->handles[i - 1];
                world->handles[i - 1] = world->handles[at];
                world->handles[at] = handle;
        }
}

static bool run(uint32_t fleet, uint32_t attributes, struct world *world)
{
        bool is_good = world_open(world, fleet, attributes);
        for (uint32_t round = 0; round < ROUNDS && is_good; round++)
                is_good = let_in(world, round);
        shuffle(world);
        is_good = is_good && report_all(world);
        if (is_good)
                digest_view(world);
        world_close(world);
        return is_good;
}

int main(int argc, char **argv)
{
        bool is_smoke = measure_is_smoke(argc, argv);
        static const uint32_t attributes[] = { 1, 4, 8 };
        printf("{\"bench\":\"outcomes\",\"strata\":%d,\"cases\":[", STRATA);
        for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
                struct world world;
                if (!run(is_smoke ? 4000 : 1000000, attributes[i], &world))
                        return 1;
                printf("%s{\"attributes\":%u,\"outcomes\":%llu,\"per_second\":%.0f,\"decisions\":\"%016llx\"}", i ? "," : "", attributes[i],
                       (unsigned long long)world.outcomes, (double)world.outcomes / world.reported_s, (unsigned long long)world.digest);
        }
        printf("]}\n");
        return 0;
}
