/* Who is next. While fewer than B are exposed, whoever covers most strata that were not tried yet; then whoever is most
 * suspect, so that what is wrong is found out with the fewest exposures; among equals the salted bucket. Of the first and those like it one is drawn, and the others
 * are its control; where there is less than one control for each exposure, each is control by a toss of its own (decision 012). */
#include "rollout/pacer.h"

#include "rollout/gate.h"
#include "rollout/watch.h"

#include <assert.h>
#include <math.h>
#include <string.h>

bool rollout_is_held_out(const struct rollout *rollout, uint64_t bucket)
{
        static const uint64_t holdout_salt = 0x686F6C646F7574;
        return bucket_mix(bucket ^ holdout_salt) % 1000000 < (uint64_t)rollout->policy.holdout_ppm;
}

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
        struct candidate candidate = { .at = at, .block = device->block, .class = device->ring, .key = device->bucket };
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

/* So many for each exposure while they tell most. Thousands of exposures under way tell enough with fewer, and a control device is one that
 * cannot be exposed meanwhile: from CONTROLLED_IN_FULL on their number stays, until there would be one control for eight exposures. */
enum { CONTROLLED_IN_FULL = 4096, CONTROL_UNIT = 256, CONTROLS_LEAST = CONTROL_UNIT / 8 };
static uint32_t controls_each(const struct rollout *rollout)
{
        uint64_t full = (uint64_t)rollout->policy.controls * CONTROL_UNIT, young = rollout->groups[0].young;
        if (!full || young <= CONTROLLED_IN_FULL)
                return (uint32_t)full;
        uint64_t each = full * CONTROLLED_IN_FULL / young;
        return each > CONTROLS_LEAST ? (uint32_t)each : CONTROLS_LEAST;
}

