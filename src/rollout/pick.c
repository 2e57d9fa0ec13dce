/* Who is next. While fewer than B are exposed, whoever covers most strata that were not tried yet; then whoever is most
 * suspect, so that what is wrong is found out with the fewest exposures; among equals the salted bucket. */
#include "rollout/pacer.h"

#include "rollout/gate.h"
#include "rollout/watch.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* splitmix64's finaliser: another order of the same buckets. */
static uint64_t mix(uint64_t z)
{
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
        z = (z ^ z >> 27) * 0x94D049BB133111EB;
        return z ^ z >> 31;
}

bool rollout_is_held_out(const struct rollout *rollout, uint64_t bucket)
{
        static const uint64_t holdout_salt = 0x686F6C646F7574;
        return mix(bucket ^ holdout_salt) % 1000000 < (uint64_t)rollout->policy.holdout_ppm;
}

/* Heaps in candidates[0 .. count): the first comes out first, and only as many are ordered as are needed. */
typedef bool candidate_order(const struct candidate *a, const struct candidate *b);
static bool is_before(const struct candidate *a, const struct candidate *b)
{
        if (a->class != b->class)
                return a->class < b->class;
        if (a->suspicion != b->suspicion)
                return a->suspicion > b->suspicion;
        if (a->excess != b->excess)
                return a->excess > b->excess;
        return a->key != b->key ? a->key < b->key : a->at < b->at;
}

/* Volunteers and all others cover alike; late and rare ones wait. */
static unsigned cover_class(const struct candidate *candidate)
{
        return candidate->class & ~1u;
}

static bool covers_before(const struct candidate *a, const struct candidate *b)
{
        if (cover_class(a) != cover_class(b))
                return cover_class(a) < cover_class(b);
        return a->gain != b->gain ? a->gain > b->gain : is_before(a, b);
}

static void sink(struct candidate *heap, size_t count, size_t at, candidate_order *comes_before)
{
        for (size_t child = 2 * at + 1; child < count; at = child, child = 2 * at + 1) {
                if (child + 1 < count && comes_before(&heap[child + 1], &heap[child]))
                        child++;
                if (!comes_before(&heap[child], &heap[at]))
                        return;
                struct candidate swap = heap[at];
                heap[at] = heap[child];
                heap[child] = swap;
        }
}

static void heap_order(struct candidate *heap, size_t count, candidate_order *comes_before)
{
        for (size_t i = count / 2; i-- > 0;)
                sink(heap, count, i, comes_before);
}

static struct candidate heap_take(struct candidate *heap, size_t *count, candidate_order *comes_before)
{
        struct candidate first = heap[0];
        heap[0] = heap[--*count];
        sink(heap, *count, 0, comes_before);
        return first;
}

static double log_evidence_for_rate(double harmed, double clean)
{
        int sign;
        return lgamma_r(harmed + 0.5, &sign) + lgamma_r(clean + 0.5, &sign) - lgamma_r(harmed + clean + 1, &sign);
}

struct split { double in_harmed, in_clean, out_harmed, out_clean; };
static struct split split_of(const struct rollout *rollout, uint32_t group)
{
        const struct arm *in = &rollout->groups[group].treated, *all = &rollout->groups[0].treated;
        struct split split = { arm_hurt(in), in->by_status[LEASE_PROVEN], 0, 0 };
        split.out_harmed = arm_hurt(all) - split.in_harmed;
        split.out_clean = all->by_status[LEASE_PROVEN] - split.in_clean;
        return split;
}

static double fit(const struct split *split)
{
        return log_evidence_for_rate(split->in_harmed, split->in_clean) + log_evidence_for_rate(split->out_harmed, split->out_clean);
}

/* For each stratum: how well "this one has a rate of its own" explains the answers, times how much worse it would be. The sum
 * over a device's strata orders devices as their chance of harm does, averaged over these hypotheses. */
