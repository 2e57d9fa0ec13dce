/* How often a harmless release is halted by the gate, and how often the budget holds it: real rollout code, simulated fleets of 20,000 devices in
 * three kinds of weather. One seed is one rollout; the same seeds give the same counts, however many threads run them.
 *
 * gate: a budget that never stops it, and growth so slow that there are many looks; alpha is 1e-3. The exact 99 % interval (Clopper, Pearson 1934) of
 * the rate of halts must include alpha or lie below it, or this fails. Half an hour of watch after the last exposure; every twentieth seed again with the three days that are the default. budget: the default policy, B = 30, every twentieth seed.
 *
 * --journal FILE: what was run is kept there and not run again: for runs that are broken off. Delete it when the code has changed. With --jobs 0 nothing
 * is run: it says what the journal has.
 * --deaf: half of the harm of control is not heard. Then the interval must lie above alpha somewhere (else this fails), or it could not see a gate that is wrong. */
#include "base/arena.h"
#include "base/mem.h"
#include "replay/catalogue.h"
#include "replay/run.h"

#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FLEET = 20000, WEATHERS = 3, KINDS = 4, TRIALS = WEATHERS * KINDS, SEEDS = 10000, SMOKE_SEEDS = 2, BUDGET_EACH = 20, JOBS_MAX = 64, GATE_CAP = 1250, GATE_BUDGET = 300,
       GATE_WATCH_S = 1800, GATE_ALPHA_PPM = 1000 };

enum kind { KIND_GATE, KIND_BUDGET, KIND_BUDGET_SEEN_SILENCE, KIND_GATE_WATCHING };
static const char *const kind_names[KINDS] = { "gate", "budget", "budget, bound_silence 0", "gate, three days of watch" };

/* Seeds take the scenarios by turns. A tenth of their fleet has a tenth of their sites, and asks twice as often, so that there is a line to choose from:
 * volunteers first. More silence and crashes than there are, or the gate would have little to look at; so many and so flaky volunteers that it would show if
 * they were compared with others. An old version of the system crashes ten times as often as the others, a model five times: who is suspect is exposed first. */
enum { SITES = 40, POLL_S = 150, DARK_PPM = 5000, CRASH_PPM_PER_DAY = 300000 };
static const struct weather_kind { const char *name, *scenarios[2]; int64_t early_ppm, early_factor_pct; } weathers[WEATHERS] = {
        { "calm", { "good-calm", "good-calm" }, 20000, 100 },
        { "night and Monday", { "good-night", "good-monday" }, 20000, 100 },
        { "power cuts, flaky volunteers", { "good-power-cuts", "good-power-cuts" }, 200000, 500 },
};

static const char *const old_version = "os_version=n-3", *const odd_model = "model=surface";
static const struct scenario_flaky flaky[] = { { { 1, (const char **)&old_version }, 1000 }, { { 1, (const char **)&odd_model }, 500 } };

struct outcome { double highest; uint32_t looks, changes; uint8_t is_done, stopped_by, is_complete; };

struct bench {
        struct scenario scenarios[WEATHERS][2];
        struct outcome *outcomes[TRIALS];
        uint32_t seeds;
        FILE *journal;
        bool is_deaf, is_failed;
        uint64_t next, total, done, skipped, halted;
        time_t began, told;
        pthread_mutex_t lock;
};

/* Stands between the replay and the real director, and counts. */
enum { HANDLES = 64 * FLEET };
struct looker { bool is_deaf; uint32_t looks, changes; double evidence, highest; bool *is_control; };      /* of each handle */
static _Thread_local struct looker looker;

static enum err tick(struct director *director, int64_t now_ms, struct why *why)
{
        looker.looks++;
        return director_firebreak.tick(director, now_ms, why);
}

/* Of each second control device, by a hash of its lease. */
static bool is_unheard(const struct rollout_report *report)
{
        return looker.is_deaf && report->outcome == ROLLOUT_HARMED && report->handle < HANDLES && looker.is_control[report->handle] && report->handle * 2654435769u >> 31;
}

static enum err report(struct director *director, const struct rollout_report *report, struct why *why)
{
        struct rollout_report heard = *report;
        looker.looks++;
        if (is_unheard(report))
                heard.outcome = ROLLOUT_PROVEN;
        return director_firebreak.report(director, &heard, why);
}

static void view(const struct director *director, struct director_view *ret_view)
{
        director_firebreak.view(director, ret_view);
        looker.changes += ret_view->evidence != looker.evidence;
        looker.evidence = ret_view->evidence;
        looker.highest = fmax(looker.highest, looker.evidence);
}

