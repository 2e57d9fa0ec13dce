/* What a rollout costs by the size of its fleet: one answer with the decision after it, and whom to take from a line of all.
 *
 * observe: while a tenth of the fleet (of the largest, 20,000 devices) holds leases that end one after the other, one is
 * proven and its deadline comes. evidence: as many hold leases; a control device crashes, and the gate weighs it. pick_first, pick_next, pick_full: everybody waits and nobody was exposed yet; the first
 * ones are proven; the window is full. */
#include "bench/measure.h"
#include "rollout/rollout.h"
#include "rollout/view.h"

#include "base/mem.h"

#include <stdio.h>

enum { STRATA_EACH = 4, STRATA = 4 * 25, BLOCKS = 30, OPEN_MAX = 20000, KINDS = 5, SIZES = 3, SLOTS = 16, WEIGHED = 8 };
static const int64_t start_ms = 1784432200000;

struct fleet {
        uint32_t count, weighed, next;       /* next: of the open leases, in the order of their deadlines */
        struct rollout_device *devices;
        struct rollout_pick *picks;
        struct rollout *rollout;
        int64_t now_ms;
        uint32_t open_count, *open;          /* handles */
        int64_t *due_ms;
        bool *is_control;
};

static uint64_t mix(uint64_t z)
{
        z = (z + 0x9E3779B97F4A7C15) * 0xBF58476D1CE4E5B9;
        return z ^ z >> 29;
}

/* Every stratum of a kind has its share; a late ring and volunteers are few. */
static void describe(struct rollout_device *device, uint32_t i)
{
        *device = (struct rollout_device){ .bucket = mix(i), .device = i, .block = i % BLOCKS, .strata_count = STRATA_EACH, .ring = ROLLOUT_RING_ALL };
        for (unsigned kind = 0; kind < STRATA_EACH; kind++)
                device->strata[kind] = (uint16_t)(kind * 25 + mix(i * UINT64_C(7) + kind) % 25);
}

static bool fleet_open(struct fleet *fleet, uint32_t count)
{
        *fleet = (struct fleet){ .count = count };
        fleet->devices = mem_new(count, sizeof(*fleet->devices));
        fleet->picks = mem_new(count, sizeof(*fleet->picks));
        fleet->open = mem_new(count, sizeof(*fleet->open));
        fleet->due_ms = mem_new(count, sizeof(*fleet->due_ms));
        fleet->is_control = mem_new(count, sizeof(*fleet->is_control));
        for (uint32_t i = 0; i < count && fleet->devices; i++)
                describe(&fleet->devices[i], i);
        return fleet->devices && fleet->picks && fleet->open && fleet->due_ms && fleet->is_control;
}

static void fleet_close(struct fleet *fleet)
{
        rollout_free(fleet->rollout);
        mem_free(fleet->devices);
        mem_free(fleet->picks);
        mem_free(fleet->open);
        mem_free(fleet->due_ms);
        mem_free(fleet->is_control);
}

/* EXPOSING, nobody exposed. */
static bool begin(struct fleet *fleet)
{
        struct rollout_policy policy = rollout_policy_default();
        policy.gather_s = 0;
        const struct rollout_config config = { .policy = policy, .fleet = fleet->count, .blocks = BLOCKS, .strata = STRATA };
        rollout_free(fleet->rollout);
        fleet->rollout = NULL;
        fleet->now_ms = start_ms;
        return rollout_new(&config, &fleet->rollout, NULL) == OK && rollout_start(fleet->rollout, fleet->now_ms, NULL) == OK;
}

static bool pick(struct fleet *fleet, size_t *ret_picked)
{
        struct rollout_line line = { fleet->now_ms, fleet->devices, fleet->count, fleet->picks, 0 };
        bool is_good = rollout_pick(fleet->rollout, &line, NULL) == OK;
        *ret_picked = line.picked;
        return is_good;
}

/* Whoever was picked gets the lease, at most so many, one every `gap_ms`. */
static bool grant(struct fleet *fleet, uint32_t most, int64_t gap_ms)
{
        fleet->open_count = fleet->next = 0;
        for (uint32_t i = 0; i < fleet->count && fleet->open_count < most; i++) {
                uint32_t at = fleet->open_count;
                if (fleet->picks[i].kind == ROLLOUT_WAIT)
                        continue;
                if (rollout_granted(fleet->rollout, fleet->picks[i].handle, fleet->now_ms, &fleet->due_ms[at], NULL))
                        return false;
                fleet->is_control[at] = fleet->picks[i].kind == ROLLOUT_SHADOW;
                fleet->open[fleet->open_count++] = fleet->picks[i].handle;
                fleet->now_ms += gap_ms;
        }
        return true;
}

static bool prove(struct fleet *fleet, uint32_t at)
{
        const struct rollout_report report = { .now_ms = fleet->now_ms, .handle = fleet->open[at], .outcome = ROLLOUT_PROVEN };
        return rollout_report(fleet->rollout, &report, NULL) == OK;
}

static bool observe(void *user)
{
        struct fleet *fleet = user;
        uint32_t at = fleet->next++;
        fleet->now_ms = fleet->due_ms[at] - 1;
        if (!prove(fleet, at))
                return false;
        fleet->now_ms++;
        return rollout_tick(fleet->rollout, fleet->now_ms);
}

