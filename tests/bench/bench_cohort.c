/* A fault confined to one device in 10,000, of one attribute, in a fleet of 8.5 million that is well otherwise: the real pacer with B = 30 among all the
 * others in the same lines. Goal: it hurts no more than 5, or than were out at once of the cohort, if these were more.
 *
 * Out: exposed, and neither answered nor past the deadline; whatever is decided comes too late for them. bench_limit knows no pacer, and a replay's own
 * figures no single stratum, so this stands between the replay and the real director, as bench_false_halts does, and counts.
 *
 * usage: bench_cohort [--seeds N] [--fleet N] [--smoke]. Prints one JSON object, with whether the goal holds; nothing is asserted, as in bench_limit. */
#include "base/arena.h"
#include "base/mem.h"
#include "replay/catalogue.h"
#include "replay/run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FLEET = 8500000, SEEDS = 3, SMOKE_FLEET = 50000, COHORT_PPM = 100, COHORT_MAX = 100000, BUDGET = 30, FEW = 5, MILLION = 1000000 };
/* Per lease, of what is wrong with anybody: bench_limit's. It is silence, which is the hardest to tell from a fault. */
enum { BASELINE_PPM = 1000 };

static const struct fault_case { const char *name; int64_t harm_ppm; const char *sign; } cases[] = {
        { "brick", MILLION, "silence" },
        { "hundred times, silent", 100 * BASELINE_PPM, "silence" },
        { "hundred times, told", 100 * BASELINE_PPM, "crash" },
};

struct setting {
        struct scenario scenario;
        struct scenario_attribute attributes[LIMIT_ATTRIBUTES];
        struct scenario_fault fault;
        uint32_t fleet, seeds;
        uint16_t cohort;                         /* its stratum */
};

struct outstanding { uint32_t handle; int64_t until_ms; };
static struct counter {
        struct outstanding *out;
        uint32_t count, most, exposed;
        uint16_t cohort;
} counter;

static bool is_of_cohort(const struct rollout_device *device)
{
        for (uint8_t i = 0; i < device->strata_count; i++)
                if (device->strata[i] == counter.cohort)
                        return true;
        return false;
}

static struct outstanding *find(uint32_t handle)
{
        for (uint32_t i = 0; i < counter.count; i++)
                if (counter.out[i].handle == handle)
                        return &counter.out[i];
        return NULL;
}

static void drop(struct outstanding *one)
{
        if (one)
                *one = counter.out[--counter.count];
}

static enum err tick(struct director *director, int64_t now_ms, struct why *why)
{
        for (uint32_t i = counter.count; i-- > 0;)
                if (counter.out[i].until_ms <= now_ms)
                        drop(&counter.out[i]);
        return director_firebreak.tick(director, now_ms, why);
}

static enum err pick(struct director *director, struct rollout_line *line, struct why *why)
{
        enum err e = director_firebreak.pick(director, line, why);
        for (size_t i = 0; !e && i < line->count; i++)
                if (line->picks[i].kind == ROLLOUT_EXPOSE && is_of_cohort(&line->devices[i]) && counter.count < COHORT_MAX)
                        counter.out[counter.count++] = (struct outstanding){ line->picks[i].handle, INT64_MAX };
        return e;
}

static enum err granted(struct director *director, uint32_t handle, int64_t now_ms, int64_t *ret_deadline_ms, struct why *why)
{
        struct outstanding *one = find(handle);
        enum err e = director_firebreak.granted(director, handle, now_ms, ret_deadline_ms, why);
        if (e || !one) {
                drop(one);
                return e;
        }
        one->until_ms = *ret_deadline_ms;
        counter.exposed++;
        counter.most = counter.count > counter.most ? counter.count : counter.most;
        return OK;
}

static enum err report(struct director *director, const struct rollout_report *report, struct why *why)
{
        drop(find(report->handle));
        return director_firebreak.report(director, report, why);
}