static enum err pick(struct director *director, struct rollout_line *line, struct why *why)
{
        enum err e = director_firebreak.pick(director, line, why);
        for (size_t i = 0; !e && looker.is_deaf && i < line->count; i++)
                if (line->picks[i].kind != ROLLOUT_WAIT && line->picks[i].handle < HANDLES)
                        looker.is_control[line->picks[i].handle] = line->picks[i].kind == ROLLOUT_SHADOW;
        return e;
}

static enum kind kind_of(size_t trial) { return (enum kind)(trial / WEATHERS); }
static bool is_of_gate(enum kind kind) { return kind == KIND_GATE || kind == KIND_GATE_WATCHING; }

/* By turns, also for every twentieth. */
static unsigned scenario_of(uint32_t seed) { return (seed + seed / BUDGET_EACH) % 2; }

static bool is_meant(const struct bench *bench, size_t trial, uint32_t seed)
{
        return seed < bench->seeds && (kind_of(trial) == KIND_GATE || (!bench->is_deaf && seed % BUDGET_EACH == 0));
}

static struct rollout_policy policy_of(enum kind kind)
{
        struct rollout_policy policy = rollout_policy_default();
        policy.bound_silence = kind != KIND_BUDGET_SEEN_SILENCE;
        if (!is_of_gate(kind))
                return policy;
        policy.budget = GATE_BUDGET;
        policy.alpha_ppm = GATE_ALPHA_PPM;
        policy.cap_per_bake = GATE_CAP;
        policy.watch_s = kind == KIND_GATE ? GATE_WATCH_S : policy.watch_s;
        return policy;
}

static bool run_one(struct bench *bench, size_t trial, uint32_t seed, struct outcome *outcome)
{
        struct director_ops ops = director_firebreak;
        ops.tick = tick;
        ops.report = report;
        ops.view = view;
        ops.pick = pick;
        const struct replay_config config = { .scenario = &bench->scenarios[trial % WEATHERS][scenario_of(seed)], .director = &ops, .policy = policy_of(kind_of(trial)),
                                              .fleet = FLEET, .seed = seed + 1, .tail_s = kind_of(trial) == KIND_GATE ? GATE_WATCH_S : 0 };
        struct replay_result result;
        struct why why = { .text = "" };
        looker = (struct looker){ .is_deaf = bench->is_deaf, .is_control = looker.is_control };
        if (replay_run(&config, &result, &why)) {
                fprintf(stderr, "false_halts: seed %u: %s\n", seed + 1, why.text);
                return false;
        }
        *outcome = (struct outcome){ looker.highest, looker.looks, looker.changes, true, (uint8_t)result.stopped_by, result.complete_s >= 0 };
        replay_result_done(&result);
        return true;
}

/* One that is not done yet; seeds of all trials by turns, so that whatever is broken off has some of each. */
static bool take(struct bench *bench, size_t *ret_trial, uint32_t *ret_seed)
{
        bool is_found = false;
        pthread_mutex_lock(&bench->lock);
        for (; !is_found && !bench->is_failed && bench->next < (uint64_t)bench->seeds * TRIALS; bench->next++) {
                *ret_trial = bench->next % TRIALS;
                *ret_seed = (uint32_t)(bench->next / TRIALS);
                is_found = is_meant(bench, *ret_trial, *ret_seed) && !bench->outcomes[*ret_trial][*ret_seed].is_done;
        }
        pthread_mutex_unlock(&bench->lock);
        return is_found;
}

static void tell_progress(struct bench *bench)
{
        enum { EVERY_S = 10 };
        time_t now = time(NULL);
        uint64_t ran = bench->done - bench->skipped;
        if (now < bench->told + EVERY_S || !ran)
                return;
        bench->told = now;
        fprintf(stderr, "false_halts: %" PRIu64 " of %" PRIu64 " rollouts, %" PRIu64 " halted by the gate, %.0f min to go\n", bench->done, bench->total, bench->halted,
                (double)(now - bench->began) / 60 * (double)(bench->total - bench->done) / (double)ran);
}

static void keep(struct bench *bench, size_t trial, uint32_t seed, const struct outcome *outcome)
{
        pthread_mutex_lock(&bench->lock);
        bench->outcomes[trial][seed] = *outcome;
        bench->done++;
        bench->halted += outcome->stopped_by == ROLLOUT_BY_GATE;
        if (bench->journal) {
                fprintf(bench->journal, "%zu %u %u %u %u %u %.17g\n", trial, seed, outcome->stopped_by, outcome->is_complete, outcome->looks, outcome->changes, outcome->highest);
                fflush(bench->journal);
        }
        tell_progress(bench);
        pthread_mutex_unlock(&bench->lock);
}

