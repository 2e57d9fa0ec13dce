#include "replay/truth.h"

#include "rollout/view.h"

#include <string.h>

enum { SECOND_MS = 1000 };
enum fault_draw { DRAW_SUSCEPTIBLE, DRAW_HARM, DRAW_PREFLIGHT, DRAW_TOLD, DRAW_ONSET, DRAWS };

static uint64_t draw(const struct truth *truth, unsigned fault, enum fault_draw of, uint32_t device)
{
        return fleet_draw(truth->fleet, CHANCE_OF_FAULTS + fault * DRAWS + of, device);
}

static enum truth_sign read_sign(const char *word, enum rollout_signal *ret_kind)
{
        for (enum rollout_signal kind = 0; kind < ROLLOUT_KINDS; kind++)
                if (!strcmp(word, rollout_signal_word(kind))) {
                        *ret_kind = kind;
                        return TRUTH_TELLS;
                }
        return strcmp(word, "nothing") ? TRUTH_IS_SILENT : TRUTH_STAYS_GREEN;
}

enum err truth_init(struct truth *truth, const struct fleet *fleet, const struct scenario *scenario, struct why *why)
{
        const struct scenario_fault *faults = scenario->faults.items;
        *truth = (struct truth){ .fleet = fleet, .count = (unsigned)scenario->faults.count };
        if (scenario->faults.count > LIMIT_FAULTS)
                return FAIL(why, ERR_LIMIT, "a release has at most %d faults, not %zu", LIMIT_FAULTS, scenario->faults.count);
        for (unsigned i = 0; i < truth->count; i++) {
                struct truth_fault *fault = &truth->faults[i];
                enum rollout_signal none;
                fault->of = &faults[i];
                fault->onset = fault_onset(&faults[i]);
                fault->cure = fault_cure(&faults[i]);
                fault->sign = read_sign(faults[i].sign, &fault->kind);
                fault->untold = faults[i].untold ? read_sign(faults[i].untold, &none) : TRUTH_IS_SILENT;
                enum err e = fleet_only(fleet, scenario, &faults[i].only, &fault->only, why);
                if (e)
                        return DURING(why, e, "fault `%s`", faults[i].name);
        }
        return OK;
}

static bool is_susceptible(const struct truth *truth, unsigned fault, uint32_t device)
{
        const struct truth_fault *of = &truth->faults[fault];
        return fleet_is_among(truth->fleet, device, &of->only) && chance_is(draw(truth, fault, DRAW_SUSCEPTIBLE, device), of->of->susceptible_ppm);
}

uint32_t truth_count_susceptible(const struct truth *truth)
{
        uint32_t count = 0;
        for (uint32_t device = 0; device < truth->fleet->devices && truth->count; device++) {
                bool is_any = false;
                for (unsigned i = 0; i < truth->count && !is_any; i++)
                        is_any = is_susceptible(truth, i, device);
                count += is_any;
        }
        return count;
}

/* Good first, then bad, by turns. */
static bool is_bad_turn(const struct truth_fault *fault, int64_t at_ms)
{
        return fault->of->flaps_s <= 0 || at_ms / (fault->of->flaps_s * SECOND_MS) % 2 == 1;
}

bool truth_refuses(const struct truth *truth, uint32_t device, int64_t at_ms)
{
        for (unsigned i = 0; i < truth->count; i++) {
                const struct truth_fault *fault = &truth->faults[i];
                if (fault->of->preflight_ppm > 0 && is_susceptible(truth, i, device) && is_bad_turn(fault, at_ms) &&
                    chance_is(draw(truth, i, DRAW_PREFLIGHT, device), fault->of->preflight_ppm))
                        return true;
        }
        return false;
}

bool truth_strikes(const struct truth *truth, unsigned fault, uint32_t device, int64_t at_ms)
{
        const struct truth_fault *of = &truth->faults[fault];
        return is_susceptible(truth, fault, device) && is_bad_turn(of, at_ms) && chance_is(draw(truth, fault, DRAW_HARM, device), of->of->harm_ppm);
}

int64_t truth_onset_ms(const struct truth *truth, unsigned fault, uint32_t device, int64_t at_ms)
{
        const struct truth_fault *of = &truth->faults[fault];
        int64_t after_ms = of->of->after_s * SECOND_MS;
        if (of->onset == FAULT_AT_RANDOM)
                return at_ms + (int64_t)chance_exponential(draw(truth, fault, DRAW_ONSET, device), (double)after_ms);
        if (of->onset == FAULT_AT_DATE)
                return after_ms > at_ms ? after_ms : at_ms;
        return at_ms + after_ms;
}

enum truth_sign truth_sign(const struct truth *truth, unsigned fault, uint32_t device)
{
        const struct truth_fault *of = &truth->faults[fault];
        if (of->sign != TRUTH_TELLS || chance_is(draw(truth, fault, DRAW_TOLD, device), of->of->told_ppm))
                return of->sign;
        return of->untold;
}