static void suspect(struct rollout *rollout)
{
        double best = -INFINITY, sum = 0;
        memset(rollout->suspicions, 0, rollout->group_count * sizeof(*rollout->suspicions));
        if (rollout->groups[0].attributed <= 0)
                return;
        for (uint32_t i = 1; i < rollout->group_count; i++) {
                struct split split = split_of(rollout, i);
                best = fmax(best, fit(&split));
        }
        for (uint32_t i = 1; i < rollout->group_count; i++) {
                struct split split = split_of(rollout, i);
                double weight = exp(fit(&split) - best);
                double in = (split.in_harmed + 0.5) / (split.in_harmed + split.in_clean + 1);
                double out = (split.out_harmed + 0.5) / (split.out_harmed + split.out_clean + 1);
                rollout->suspicions[i] = weight * (in - out);
                sum += weight;
        }
        for (uint32_t i = 1; i < rollout->group_count; i++)
                rollout->suspicions[i] /= sum;
}

enum { CLASS_OF_RARE = 8 };
static struct candidate weigh(const struct rollout *rollout, const struct rollout_device *device, uint32_t at)
{
        struct candidate candidate = { .at = at, .class = device->ring, .key = device->bucket };
        for (unsigned i = 0; i < device->strata_count; i++) {
                const struct group *group = &rollout->groups[1 + device->strata[i]];
                candidate.suspicion += rollout->suspicions[1 + device->strata[i]];
                candidate.excess = fmax(candidate.excess, group->excess);
                if (group->is_rare)
                        candidate.class |= CLASS_OF_RARE;
        }
        return candidate;
}

/* Also one that stands in line twice is taken once. */
static bool is_free(const struct rollout *rollout, const struct rollout_device *device)
{
        const struct fate *fate = &rollout->fates[device->device];
        return !fate->is_busy && !fate->is_over;
}

/* Whoever is left over when everybody else was taken is no fair control: those who are always there go first. So of a line that could be taken whole
 * one in so many stays behind, other ones in each slot of time. */
static bool is_set_aside(const struct rollout *rollout, const struct rollout_line *line, uint64_t bucket)
{
        enum { ONE_IN = 9, LONG_LINE = 64 };
        return rollout->policy.controls && line->count >= LONG_LINE && mix(bucket ^ mix((uint64_t)book_slot(rollout, line->now_ms))) % ONE_IN == 0;
}

static size_t gather_candidates(struct rollout *rollout, const struct rollout_line *line)
{
        size_t count = 0;
        for (uint32_t i = 0; i < line->count; i++)
                if (is_free(rollout, &line->devices[i]) && !rollout_is_held_out(rollout, line->devices[i].bucket) &&
                    !is_set_aside(rollout, line, line->devices[i].bucket))
                        rollout->candidates[count++] = weigh(rollout, &line->devices[i], i);
        return count;
}

/* So many for each exposure while they tell most. Thousands of exposures under way tell enough with fewer, and a control device is one that
 * cannot be exposed meanwhile: from CONTROLLED_IN_FULL on their number stays, until there would be one control for eight exposures. */
enum { CONTROLLED_IN_FULL = 4096, CONTROL_UNIT = 256, CONTROLS_LEAST = CONTROL_UNIT / 8 };
static uint32_t controls_each(const struct rollout *rollout)
{
        uint64_t full = (uint64_t)rollout->policy.controls * CONTROL_UNIT, young = rollout->groups[0].young, each = full;
        if (young > CONTROLLED_IN_FULL)
                each = full * CONTROLLED_IN_FULL / young;
        return (uint32_t)(each > CONTROLS_LEAST || each == full ? each : CONTROLS_LEAST);
}

static void want_controls(struct rollout *rollout, uint32_t cell)
{
        rollout->controls_owed += controls_each(rollout);
        rollout->cells[cell].wanted += rollout->controls_owed / CONTROL_UNIT;
        rollout->controls_owed %= CONTROL_UNIT;
}