static bool pick_some(void *user)
{
        size_t picked = 0;
        return pick(user, &picked) && picked;
}

/* All leases so far are proven, and their deadlines have passed. */
static bool prove_all(struct fleet *fleet)
{
        for (uint32_t i = 0; i < fleet->open_count; i++)
                if (!prove(fleet, i))
                        return false;
        fleet->now_ms += rollout_lease_ms(fleet->rollout);
        return rollout_tick(fleet->rollout, fleet->now_ms);
}

/* Cohort after cohort is proven, until one is large enough. So many get their leases, one every `gap_ms`, or all at once. */
static bool prepare_open(struct fleet *fleet, bool is_spread)
{
        size_t picked = 0;
        uint32_t most = fleet->count / 10 < OPEN_MAX ? fleet->count / 10 : OPEN_MAX;
        bool is_good = begin(fleet) && pick(fleet, &picked);
        while (is_good && picked && picked < most)
                is_good = grant(fleet, fleet->count, 0) && prove_all(fleet) && pick(fleet, &picked);
        return is_good && picked && grant(fleet, most, is_spread ? rollout_lease_ms(fleet->rollout) / (most + 1) : 0);
}

static bool prepare_observe(void *user)
{
        struct fleet *fleet = user;
        return fleet->next < fleet->open_count || prepare_open(fleet, true);
}

static bool prepare_evidence(void *user)
{
        struct fleet *fleet = user;
        fleet->weighed = fleet->rollout ? fleet->weighed + 1 : WEIGHED;
        if (fleet->weighed >= WEIGHED && !prepare_open(fleet, false))
                return false;
        fleet->weighed %= WEIGHED;
        while (fleet->next < fleet->open_count && !fleet->is_control[fleet->next])
                fleet->next++;
        return fleet->next < fleet->open_count;
}

static bool weigh(void *user)
{
        struct fleet *fleet = user;
        const struct rollout_report report = { .now_ms = fleet->now_ms, .handle = fleet->open[fleet->next++], .outcome = ROLLOUT_HARMED, .kind = ROLLOUT_CRASH };
        if (rollout_report(fleet->rollout, &report, NULL))
                return false;
        fleet->now_ms += rollout_lease_ms(fleet->rollout) / SLOTS;
        return rollout_tick(fleet->rollout, fleet->now_ms);
}

static bool prepare_first(void *user)
{
        return begin(user);
}

static bool prepare_next(void *user)
{
        struct fleet *fleet = user;
        return prepare_first(fleet) && pick_some(fleet) && grant(fleet, fleet->count, 0) && prove_all(fleet);
}

static bool pick_nobody(void *user)
{
        size_t picked = 0;
        return pick(user, &picked) && !picked;
}

/* Until nobody is picked any more; once is enough, for then nothing changes. */
static bool prepare_full(void *user)
{
        struct fleet *fleet = user;
        size_t picked = 1;
        bool is_good = fleet->rollout || begin(fleet);
        while (is_good && picked)
                is_good = pick(fleet, &picked);
        return is_good;
}

int main(int argc, char **argv)
{
        static struct fleet fleets[KINDS][SIZES];
        static const char *const names[KINDS][SIZES] = { { "observe_1e3", "observe_1e5", "observe_1e6" }, { "evidence_1e3", "evidence_1e5", "evidence_1e6" },
                                                { "pick_full_1e3", "pick_full_1e5", "pick_full_1e6" },
                                                { "pick_first_1e3", "pick_first_1e5", "pick_first_1e6" }, { "pick_next_1e3", "pick_next_1e5", "pick_next_1e6" } };
        static const struct measure_case kinds[KINDS] = { { NULL, NULL, observe, prepare_observe, NULL, 1 }, { NULL, NULL, weigh, prepare_evidence, NULL, 1 },
                                                     { NULL, NULL, pick_nobody, prepare_full, NULL, 1 },
                                                     { NULL, NULL, pick_some, prepare_first, NULL, 1 }, { NULL, NULL, pick_some, prepare_next, NULL, 1 } };
        static const uint32_t counts[SIZES] = { 1000, 100000, 1000000 }, smoke_counts[SIZES] = { 200, 400, 800 };
        struct measure_case cases[KINDS * SIZES];
        bool is_smoke = measure_is_smoke(argc, argv), is_good = true;
        for (unsigned i = 0; i < KINDS * SIZES; i++) {
                struct fleet *fleet = &fleets[i / SIZES][i % SIZES];
                is_good = fleet_open(fleet, is_smoke ? smoke_counts[i % SIZES] : counts[i % SIZES]) && is_good;
                cases[i] = kinds[i / SIZES];
                cases[i].name = names[i / SIZES][i % SIZES];
                cases[i].against = i % SIZES ? names[i / SIZES][0] : NULL;
                cases[i].user = fleet;
        }
        int code = is_good ? measure_run(&(struct measure){ "rollout", cases, KINDS * SIZES, is_smoke }) : 1;
        for (unsigned i = 0; i < KINDS * SIZES; i++)
                fleet_close(&fleets[i / SIZES][i % SIZES]);
        return code;
}