static void *work(void *user)
{
        struct bench *bench = user;
        struct outcome outcome;
        size_t trial;
        uint32_t seed;
        bool is_good = (looker.is_control = mem_new(HANDLES, sizeof(*looker.is_control))) != NULL;
        while (is_good && take(bench, &trial, &seed))
                if ((is_good = run_one(bench, trial, seed, &outcome)))
                        keep(bench, trial, seed, &outcome);
        mem_free(looker.is_control);
        pthread_mutex_lock(&bench->lock);
        bench->is_failed |= !is_good;
        pthread_mutex_unlock(&bench->lock);
        return NULL;
}

static bool run_all(struct bench *bench, unsigned jobs)
{
        pthread_t threads[JOBS_MAX];
        unsigned started = 0;
        while (started < jobs && !pthread_create(&threads[started], NULL, work, bench))
                started++;
        for (unsigned i = 0; i < started; i++)
                pthread_join(threads[i], NULL);
        return started == jobs && !bench->is_failed;
}

static void read_journal(struct bench *bench)
{
        size_t trial;
        uint32_t seed;
        unsigned stopped_by, is_complete;
        struct outcome outcome = { .is_done = true };
        while (fscanf(bench->journal, "%zu %u %u %u %u %u %lf", &trial, &seed, &stopped_by, &is_complete, &outcome.looks, &outcome.changes, &outcome.highest) == 7) {
                if (trial >= TRIALS || !is_meant(bench, trial, seed) || bench->outcomes[trial][seed].is_done)
                        continue;
                outcome.stopped_by = (uint8_t)stopped_by;
                outcome.is_complete = (uint8_t)is_complete;
                bench->outcomes[trial][seed] = outcome;
                bench->skipped++;
                bench->halted += stopped_by == ROLLOUT_BY_GATE;
        }
        bench->done = bench->skipped;
}

/* P(X <= k) of a binomial. */
static double at_most(uint32_t k, uint32_t n, double p)
{
        double sum = 0;
        int sign;
        for (uint32_t i = 0; i <= k; i++)
                sum += exp(lgamma_r(n + 1.0, &sign) - lgamma_r(i + 1.0, &sign) - lgamma_r(n - i + 1.0, &sign) + i * log(p) + (n - i) * log1p(-p));
        return sum;
}

/* Where at_most() falls through `share`. */
static double rate_where(uint32_t k, uint32_t n, double share)
{
        enum { HALVINGS = 60 };
        double low = 0, high = 1;
        for (unsigned i = 0; i < HALVINGS; i++) {
                double middle = (low + high) / 2;
                *(at_most(k, n, middle) > share ? &low : &high) = middle;
        }
        return (low + high) / 2;
}

struct interval { double low, high; };
static struct interval interval_of(uint32_t k, uint32_t n)
{
        const double outside = .005;
        return (struct interval){ k ? rate_where(k - 1, n, 1 - outside) : 0, k < n ? rate_where(k, n, outside) : 1 };
}

struct sums { uint32_t count, halted, held, complete, tens, hundreds; double looks, changes, highest; };
static struct sums sum_up(const struct outcome *outcomes, uint32_t seeds)
{
        struct sums sums = { 0 };
        for (uint32_t i = 0; i < seeds; i++) {
                const struct outcome *outcome = &outcomes[i];
                sums.count += outcome->is_done;
                sums.halted += outcome->stopped_by == ROLLOUT_BY_GATE;
                sums.held += outcome->stopped_by == ROLLOUT_BY_BUDGET;
                sums.complete += outcome->is_complete;
                sums.tens += outcome->highest >= 10;
                sums.hundreds += outcome->highest >= 100;
                sums.looks += outcome->looks;
                sums.changes += outcome->changes;
                sums.highest = fmax(sums.highest, outcome->highest);
        }
        return sums;
}

/* By Ville's inequality evidence ever passes 10 in at most a tenth of harmless rollouts, 100 in a hundredth. */
static bool print_trial(const struct bench *bench, size_t trial, bool is_next)
{
        struct sums sums = sum_up(bench->outcomes[trial], bench->seeds);
        uint32_t count = sums.count;
        struct rollout_policy policy = policy_of(kind_of(trial));
        bool is_gate = is_of_gate(kind_of(trial));
        struct interval interval = interval_of(is_gate ? sums.halted : sums.held, count);
        bool holds = !is_gate || interval.low <= (double)policy.alpha_ppm / 1e6;
        printf("%s\n {\"trial\":\"%s\",\"weather\":\"%s\",\"budget\":%" PRId64 ",\"alpha\":%g,\"rollouts\":%u,\"halted_by_gate\":%u,\"held_by_budget\":%u,\"complete\":%u", is_next ? "," : "",
               kind_names[kind_of(trial)], weathers[trial % WEATHERS].name, policy.budget, (double)policy.alpha_ppm / 1e6, count, sums.halted, sums.held, sums.complete);
        printf(",\"rate\":%.3g,\"low\":%.3g,\"high\":%.3g,\"looks\":%.0f,\"evidence_changes\":%.0f,\"evidence_over_10\":%.3g,\"evidence_over_100\":%.3g,\"evidence_highest\":%.3g,\"holds\":%s}",
               (double)(is_gate ? sums.halted : sums.held) / count, interval.low, interval.high, sums.looks / count, sums.changes / count, (double)sums.tens / count,
               (double)sums.hundreds / count, sums.highest, holds ? "true" : "false");
        return holds;
}