static void take(struct rollout *rollout, struct rollout_line *line, uint32_t at, bool is_control)
{
        assert(is_control || rollout_may_expose(rollout));
        assert(is_control || pacer_admits(rollout, &line->devices[at]));
        rollout->now_ms = line->now_ms;
        line->picks[at].handle = book_reserve(rollout, &line->devices[at], is_control);
        line->picks[at].kind = is_control ? ROLLOUT_SHADOW : ROLLOUT_EXPOSE;
        line->picked++;
        uint32_t cell = rollout->leases[line->picks[at].handle].cell;
        if (!is_control) {
                rollout->fates[line->devices[at].device].tries++;
                rollout->tries++;
                pacer_count_exposed(rollout);
        }
        if (is_control && rollout->cells[cell].wanted)
                rollout->cells[cell].wanted--;
        rollout->cells[cell].taken += is_control;
        rollout->cells[cell].exposed += !is_control;
        if (!is_control)
                want_controls(rollout, cell);
}

/* What a stratum adds to the cover: those that were not tried first, then those that were tried least. */
static double gain_of(const struct group *group)
{
        uint32_t tried = arm_exposed(&group->treated);
        return tried ? 1.0 / (1 + tried) / LIMIT_ATTRIBUTES : 1;
}

static void refresh_gains(struct rollout *rollout)
{
        for (uint32_t i = 1; i < rollout->group_count; i++)
                rollout->gains[i] = gain_of(&rollout->groups[i]);
}

static void spend_gains(struct rollout *rollout, const struct rollout_device *device)
{
        for (unsigned i = 0; i < device->strata_count; i++)
                rollout->gains[1 + device->strata[i]] = gain_of(&rollout->groups[1 + device->strata[i]]);
}

static double cover(const struct rollout *rollout, const struct rollout_device *device)
{
        double gain = 0;
        for (unsigned i = 0; i < device->strata_count; i++)
                gain += rollout->gains[1 + device->strata[i]];
        return gain;
}

/* As many as could each try a stratum of its own are enough, whatever the budget. */
static bool is_first_cohort(const struct rollout *rollout)
{
        uint32_t exposed = arm_exposed(&rollout->groups[0].treated);
        return exposed < rollout->policy.budget && exposed < LIMIT_STRATA && rollout->groups[0].attributed <= 0;
}

/* Who adds most, again and again. What a device adds never grows, so only the first of the heap is looked at anew (lazy greedy: Minoux 1978). */
static void pick_cover(struct rollout *rollout, struct rollout_line *line, size_t *count, uint32_t *left)
{
        struct candidate *heap = rollout->candidates;
        refresh_gains(rollout);
        for (size_t i = 0; i < *count; i++)
                heap[i].gain = cover(rollout, &line->devices[heap[i].at]);
        heap_order(heap, *count, covers_before);
        while (*count && *left && is_first_cohort(rollout)) {
                const struct rollout_device *device = &line->devices[heap[0].at];
                double gain = cover(rollout, device);
                if (gain < heap[0].gain) {
                        heap[0].gain = gain;
                        sink(heap, *count, 0, covers_before);
                        continue;
                }
                uint32_t at = heap_take(heap, count, covers_before).at;
                if (!is_free(rollout, device) || !pacer_admits(rollout, device))
                        continue;
                take(rollout, line, at, false);
                spend_gains(rollout, device);
                --*left;
        }
}

static void pick_exposures(struct rollout *rollout, struct rollout_line *line)
{
        if (pacer_is_capped(rollout, line->now_ms))
                return;
        pacer_refresh_bounds(rollout);
        uint32_t left = pacer_left(rollout, line->now_ms), room = rollout->leases_max - rollout->lease_count;
        left = left < room ? left : room;
        if (!left || !pacer_window(rollout, &rollout->groups[0]))
                return;
        suspect(rollout);
        size_t count = gather_candidates(rollout, line);
        if (is_first_cohort(rollout))
                pick_cover(rollout, line, &count, &left);
        heap_order(rollout->candidates, count, is_before);
        while (count && left && pacer_window(rollout, &rollout->groups[0])) {
                uint32_t at = heap_take(rollout->candidates, &count, is_before).at;
                if (!is_free(rollout, &line->devices[at]) || !pacer_admits(rollout, &line->devices[at]))
                        continue;
                take(rollout, line, at, false);
                left--;
        }
}