static void take(struct rollout *rollout, struct rollout_line *line, uint32_t at, uint32_t block, bool is_control)
{
        assert(is_control || rollout_may_expose(rollout));
        assert(is_control || pacer_admits(rollout, &line->devices[at]));
        rollout->now_ms = line->now_ms;
        line->picks[at].handle = book_reserve(rollout, &line->devices[at], block, is_control);
        line->picks[at].kind = is_control ? ROLLOUT_SHADOW : ROLLOUT_EXPOSE;
        line->picked++;
        if (!is_control) {
                rollout->fates[line->devices[at].device].tries++;
                rollout->tries++;
                pacer_count_exposed(rollout);
        }
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

/* One way through a line. left: exposures; suspicion: of the most suspect; members: of the set that is drawn from; stands_for: each of its control. */
struct pass { struct rollout *rollout; struct rollout_line *line; uint32_t left, *members, member_count; double suspicion; bool is_cover; int8_t stands_for; };
enum { NOBODY = UINT32_MAX, SUSPECT_PCT = 75, COVER_PCT = 90 };

/* Leases for every exposure that may still be tried stay back. */
static bool has_room_for_controls(const struct rollout *rollout)
{
        uint64_t most = book_tries_max(rollout->fleet), kept = most > rollout->tries ? most - rollout->tries : 1;
        return rollout->leases_max - rollout->lease_count > kept;
}

/* Another number for each device whenever somebody was taken. */
static uint64_t draw_for(const struct rollout *rollout, const struct rollout_device *device)
{
        return bucket_mix(device->bucket ^ bucket_mix(rollout->lease_count));
}

/* What a device adds to the cover never grows, so only the first is looked at anew (lazy greedy: Minoux 1978). False: others may come before it now. */
static bool is_fresh(const struct pass *pass)
{
        struct queue *queue = &pass->rollout->queue;
        struct candidate *first = queue_first(queue);
        double gain = pass->is_cover ? cover(pass->rollout, &pass->line->devices[first->at]) : first->gain;
        bool is_less = gain < first->gain;
        first->gain = gain;
        if (is_less)
                queue_sink(queue);
        return !is_less;
}

/* The first of this block; NOBODY: who must not be exposed now. */
static uint32_t take_first(const struct pass *pass)
{
        uint32_t at = queue_take(&pass->rollout->queue).at;
        const struct rollout_device *device = &pass->line->devices[at];
        return is_free(pass->rollout, device) && pacer_admits(pass->rollout, device) ? at : NOBODY;
}

/* It would have been its turn soon, too: of the same ring, and nearly as suspect. */
static bool is_alike(const struct pass *pass, const struct candidate *first, const struct candidate *next)
{
        if (pass->is_cover)
                return cover_class(first) == cover_class(next) && COVER_PCT * first->gain <= 100 * next->gain;
        return first->class == next->class && (first->suspicion <= 0 || SUSPECT_PCT * first->suspicion <= 100 * next->suspicion);
}

static bool has_alike(const struct pass *pass, const struct candidate *first)
{
        const struct candidate *next = queue_first(&pass->rollout->queue);
        return next && is_alike(pass, first, next);
}

static enum tier tier_of(const struct pass *pass, const struct candidate *candidate)
{
        return candidate->suspicion > 0 && SUSPECT_PCT * pass->suspicion <= 100 * candidate->suspicion ? TIER_SUSPECT : TIER_ALL;
}

static uint32_t wanted_controls(const struct pass *pass, const struct candidate *first)
{
        uint32_t whole = pass->rollout->draw.each[tier_of(pass, first)] / CONTROL_UNIT;
        if (!has_room_for_controls(pass->rollout) || !pass->rollout->policy.controls)
                return 0;
        return whole ? whole : 1;
}

/* Until there are so many in all. */
static void gather_alike(struct pass *pass, const struct candidate *first, uint32_t wanted, bool is_from_anywhere)
{
        struct queue *queue = &pass->rollout->queue;
        if (is_from_anywhere)
                queue_settle(queue);
        while (pass->member_count <= wanted && has_alike(pass, first)) {
                uint32_t at = is_fresh(pass) ? take_first(pass) : NOBODY;
                if (at != NOBODY)
                        pass->members[pass->member_count++] = at;
                if (is_from_anywhere)
                        queue_settle(queue);
        }
}

/* Where the set is compared. How many controls it has says nothing of its devices, or those of whom there are few would be compared with those of whom there are many; and it has one at least, or those
 * who are by themselves would be exposed for certain, and never be control. */
static uint32_t gather_set(struct pass *pass, const struct candidate *first, uint32_t wanted)
{
        uint32_t blocks = pass->rollout->blocks;
        bool is_suspect = tier_of(pass, first) == TIER_SUSPECT;
        pass->members[0] = first->at;
        pass->member_count = 1;
        if (!is_suspect)
                gather_alike(pass, first, wanted, false);
        if (pass->member_count > wanted)
                return first->block;
        gather_alike(pass, first, wanted, true);
        return blocks + (is_suspect ? BLOCK_OF_SUSPECTS : BLOCK_ANYWHERE);
}

/* One who is chosen and held out is control, too, and will be watched as such: so those who are watched are alike in both arms. */
static void take_member(struct pass *pass, uint32_t at, uint32_t block, bool is_chosen)
{
        struct rollout *rollout = pass->rollout;
        const struct rollout_device *device = &pass->line->devices[at];
        bool is_control = !is_chosen || rollout_is_held_out(rollout, device->bucket), has_room = has_room_for_controls(rollout);
        if (!is_free(rollout, device) || (is_control && !has_room))
                return;
        take(rollout, pass->line, at, block, is_control);
        struct lease *lease = &rollout->leases[pass->line->picks[at].handle];
        lease->is_apart = !has_room;
        lease->stands_for = pass->stands_for;
        if (has_room)                            /* of one slot, and one tier: all of a cell's control stand for as many */
                rollout->cells[lease->cell].stands_for = pass->stands_for;
        lease->is_stand_in = pass->line->picks[at].is_stand_in = is_control && is_chosen;
        rollout->fates[device->device].tries += lease->is_stand_in;
        if (!is_control && pass->is_cover)
                spend_gains(rollout, device);
}

/* What the odds are, not what came of them: where by chance nobody of control is beside an exposure, control elsewhere speaks for it. */
static int8_t stand_for(const struct rollout *rollout, double controls)
{
        double held_out = (double)rollout->policy.holdout_ppm / 1e6, each = controls + held_out;
        return each > 0 ? weight_to_byte((1 - held_out) / each) : 0;
}

/* One of so many is drawn, and the others are its control, for whatever put them first they have in common. The first alone would be of the stratum that was harmed most, which may be one that always
 * is, and its control of others. Where they are too few, who is not there may be drawn: all are control then, and each is exposed as often as in a full set. A set uses up what is left to expose,
 * whoever is drawn: or those who come first would decide whether the last are compared. */
static void expose_one(struct pass *pass, const struct candidate *first)
{
        uint32_t wanted = wanted_controls(pass, first), block = gather_set(pass, first, wanted);
        uint32_t drawn = (uint32_t)(draw_for(pass->rollout, &pass->line->devices[first->at]) % (wanted + 1));
        uint32_t before = pass->rollout->lease_count;
        pass->stands_for = stand_for(pass->rollout, wanted);
        for (uint32_t i = 0; i < pass->member_count; i++)
                take_member(pass, pass->members[i], block, i == drawn);
        pass->left -= pass->rollout->lease_count > before;
}

/* Less than one control for each exposure: there are too many to be exposed, or too few in line, to set one beside each. So each tosses, with the same odds for all of a slot. The last of its block is
 * compared with those from anywhere. */
static bool is_tossed(const struct pass *pass, const struct candidate *first)
{
        return tier_of(pass, first) == TIER_ALL && pass->rollout->draw.each[TIER_ALL] < CONTROL_UNIT && pass->rollout->policy.controls && has_room_for_controls(pass->rollout);
}

static void toss_one(struct pass *pass, const struct candidate *first)
{
        const struct rollout *rollout = pass->rollout;
        uint32_t each = rollout->draw.each[TIER_ALL], block = has_alike(pass, first) ? first->block : rollout->blocks + BLOCK_ANYWHERE;
        bool is_control = draw_for(rollout, &pass->line->devices[first->at]) % (CONTROL_UNIT + each) < each;
        pass->stands_for = stand_for(rollout, (double)each / CONTROL_UNIT);
        take_member(pass, first->at, block, !is_control);
        pass->left--;
}

/* Thousands of suspects may stand in line of whom nobody more is let in. */
static bool is_shut_out(const struct rollout *rollout, const struct rollout_device *device)
{
        bool is_out = false;
        for (unsigned i = 0; i < device->strata_count; i++)
                is_out |= rollout->groups[1 + device->strata[i]].is_closed;
        return is_out;
}

/* Lines up those who may be picked. How many of them may be exposed without having to wait; all, if all have to. */
static size_t gather(struct pass *pass, size_t *ret_count)
{
        struct rollout *rollout = pass->rollout;
        const struct rollout_line *line = pass->line;
        bool may_be_control = rollout->policy.controls && has_room_for_controls(rollout);
        size_t count = 0, held_out = 0, waiting = 0;
        for (uint32_t at = 0; at < line->count; at++) {
                const struct rollout_device *device = &line->devices[at];
                bool is_held_out = rollout_is_held_out(rollout, device->bucket);
                if (!is_free(rollout, device) || is_shut_out(rollout, device) || (is_held_out && !may_be_control))
                        continue;
                struct candidate *candidate = &rollout->queue.items[count++];
                *candidate = weigh(rollout, device, at);
                candidate->gain = pass->is_cover ? cover(rollout, device) : 0;
                held_out += is_held_out;
                waiting += !is_held_out && cover_class(candidate);
        }
        *ret_count = count;
        return count - held_out > waiting ? count - held_out - waiting : waiting;
}

static size_t count_most_suspect(struct pass *pass, size_t count)
{
        const struct candidate *items = pass->rollout->queue.items;
        size_t suspect = 0;
        pass->suspicion = 0;
        for (size_t i = 0; i < count; i++)
                pass->suspicion = fmax(pass->suspicion, items[i].suspicion);
        for (size_t i = 0; i < count; i++)
                suspect += tier_of(pass, &items[i]) == TIER_SUSPECT;
        return suspect;
}

/* A part of one is one in so many slots, by chance. In one cell some sets would else have one control more, and those of kinds that fill no such set would be control more seldom than the others. */
static uint32_t in_whole(const struct rollout *rollout, int64_t slot, uint32_t each)
{
        uint32_t part = each % CONTROL_UNIT;
        if (each < CONTROL_UNIT)
                return each;
        return each - part + (bucket_mix((uint64_t)slot ^ bucket_mix(rollout->lease_count)) % CONTROL_UNIT < part ? CONTROL_UNIT : 0);
}

/* A line that may be exposed whole has as few to spare as a long one in which thousands are under way: but for who stays behind, nobody would be like those who went. The same for a slot, which is
 * a cell's time. */
static void find_each(const struct pass *pass, enum tier tier, size_t count)
{
        struct draw *draw = &pass->rollout->draw;
        int64_t slot = book_slot(pass->rollout, pass->line->now_ms);
        if (draw->slot[tier] == slot || !count)
                return;
        uint64_t spare = count > pass->left ? count - pass->left : 0, most = spare * CONTROL_UNIT / pass->left;
        uint32_t each = controls_each(pass->rollout);
        if (each > most)
                each = most > CONTROLS_LEAST ? (uint32_t)most : CONTROLS_LEAST;
        draw->each[tier] = in_whole(pass->rollout, slot, each);
        draw->slot[tier] = slot;
}

static void arrange(struct pass *pass, candidate_order *comes_before)
{
        size_t count, exposable = gather(pass, &count);
        find_each(pass, TIER_SUSPECT, count_most_suspect(pass, count));
        find_each(pass, TIER_ALL, exposable);
        queue_arrange(&pass->rollout->queue, count, comes_before);
}

static bool goes_on(const struct pass *pass)
{
        const struct rollout *rollout = pass->rollout;
        return pass->left && !queue_is_empty(&rollout->queue) && rollout->lease_count < rollout->leases_max && pacer_window(rollout, &rollout->groups[0]) &&
               (!pass->is_cover || is_first_cohort(rollout));
}

static void go_through(struct pass *pass, candidate_order *comes_before)
{
        pass->is_cover = comes_before == covers_before;
        arrange(pass, comes_before);
        while (goes_on(pass)) {
                bool is_first = is_fresh(pass);
                struct candidate first = *queue_first(&pass->rollout->queue);
                bool is_taken = is_first && take_first(pass) != NOBODY;
                if (is_taken && is_tossed(pass, &first))
                        toss_one(pass, &first);
                else if (is_taken)
                        expose_one(pass, &first);
                queue_settle(&pass->rollout->queue);
        }
}

static void pick_sets(struct rollout *rollout, struct rollout_line *line)
{
        if (pacer_is_capped(rollout, line->now_ms))
                return;
        pacer_refresh_bounds(rollout);
        uint32_t left = pacer_left(rollout, line->now_ms), window = pacer_window(rollout, &rollout->groups[0]);
        struct pass pass = { rollout, line, left < window ? left : window, .members = rollout->members };
        if (!pass.left)
                return;
        suspect(rollout);
        refresh_gains(rollout);
        pacer_close(rollout);
        if (is_first_cohort(rollout))
                go_through(&pass, covers_before);
        if (pass.left)
                go_through(&pass, is_before);
}

/* Held-out devices answer also when their turn is over. */
static bool may_probe(const struct rollout *rollout, const struct rollout_device *device)
{
        return is_free(rollout, device) || (!rollout->fates[device->device].is_busy && rollout_is_held_out(rollout, device->bucket));
}

/* From any block, to see whether anybody answers; one at a time, as long as the last did not, or they would use up all leases. They are compared with nobody. */
static void pick_probes(struct rollout *rollout, struct rollout_line *line)
{
        size_t count = 0;
        for (uint32_t at = 0; at < line->count; at++)
                if (may_probe(rollout, &line->devices[at]))
                        rollout->queue.items[count++] = (struct candidate){ .at = at, .block = line->devices[at].block, .key = draw_for(rollout, &line->devices[at]) };
        queue_arrange(&rollout->queue, count, is_before);
        for (int64_t left = rollout->recent_controls & 1 ? 1 : rollout->policy.controls; left && !queue_is_empty(&rollout->queue) && has_room_for_controls(rollout); queue_settle(&rollout->queue)) {
                uint32_t at = queue_take(&rollout->queue).at;
                if (!may_probe(rollout, &line->devices[at]))
                        continue;
                take(rollout, line, at, line->devices[at].block, true);
                rollout->leases[line->picks[at].handle].is_apart = true;
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
                line->picks[i] = (struct rollout_pick){ ROLLOUT_WAIT, NO_LEASE, false };
        }
        if (line->now_ms < rollout->now_ms)
                line->now_ms = rollout->now_ms;
        if (rollout_is_due(rollout, line->now_ms) || is_gathering(rollout, line))
                return OK;
        struct draw before = rollout->draw;
        if (rollout_may_expose(rollout))
                pick_sets(rollout, line);
        if (is_probing(rollout))
                pick_probes(rollout, line);
        if (!line->picked)                       /* a line of which nobody is taken leaves no trace: it is not written down */
                rollout->draw = before;
        pacer_refresh(rollout);
        return OK;
}
