/* How near the gate comes to the least possible number of hurt devices (design, "What physics allows").
 *
 * One signal and no strata, through the real library with a budget out of reach, so that only the gate stops it. At once: a few devices are exposed in
 * each slot beside so many controls, fresh ones every time, and answer in it. Lagging: so many a second, whose answers take their time.
 * Baseline and alpha are 1e-3. `weight` is that of the crash process: 1 as if there were no other (alpha is raised for it), else what it really has. Prints one JSON
 * object; the goal is 1.5 times the limit, 2 at the least, or 1.2 times what a lag makes inevitable. */
#include "base/mem.h"
#include "bench/measure.h"
#include "rollout/rollout.h"
#include "rollout/view.h"

#include <math.h>
#include <stdio.h>

enum { FLEET = 400000, LINE_MAX = 33000, GAP_S = 1600, SLOT_MS = (GAP_S + 1) * 1000 / 16, LATE_MAX = 1 << 16 };
static const double baseline = 1e-3, alpha = 1e-3, weight_in_library = 1.0 / ROLLOUT_SIGNALS;
static const int64_t start_ms = 1784432200000;

struct limit_case { const char *name; double ratio, weight; uint32_t controls, batch, runs, lag_s; };

struct late { int64_t at_ms; uint32_t handle; };
struct world {
        struct rollout *rollout;
        struct rollout_device *line;
        struct rollout_pick *picks;
        uint32_t line_count, fresh;              /* fresh: the next device that was never in line */
        struct late *late;                       /* a queue: all lag alike */
        uint32_t late_first, late_count;
        int64_t now_ms, step_ms;
        uint64_t random;
};

static double draw(struct world *world)
{
        uint64_t z = world->random += 0x9E3779B97F4A7C15;
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
        z = (z ^ z >> 27) * 0x94D049BB133111EB;
        return (double)((z ^ z >> 31) >> 11) * 0x1p-53;
}

static void put_fresh(struct world *world, uint32_t at)
{
        uint32_t device = world->fresh++;
        world->line[at] = (struct rollout_device){ .device = device, .bucket = device * UINT64_C(0x9E3779B97F4A7C15), .ring = ROLLOUT_RING_ALL };
}

static uint32_t fleet_of(const struct limit_case *of) { return of->ratio < 100 ? FLEET : FLEET / 10; }

static bool open_rollout(struct world *world, const struct limit_case *of)
{
        struct rollout_policy policy = rollout_policy_default();
        double needed = of->weight < 1 ? 1 / alpha : weight_in_library / alpha + 1 - weight_in_library;
        policy.bake_s = 1;                       /* the cap, `batch` in a bake, is what paces it */
        policy.gap_s = GAP_S;
        policy.gather_s = policy.holdout_ppm = 0;
        policy.budget = 1000000;
        policy.controls = of->controls;
        policy.cap_per_bake = of->batch;
        policy.alpha_ppm = (int64_t)(1e6 / needed);
        policy.complete_ppm = 1000000;
        const struct rollout_config config = { .policy = policy, .fleet = fleet_of(of), .blocks = 1, .leases_max = 3 * fleet_of(of) + (of->ratio < 10 ? 20000000 : of->ratio < 100 ? 2000000 : 400000) };
        return rollout_new(&config, &world->rollout, NULL) == OK && rollout_start(world->rollout, start_ms, NULL) == OK;
}

static bool report(struct world *world, uint32_t handle, bool is_harmed)
{
        const struct rollout_report answer = { world->now_ms, handle, is_harmed ? ROLLOUT_HARMED : ROLLOUT_PROVEN, ROLLOUT_CRASH };
        return rollout_report(world->rollout, &answer, NULL) == OK;
}

/* The harmed answer when their lag is over; the others at once, which changes nothing for the gate. */
static bool answer(struct world *world, const struct limit_case *of, uint32_t handle, bool is_exposed)
{
        if (draw(world) >= baseline * (is_exposed ? of->ratio : 1))
                return report(world, handle, false);
        if (!of->lag_s)
                return report(world, handle, true);
        world->late[(world->late_first + world->late_count++) % LATE_MAX] = (struct late){ world->now_ms + of->lag_s * INT64_C(1000), handle };
        return world->late_count < LATE_MAX;
}

static bool hear_late(struct world *world)
{
        bool is_good = true;
        for (; world->late_count && world->late[world->late_first].at_ms <= world->now_ms && is_good; world->late_count--) {
                is_good = report(world, world->late[world->late_first].handle, true);
                world->late_first = (world->late_first + 1) % LATE_MAX;
        }
        return is_good;
}