/* Control comes from the blocks of the exposures of this slot, or it could not be compared with them. */
static bool wants_control(const struct rollout *rollout, uint32_t block)
{
        uint32_t cell = rollout->newest_cell[block];
        return cell != NO_CELL && rollout->cells[cell].slot == book_slot(rollout, rollout->now_ms) && rollout->cells[cell].wanted;
}

static bool has_exposed(const struct rollout *rollout, uint32_t block)
{
        uint32_t cell = rollout->newest_cell[block];
        return cell != NO_CELL && rollout->cells[cell].slot == book_slot(rollout, rollout->now_ms) && rollout->cells[cell].exposed;
}

/* Leases for every exposure that may still be tried stay back. */
static bool has_room_for_controls(const struct rollout *rollout)
{
        uint64_t most = book_tries_max(rollout->fleet), kept = most > rollout->tries ? most - rollout->tries : 0;
        return rollout->leases_max - rollout->lease_count > kept;
}

static bool has_enough(const struct rollout *rollout, uint32_t block)
{
        const struct cell *cell = &rollout->cells[rollout->newest_cell[block]];
        return (uint64_t)cell->taken * CONTROL_UNIT >= (uint64_t)cell->exposed * CONTROLS_LEAST;
}

/* Whoever may be control, in the order of this round; without `is_probe` only those from blocks that want some. Those who could have been exposed
 * come first; of the held-out ones, who are left while others go, only so many that a block has one for eight exposures. */
static size_t gather_controls(struct rollout *rollout, const struct rollout_line *line, bool is_probe)
{
        size_t count = 0;
        for (uint32_t i = 0; i < line->count; i++) {
                const struct rollout_device *device = &line->devices[i];
                if (!is_free(rollout, device) || (!is_probe && !wants_control(rollout, device->block)))
                        continue;
                rollout->candidates[count++] = (struct candidate){ .at = i, .class = rollout_is_held_out(rollout, device->bucket), .key = mix(device->bucket ^ mix(rollout->picks)) };
                if (!is_probe)
                        rollout->cells[rollout->newest_cell[device->block]].offered++;
        }
        heap_order(rollout->candidates, count, is_before);
        return count;
}

/* Once all who may have it do, the held-out ones are all the control that is left to watch. They are asked at the rate at which their neighbours in this line were exposed, so that each cohort has
 * its own; while few are exposed, one for eight. */
enum { EXPOSED_PER_HELD_OUT = 8 };
static void pick_held_out(struct rollout *rollout, struct rollout_line *line)
{
        uint64_t exposed = line->picked, neighbours = exposed;
        size_t count = 0;
        for (uint32_t i = 0; i < line->count; i++) {
                const struct rollout_device *device = &line->devices[i];
                bool is_held_out = rollout_is_held_out(rollout, device->bucket), is_free_now = is_free(rollout, device);
                neighbours += is_free_now && !is_held_out;
                if (is_free_now && is_held_out && !watch_has(rollout, device->device) && has_exposed(rollout, device->block))
                        rollout->candidates[count++] = (struct candidate){ .at = i, .key = mix(device->bucket ^ mix(rollout->picks)) };
        }
        uint64_t by_rate = (exposed * count + neighbours - 1) / neighbours, least = (exposed + EXPOSED_PER_HELD_OUT - 1) / EXPOSED_PER_HELD_OUT;
        uint64_t left = by_rate > least ? by_rate : least;
        heap_order(rollout->candidates, count, is_before);
        for (; count && left && has_room_for_controls(rollout); left--) {
                uint32_t at = heap_take(rollout->candidates, &count, is_before).at;
                if (is_free(rollout, &line->devices[at]))
                        take(rollout, line, at, true);
        }
}