static int print_all(const struct bench *bench)
{
        bool holds = true, has_any = false;
        printf("{\"bench\":\"false_halts\",\"fleet\":%d,\"is_deaf\":%s,\"trials\":[", FLEET, bench->is_deaf ? "true" : "false");
        for (size_t trial = 0; trial < TRIALS; trial++)
                if (sum_up(bench->outcomes[trial], bench->seeds).count) {
                        holds = print_trial(bench, trial, has_any) && holds;
                        has_any = true;
                }
        printf("]}\n");
        return holds != bench->is_deaf ? 0 : 1;
}

static bool open_bench(struct bench *bench, struct arena *arena)
{
        bool is_good = arena != NULL;
        pthread_mutex_init(&bench->lock, NULL);
        bench->began = time(NULL);
        for (size_t i = 0; i < (size_t)WEATHERS * 2 && is_good; i++) {
                const struct weather_kind *weather = &weathers[i / 2];
                struct scenario *scenario = &bench->scenarios[i / 2][i % 2];
                const struct catalogue_entry *entry = catalogue_find(weather->scenarios[i % 2]);
                is_good = entry && scenario_read(arena, entry->name, entry->bytes, entry->length, scenario, NULL) == OK;
                scenario->fleet.sites = SITES;
                scenario->fleet.poll_s = POLL_S;
                scenario->weather.crash_ppm_per_day = CRASH_PPM_PER_DAY;
                scenario->fleet.early_ppm = weather->early_ppm;
                scenario->weather.dark_ppm = DARK_PPM;
                scenario->weather.early_factor_pct = weather->early_factor_pct;
                scenario->weather.flaky = (struct yaml_maps){ sizeof(flaky) / sizeof(flaky[0]), (void *)flaky };
        }
        for (size_t trial = 0; trial < TRIALS && is_good; trial++) {
                bench->outcomes[trial] = mem_new(bench->seeds, sizeof(*bench->outcomes[trial]));
                is_good = bench->outcomes[trial] != NULL;
                for (uint32_t seed = 0; seed < bench->seeds; seed++)
                        bench->total += is_meant(bench, trial, seed);
        }
        return is_good;
}

static void close_bench(struct bench *bench)
{
        for (size_t trial = 0; trial < TRIALS; trial++)
                mem_free(bench->outcomes[trial]);
        if (bench->journal)
                fclose(bench->journal);
}

struct wish { uint32_t seeds; unsigned jobs; const char *journal; bool is_deaf; };
static bool read_wish(int argc, char **argv, struct wish *wish)
{
        for (int i = 1; i < argc; i++) {
                const char *value = i + 1 < argc ? argv[i + 1] : "";
                long number = strtol(value, NULL, 10);
                if (!strcmp(argv[i], "--smoke"))
                        wish->seeds = SMOKE_SEEDS;
                else if (!strcmp(argv[i], "--deaf"))
                        wish->is_deaf = true;
                else if (!strcmp(argv[i], "--seeds") && number > 0 && number <= 1000000 && ++i)
                        wish->seeds = (uint32_t)number;
                else if (!strcmp(argv[i], "--jobs") && number >= 0 && number <= JOBS_MAX && ++i)
                        wish->jobs = (unsigned)number;
                else if (!strcmp(argv[i], "--journal") && *value && ++i)
                        wish->journal = value;
                else
                        return false;
        }
        return true;
}

int main(int argc, char **argv)
{
        static struct bench bench;
        struct wish wish = { .seeds = SEEDS, .jobs = 2 };
        OWN(arena) struct arena *arena = arena_new((size_t)WEATHERS * 2 * LIMIT_YAML_BYTES);
        if (!read_wish(argc, argv, &wish)) {
                fprintf(stderr, "usage: %s [--seeds N] [--jobs N] [--journal FILE] [--deaf] [--smoke]\n", argv[0]);
                return 64;
        }
        bench.is_deaf = wish.is_deaf;
        bench.seeds = wish.seeds;
        bool is_good = open_bench(&bench, arena);
        if (is_good && wish.journal && (is_good = (bench.journal = fopen(wish.journal, "a+")) != NULL))
                read_journal(&bench);
        is_good = is_good && run_all(&bench, wish.jobs);
        int code = is_good ? print_all(&bench) : 1;
        close_bench(&bench);
        return code;
}