/* The calm fleet with one attribute more. */
static bool make_setting(struct arena *arena, struct setting *setting)
{
        static struct scenario_value builds[] = { { "common", MILLION - COHORT_PPM }, { "rare", COHORT_PPM } };
        static const char *only[] = { "build=rare" };
        struct scenario *scenario = &setting->scenario;
        const struct catalogue_entry *entry = catalogue_find("good-calm");
        if (!arena || !entry || scenario_read(arena, entry->name, entry->bytes, entry->length, scenario, NULL))
                return false;
        struct yaml_maps *attributes = &scenario->fleet.attributes;
        const struct scenario_attribute *known = attributes->items;
        if (attributes->count >= LIMIT_ATTRIBUTES)
                return false;
        for (size_t i = 0; i < attributes->count; i++) {
                setting->attributes[i] = known[i];
                setting->cohort += (uint16_t)known[i].values.count;
        }
        setting->cohort++;                       /* strata are numbered through all values */
        setting->attributes[attributes->count] = (struct scenario_attribute){ "build", { 2, builds } };
        *attributes = (struct yaml_maps){ attributes->count + 1, setting->attributes };
        setting->fault = (struct scenario_fault){ .name = "of the cohort", .only = { 1, only }, .susceptible_ppm = MILLION, .onset = "load", .after_s = 60, .told_ppm = MILLION,
                                                  .untold = "silence", .heals = "revert" };
        scenario->faults = (struct yaml_maps){ 1, &setting->fault };
        scenario->weather.dark_ppm = BASELINE_PPM;
        return true;
}

static bool run(const struct setting *setting, uint64_t seed, struct replay_result *result)
{
        struct director_ops ops = director_firebreak;
        ops.tick = tick;
        ops.pick = pick;
        ops.granted = granted;
        ops.report = report;
        struct replay_config config = { .scenario = &setting->scenario, .director = &ops, .policy = rollout_policy_default(), .fleet = setting->fleet, .seed = seed };
        struct why why = { .text = "" };
        config.policy.budget = BUDGET;
        counter = (struct counter){ .out = counter.out, .cohort = setting->cohort };
        enum err e = replay_run(&config, result, &why);
        if (e)
                fprintf(stderr, "cohort: seed %" PRIu64 ": %s\n", seed, why.text);
        return !e;
}

static void print_run(const struct fault_case *of, uint64_t seed, const struct replay_result *result, bool is_first)
{
        const char *stopper = rollout_stopper_word(result->stopped_by);
        uint32_t goal = counter.most > FEW ? counter.most : FEW;
        printf("%s\n {\"case\":\"%s\",\"seed\":%" PRIu64 ",\"susceptible\":%u,\"hurt\":%u,\"out_at_once\":%u,\"goal\":%u,\"holds\":%s,\"cohort_exposed\":%u,\"exposed\":%u,\"stopped_by\":\"%s\",\"stop_s\":%" PRId64 "}",
               is_first ? "" : ",", of->name, seed, result->susceptible, result->hurt, counter.most, goal, result->hurt <= goal ? "true" : "false", counter.exposed, result->exposed, stopper ? stopper : "-",
               result->stop_s);
        fflush(stdout);
}

static bool run_all(struct setting *setting)
{
        bool is_first = true;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
                for (uint64_t seed = 1; seed <= setting->seeds; seed++, is_first = false) {
                        struct replay_result result;
                        setting->fault.harm_ppm = cases[i].harm_ppm;
                        setting->fault.sign = cases[i].sign;
                        if (!run(setting, seed, &result))
                                return false;
                        print_run(&cases[i], seed, &result, is_first);
                        replay_result_done(&result);
                }
        return true;
}

static bool read_wish(int argc, char **argv, struct setting *setting)
{
        for (int i = 1; i < argc; i++) {
                long number = i + 1 < argc ? strtol(argv[i + 1], NULL, 10) : 0;
                if (!strcmp(argv[i], "--smoke")) {
                        setting->fleet = SMOKE_FLEET;
                        setting->seeds = 1;
                } else if (!strcmp(argv[i], "--seeds") && number > 0 && number <= MILLION && ++i)
                        setting->seeds = (uint32_t)number;
                else if (!strcmp(argv[i], "--fleet") && number > 0 && number <= LIMIT_REPLAY_DEVICES && ++i)
                        setting->fleet = (uint32_t)number;
                else
                        return false;
        }
        return true;
}

int main(int argc, char **argv)
{
        static struct setting setting = { .fleet = FLEET, .seeds = SEEDS };
        OWN(arena) struct arena *arena = arena_new(LIMIT_YAML_BYTES);
        if (!read_wish(argc, argv, &setting)) {
                fprintf(stderr, "usage: %s [--seeds N] [--fleet N] [--smoke]\n", argv[0]);
                return 64;
        }
        counter.out = mem_new(COHORT_MAX, sizeof(*counter.out));
        bool is_good = counter.out && make_setting(arena, &setting);
        printf("{\"bench\":\"cohort\",\"fleet\":%u,\"cohort\":%g,\"budget\":%d,\"baseline\":%g,\"runs\":[", setting.fleet, (double)COHORT_PPM / MILLION, BUDGET, (double)BASELINE_PPM / MILLION);
        is_good = is_good && run_all(&setting);
        printf("]}\n");
        mem_free(counter.out);
        return is_good ? 0 : 1;
}