/* How many at most will be taken: what a block wants, or all that it offers. Then nobody looks at the rest of the line. */
static uint64_t controls_wanted(struct rollout *rollout)
{
        uint64_t sum = 0;
        for (uint32_t block = 0; block < rollout->blocks; block++) {
                if (!wants_control(rollout, block))
                        continue;
                struct cell *cell = &rollout->cells[rollout->newest_cell[block]];
                sum += cell->wanted < cell->offered ? cell->wanted : cell->offered;
                cell->offered = 0;
        }
        return sum;
}

/* `probes`: so many from any block, to see whether anybody answers. */
static void pick_controls(struct rollout *rollout, struct rollout_line *line, uint32_t probes)
{
        size_t count = gather_controls(rollout, line, probes > 0);
        uint64_t left = probes ? probes : controls_wanted(rollout);
        while (count && left && has_room_for_controls(rollout)) {
                uint32_t at = heap_take(rollout->candidates, &count, is_before).at;
                if (!is_free(rollout, &line->devices[at]) || (!probes && !wants_control(rollout, line->devices[at].block)))
                        continue;
                if (!probes && rollout_is_held_out(rollout, line->devices[at].bucket) && has_enough(rollout, line->devices[at].block))
                        continue;
                take(rollout, line, at, true);
                left--;
        }
}

static enum err check(const struct rollout *rollout, const struct rollout_device *device, struct why *why)
{
        if (device->device >= rollout->fleet || device->block >= rollout->blocks || device->strata_count > LIMIT_ATTRIBUTES)
                return FAIL(why, ERR_NOT_FOUND, "device %u of block %u is not in this rollout", device->device, device->block);
        for (unsigned i = 0; i < device->strata_count; i++)
                if (device->strata[i] + 1u >= rollout->group_count)
                        return FAIL(why, ERR_NOT_FOUND, "stratum %u of device %u is not in this rollout", device->strata[i], device->device);
        return OK;
}

/* Devices are let in line for a while first, so that the first cohort can be chosen among many. */
static bool is_gathering(const struct rollout *rollout, const struct rollout_line *line)
{
        return line->count < rollout->fleet && line->now_ms < rollout->gathers_ms + rollout->policy.gather_s * 1000;
}

/* Holding, because control was silent: does it answer again? */
static bool is_probing(const struct rollout *rollout)
{
        bool holds_as_unknown = rollout->state == ROLLOUT_HOLDING && rollout->reason == ROLLOUT_BECAUSE_UNKNOWN;
        return (holds_as_unknown || (rollout->state == ROLLOUT_COMPLETE && gate_is_unknown(rollout))) && !rollout_is_frozen(rollout) && !arm_open(&rollout->groups[0].control);
}

bool rollout_wants_line(const struct rollout *rollout)
{
        return is_probing(rollout) || (rollout_may_expose(rollout) && pacer_window(rollout, &rollout->groups[0]));
}

enum err rollout_pick(struct rollout *rollout, struct rollout_line *line, struct why *why)
{
        line->picked = 0;
        if (line->count > rollout->fleet)
                return FAIL(why, ERR_LIMIT, "%zu devices in line, but the fleet has %u", line->count, rollout->fleet);
        for (size_t i = 0; i < line->count; i++) {
                enum err e = check(rollout, &line->devices[i], why);
                if (e)
                        return e;
                line->picks[i] = (struct rollout_pick){ ROLLOUT_WAIT, NO_LEASE };
        }
        if (line->now_ms < rollout->now_ms)
                line->now_ms = rollout->now_ms;
        if (rollout_is_due(rollout, line->now_ms) || is_gathering(rollout, line))
                return OK;
        if (rollout_may_expose(rollout))
                pick_exposures(rollout, line);
        if (line->picked && rollout->policy.controls)
                pick_held_out(rollout, line);
        if (line->picked)
                pick_controls(rollout, line, 0);
        if (is_probing(rollout))
                pick_controls(rollout, line, (uint32_t)rollout->policy.controls);
        rollout->picks += line->picked > 0;
        pacer_refresh(rollout);
        return OK;
}