static bool step(struct world *world, const struct limit_case *of)
{
        world->now_ms += world->step_ms;
        bool changed = rollout_tick(world->rollout, world->now_ms), is_good = hear_late(world);
        struct rollout_line line = { world->now_ms, world->line, world->line_count, world->picks, 0 };
        if (!is_good || rollout_pick(world->rollout, &line, NULL) || (!changed && !line.picked))
                return is_good;
        for (uint32_t i = 0; i < world->line_count && is_good; i++) {
                int64_t deadline_ms;
                if (line.picks[i].kind == ROLLOUT_WAIT)
                        continue;
                is_good = rollout_granted(world->rollout, line.picks[i].handle, world->now_ms, &deadline_ms, NULL) == OK &&
                          answer(world, of, line.picks[i].handle, line.picks[i].kind == ROLLOUT_EXPOSE);
                if (line.picks[i].kind == ROLLOUT_EXPOSE || of->lag_s)
                        put_fresh(world, i);
        }
        return is_good && world->fresh + world->line_count < fleet_of(of);
}

/* How many were hurt when it stopped: with a lag, those that have not said so yet, too. */
static bool run(const struct limit_case *of, uint64_t seed, struct world *world, double *ret_hurt)
{
        struct rollout_view view = { 0 };
        world->random = seed * 1000003;
        world->fresh = world->late_first = world->late_count = 0;
        world->now_ms = start_ms;
        world->step_ms = of->lag_s ? 1000 * 17 / 16 + 1 : SLOT_MS;
        world->line_count = of->batch * (of->controls + 1);
        if (world->line_count > LINE_MAX || !open_rollout(world, of))
                return false;
        for (uint32_t i = 0; i < world->line_count; i++)
                put_fresh(world, i);
        bool is_good = true;
        while (is_good && view.state != ROLLOUT_HALTED) {
                is_good = step(world, of);
                rollout_view(world->rollout, &view);
        }
        *ret_hurt = (double)view.fleet.hurt + world->late_count;
        rollout_free(world->rollout);
        world->rollout = NULL;
        return is_good;
}

static double limit(const struct limit_case *of)
{
        double weight = of->weight < 1 ? weight_in_library : 1;
        return log(1 / (alpha * weight)) / (log(of->ratio) - 1 + 1 / of->ratio);
}

static double goal(const struct limit_case *of)
{
        double rate = of->batch / (1.0 * 17 / 16);
        return of->lag_s ? 1.2 * (limit(of) + baseline * of->ratio * rate * of->lag_s) : fmax(2, 1.5 * limit(of));
}

static bool print_case(const struct limit_case *of, uint32_t runs, struct world *world, bool is_first)
{
        double sum = 0, squares = 0;
        for (uint32_t seed = 1; seed <= runs; seed++) {
                double hurt;
                if (!run(of, seed, world, &hurt))
                        return false;
                sum += hurt;
                squares += hurt * hurt;
        }
        double mean = sum / runs, error = sqrt(fmax(0, squares / runs - mean * mean) / runs);
        printf("%s{\"case\":\"%s\",\"ratio\":%g,\"weight\":%.3f,\"controls\":%u,\"lag_s\":%u,\"runs\":%u,\"hurt\":%.3f,\"error\":%.3f,\"limit\":%.3f,\"goal\":%.3f}", is_first ? "" : ",",
               of->name, of->ratio, of->weight < 1 ? weight_in_library : 1, of->controls, of->lag_s, runs, mean, error, limit(of), goal(of));
        fflush(stdout);
        return true;
}

int main(int argc, char **argv)
{
        static const struct limit_case cases[] = {
                { "twice", 2, 1, 100, 32, 100, 0 },          { "ten times", 10, 1, 100, 4, 400, 0 },      { "hundred times", 100, 1, 100, 1, 2000, 0 },
                { "hundred times", 100, 1, 1000, 1, 1000, 0 }, { "brick", 1000, 1, 1000, 1, 2000, 0 },    { "brick", 1000, 1, 10000, 1, 200, 0 },
                { "twice", 2, 0, 100, 32, 100, 0 },          { "ten times", 10, 0, 100, 4, 400, 0 },      { "hundred times", 100, 0, 1000, 1, 1000, 0 },
                { "brick", 1000, 0, 1000, 1, 2000, 0 },      { "brick", 1000, 0, 10000, 1, 200, 0 },
                { "lag of ten minutes", 100, 0, 4, 10, 100, 600 }, { "lag of ten minutes", 1000, 0, 4, 2, 100, 600 },
        };
        bool is_smoke = measure_is_smoke(argc, argv), is_good = true;
        struct world world = { .line = mem_new(LINE_MAX, sizeof(*world.line)), .picks = mem_new(LINE_MAX, sizeof(*world.picks)), .late = mem_new(LATE_MAX, sizeof(*world.late)) };
        printf("{\"bench\":\"limit\",\"baseline\":%g,\"alpha\":%g,\"cases\":[", baseline, alpha);
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]) && is_good && world.line && world.picks && world.late; i++)
                if (!is_smoke || cases[i].ratio >= 100)
                        is_good = print_case(&cases[i], is_smoke ? 2 : cases[i].runs, &world, i == 0 || (is_smoke && i == 2));
        printf("]}\n");
        mem_free(world.line);
        mem_free(world.picks);
        mem_free(world.late);
        return is_good ? 0 : 1;
}
