#include "replay/world.h"

#include "base/mem.h"

#include <assert.h>

enum { SECOND_MS = 1000, WORD = 64, NOBODYS = UINT32_MAX };      /* nobody's: of no lease */

enum state {
        STATE_EXPOSED = 1, STATE_HURT = 2, STATE_SILENT = 4, STATE_WAS_SILENT = 8,
        STATE_MUTE = 16,                         /* it does not say that it is well any more */
        STATE_PROVEN = 32,
};

enum kind {
        HAPPENS_ANSWER,                          /* it sends what came of its lease; arrives when the trip says */
        HAPPENS_ARRIVAL,                         /* a report reaches the server */
        HAPPENS_FREEDOM,                         /* a control device may be asked again */
        HAPPENS_LATER,                           /* a crash, whatever it runs, after its lease */
        HAPPENS_ONSET, HAPPENS_TELLING, HAPPENS_CURE,      /* detail: the fault */
        HAPPENS_TURN,                            /* to go back */
};

/* What a report says, in a byte. */
enum { DETAIL_OUTCOME = 4, DETAIL_CONTROL = 128, DETAIL_KIND = 15 };
static uint8_t detail_of(enum rollout_outcome outcome, enum rollout_signal kind, bool is_control)
{
        return (uint8_t)(kind | outcome << DETAIL_OUTCOME | (is_control ? DETAIL_CONTROL : 0));
}

/* A report's number among those of its device, for the draws of its way. */
static uint32_t number_of(const struct event *event) { return event->handle * 32 + event->detail % 32; }

static bool has_bit(const uint64_t *bits, uint32_t at) { return bits[at / WORD] >> at % WORD & 1; }
static void set_bit(uint64_t *bits, uint32_t at) { bits[at / WORD] |= UINT64_C(1) << at % WORD; }
static void clear_bit(uint64_t *bits, uint32_t at) { bits[at / WORD] &= ~(UINT64_C(1) << at % WORD); }

/* The first that is set from `at` on; `to`: none below it. */
static uint32_t next_bit(const uint64_t *bits, uint32_t at, uint32_t to)
{
        while (at < to) {
                uint64_t word = bits[at / WORD] >> at % WORD;
                if (word) {
                        at += (uint32_t)__builtin_ctzll(word);
                        return at < to ? at : to;
                }
                at += WORD - at % WORD;
        }
        return to;
}

void world_close(struct world *world)
{
        if (!world)
                return;
        fleet_close(world->fleet);
        events_close(world->events);
        mem_free(world->states);
        mem_free(world->ills);
        mem_free(world->waiting);
        mem_free(world->unseen);
        mem_free(world->running);
        mem_free(world->held_out);
        mem_free(world);
}

static enum err allocate(struct world *world, uint32_t devices, struct why *why)
{
        size_t words = devices / WORD + 1;
        world->states = mem_new(devices, sizeof(*world->states));
        world->ills = mem_new(devices, sizeof(*world->ills));
        world->waiting = mem_new(words, sizeof(*world->waiting));
        world->unseen = mem_new(words, sizeof(*world->unseen));
        world->running = mem_new(words, sizeof(*world->running));
        world->held_out = mem_new(words, sizeof(*world->held_out));
        if (!world->states || !world->ills || !world->waiting || !world->unseen || !world->running || !world->held_out)
                return FAIL(why, ERR_NOMEM, "out of memory for a world of %u devices", devices);
        for (size_t i = 0; i < words; i++)
                world->waiting[i] = world->unseen[i] = UINT64_MAX;
        return OK;
}

enum err world_open(const struct world_config *config, struct world **ret_world, struct why *why)
{
        OWN(world) struct world *world = mem_new(1, sizeof(*world));
        if (!world)
                return FAIL(why, ERR_NOMEM, "out of memory for a world");
        world->bake_ms = config->bake_ms;
        world->end_ms = (int64_t)config->rounds * config->round_ms;
        world->poll_ms = config->scenario->fleet.poll_s * SECOND_MS;
        world->switch_ms = config->scenario->fleet.switch_s * SECOND_MS;
        world->stop_ms = -1;
        enum err e = fleet_open(config->scenario, config->devices, config->seed, &world->fleet, why);
        if (!e)
                e = truth_init(&world->truth, world->fleet, config->scenario, why);
        if (!e)
                e = weather_init(&world->weather, world->fleet, config->scenario, why);
        if (!e)
                e = events_open(config->rounds, config->round_ms, &world->events, why);
        if (!e)
                e = allocate(world, world->fleet->devices, why);
        if (e)
                return e;
        *ret_world = GIVE(world);
        return OK;
}

static enum err put(struct world *world, enum kind kind, unsigned detail, const struct event *like, int64_t at_ms, struct why *why)
{
        return events_put(world->events, &(struct event){ at_ms, like->device, like->handle, (uint8_t)kind, (uint8_t)detail }, why);
}

static void pass(struct world *world, int64_t now_ms)
{
        if (now_ms <= world->now_ms)
                return;
        world->counts.hours_lost += (double)(now_ms - world->now_ms) / 3600e3 * world->counts.unwell;
        world->now_ms = now_ms;
}

/* The release. */

static bool runs(const struct world *world, uint32_t device) { return has_bit(world->running, device); }

static void run(struct world *world, uint32_t device)
{
        world->running_count += !runs(world, device);
        set_bit(world->running, device);
}

static void run_no_more(struct world *world, uint32_t device)
{
        world->running_count -= runs(world, device);
        clear_bit(world->running, device);
}

/* Whoever is rid of the release gets well of what that heals. */
static enum err leave(struct world *world, uint32_t device, int64_t now_ms, struct why *why)
{
        const struct event like = { now_ms, device, NOBODYS, HAPPENS_CURE, 0 };
        enum err e = OK;
        run_no_more(world, device);
        for (unsigned i = 0; i < world->truth.count && !e; i++)
                if (world->ills[device] >> i & 1 && world->truth.faults[i].cure == CURE_BY_REVERT)
                        e = put(world, HAPPENS_CURE, i, &like, now_ms + world->truth.faults[i].of->heals_after_s * SECOND_MS, why);
        return e;
}

/* Reports. */

static enum err hear(struct world *world, const struct event *event, struct why *why)
{
        enum rollout_outcome outcome = (enum rollout_outcome)(event->detail >> DETAIL_OUTCOME & 7);
        struct rollout_report report = { world->weather.start_ms + event->at_ms, event->handle, outcome, (enum rollout_signal)(event->detail & DETAIL_KIND) };
        uint8_t *state = &world->states[event->device];
        if (outcome == ROLLOUT_PROVEN && !(event->detail & DETAIL_CONTROL) && !(*state & STATE_PROVEN)) {
                *state |= STATE_PROVEN;
                world->counts.proven++;
        }
        return world->ear.heard(world->ear.user, &report, why);
}

/* On its way: there at once, later, twice or never. */
static enum err tell(struct world *world, const struct event *event, struct why *why)
{
        struct weather_trip trip = weather_trip(&world->weather, event->device, number_of(event), event->at_ms);
        enum err e = OK;
        if (trip.is_lost)
                return OK;
        if (trip.again_ms >= 0)
                e = put(world, HAPPENS_ARRIVAL, event->detail, event, trip.again_ms, why);
        if (e)
                return e;
        return trip.arrives_ms > event->at_ms ? put(world, HAPPENS_ARRIVAL, event->detail, event, trip.arrives_ms, why) : hear(world, event, why);
}

static enum err answer(struct world *world, const struct event *event, struct why *why)
{
        uint8_t state = world->states[event->device];
        bool is_control = event->detail & DETAIL_CONTROL, is_well = (event->detail >> DETAIL_OUTCOME & 7) == ROLLOUT_PROVEN;
        if (!is_control && !fleet_lie(world->fleet, event->device) && (state & STATE_SILENT || (state & STATE_MUTE && is_well)))
                return OK;
        return tell(world, event, why);
}

static enum err later(struct world *world, const struct event *event, struct why *why)
{
        world->idle--;
        return weather_is_on(&world->weather, event->device, event->at_ms) ? answer(world, event, why) : OK;
}

/* Harm. */

static bool is_told_by_people(const struct truth_fault *fault) { return fault->kind == ROLLOUT_HUMAN; }

static enum err plan_cure(struct world *world, const struct event *event, struct why *why)
{
        const struct truth_fault *fault = &world->truth.faults[event->detail];
        int64_t heals_ms = fault->of->heals_after_s * SECOND_MS, from_ms = event->at_ms;
        bool is_planned = fault->cure == CURE_BY_AGENT || (fault->cure == CURE_BY_HAND && world->stop_ms >= 0);
        if (fault->cure == CURE_BY_HAND && world->stop_ms > from_ms)
                from_ms = world->stop_ms;
        return is_planned ? put(world, HAPPENS_CURE, event->detail, event, from_ms + heals_ms, why) : OK;
}

static enum err telling(struct world *world, const struct event *event, struct why *why)
{
        struct event report = *event;
        report.detail = detail_of(ROLLOUT_HARMED, world->truth.faults[event->detail].kind, false);
        bool says_nothing = event->handle == NOBODYS || world->states[event->device] & STATE_SILENT || fleet_lie(world->fleet, event->device);
        return says_nothing ? OK : tell(world, &report, why);
}

static void fall_silent(struct world *world, uint32_t device)
{
        world->counts.dark += !(world->states[device] & STATE_WAS_SILENT);
        world->states[device] |= STATE_SILENT | STATE_WAS_SILENT;
}

static enum err show(struct world *world, const struct event *event, struct why *why)
{
        const struct truth_fault *fault = &world->truth.faults[event->detail];
        enum truth_sign sign = truth_sign(&world->truth, event->detail, event->device);
        if (sign == TRUTH_IS_SILENT)
                fall_silent(world, event->device);
        if (sign != TRUTH_TELLS)
                return OK;
        if (!is_told_by_people(fault))
                world->states[event->device] |= STATE_MUTE;
        int64_t told_ms = event->at_ms + fault->of->told_after_s * SECOND_MS;
        return told_ms > event->at_ms ? put(world, HAPPENS_TELLING, event->detail, event, told_ms, why) : telling(world, event, why);
}

static void fall_ill(struct world *world, uint32_t device, unsigned fault)
{
        world->counts.hurt += !(world->states[device] & STATE_HURT);
        world->counts.unwell += !world->ills[device];
        world->states[device] |= STATE_HURT;
        world->ills[device] |= (uint16_t)(1u << fault);
}

/* A device that is off is harmed when it is on again. */
static enum err onset(struct world *world, const struct event *event, struct why *why)
{
        const struct truth_fault *fault = &world->truth.faults[event->detail];
        bool is_there = runs(world, event->device) || fault->onset == FAULT_AT_REVERT;
        int64_t on_ms = weather_comes_on(&world->weather, event->device, event->at_ms);
        if (!is_there || world->ills[event->device] >> event->detail & 1)
                return OK;
        if (on_ms > event->at_ms)
                return put(world, HAPPENS_ONSET, event->detail, event, on_ms, why);
        fall_ill(world, event->device, event->detail);
        enum err e = plan_cure(world, event, why);
        return e ? e : show(world, event, why);
}

static bool is_still_silent(const struct world *world, uint32_t device)
{
        for (unsigned i = 0; i < world->truth.count; i++)
                if (world->ills[device] >> i & 1 && truth_sign(&world->truth, i, device) == TRUTH_IS_SILENT)
                        return true;
        return false;
}

/* Whoever cures it takes the release away, too; what is gone can do no more harm. */
static enum err cure(struct world *world, const struct event *event, struct why *why)
{
        uint16_t *ills = &world->ills[event->device];
        if (!(*ills >> event->detail & 1))
                return OK;
        *ills &= (uint16_t)~(1u << event->detail);
        world->counts.unwell -= !*ills;
        if (!is_still_silent(world, event->device))
                world->states[event->device] &= (uint8_t)~STATE_SILENT;
        return runs(world, event->device) ? leave(world, event->device, event->at_ms, why) : OK;
}

static enum err take_back(struct world *world, uint32_t device, int64_t now_ms, struct why *why);

/* One that is off then hears of it again when it asks. */
static enum err turn(struct world *world, const struct event *event, struct why *why)
{
        bool goes = runs(world, event->device) && weather_is_on(&world->weather, event->device, event->at_ms);
        return goes ? take_back(world, event->device, event->at_ms, why) : OK;
}

static enum err happen(struct world *world, const struct event *event, struct why *why)
{
        switch ((enum kind)event->kind) {
        case HAPPENS_ANSWER: return answer(world, event, why);
        case HAPPENS_ARRIVAL: return hear(world, event, why);
        case HAPPENS_ONSET: return onset(world, event, why);
        case HAPPENS_TELLING: return telling(world, event, why);
        case HAPPENS_CURE: return cure(world, event, why);
        case HAPPENS_TURN: return turn(world, event, why);
        case HAPPENS_LATER: return later(world, event, why);
        case HAPPENS_FREEDOM: break;
        }
        set_bit(world->waiting, event->device);
        return OK;
}

enum err world_happen(struct world *world, uint32_t round, struct why *why)
{
        const struct event *items = NULL;
        size_t count = 0;
        enum err e = OK;
        do {
                e = events_take(world->events, round, &items, &count, why);
                for (size_t i = 0; i < count && !e; i++) {
                        pass(world, items[i].at_ms);
                        e = happen(world, &items[i], why);
                }
        } while (count && !e);
        return e;
}

/* Polls. */

/* A device's number is its place in the cycle of polls: whoever asks within some seconds has numbers that follow each other. */
static uint32_t first_from(const struct world *world, int64_t phase_ms)
{
        uint64_t devices = world->fleet->devices, poll_ms = (uint64_t)world->poll_ms;
        return (uint32_t)(((uint64_t)phase_ms * devices + poll_ms - 1) / poll_ms);
}

void world_polls(const struct world *world, int64_t from_ms, int64_t length_ms, struct world_range ret_ranges[2])
{
        int64_t phase_ms = from_ms % world->poll_ms, end_ms = phase_ms + length_ms;
        assert(length_ms <= world->poll_ms);
        ret_ranges[0] = (struct world_range){ first_from(world, phase_ms), first_from(world, end_ms < world->poll_ms ? end_ms : world->poll_ms) };
        ret_ranges[1] = (struct world_range){ 0, end_ms > world->poll_ms ? first_from(world, end_ms - world->poll_ms) : 0 };
}

size_t world_line(const struct world *world, struct world_range range, int64_t now_ms, struct rollout_device *devices)
{
        size_t count = 0;
        for (uint32_t at = next_bit(world->waiting, range.from, range.to); at < range.to; at = next_bit(world->waiting, at + 1, range.to))
                if (weather_is_on(&world->weather, at, now_ms))
                        fleet_facts(world->fleet, at, &devices[count++]);
        return count;
}

bool world_speaks(const struct world *world, uint32_t device, int64_t now_ms)
{
        bool is_silent = world->states[device] & STATE_SILENT && !fleet_lie(world->fleet, device);
        return !is_silent && weather_is_on(&world->weather, device, now_ms) && !weather_is_dropped(&world->weather, device, now_ms);
}

bool world_has_candidate(const struct world *world, struct world_range range, int64_t now_ms)
{
        for (uint32_t at = next_bit(world->waiting, range.from, range.to); at < range.to; at = next_bit(world->waiting, at + 1, range.to))
                if (!has_bit(world->held_out, at) && weather_is_on(&world->weather, at, now_ms))
                        return true;
        return false;
}

void world_hold_out(struct world *world, uint32_t device) { set_bit(world->held_out, device); }

bool world_next_seen(struct world *world, struct world_range range, int64_t now_ms, uint32_t *at, uint32_t *ret_device)
{
        for (*at = next_bit(world->unseen, *at > range.from ? *at : range.from, range.to); *at < range.to; *at = next_bit(world->unseen, *at + 1, range.to))
                if (weather_is_on(&world->weather, *at, now_ms)) {
                        clear_bit(world->unseen, *at);
                        world->counts.seen++;
                        *ret_device = *at;
                        return true;
                }
        return false;
}

/* Leases. */

/* When a control device may be asked again: the answer in time, or the deadline. */
static enum err plan_freedom(struct world *world, const struct event *answer, int64_t deadline_ms, struct why *why)
{
        struct weather_trip trip = weather_trip(&world->weather, answer->device, number_of(answer), answer->at_ms);
        int64_t free_ms = trip.is_lost || trip.arrives_ms > deadline_ms ? deadline_ms : trip.arrives_ms;
        return put(world, HAPPENS_FREEDOM, 0, answer, free_ms, why);
}

/* However the device fares: who answers in its place need not be on it. */
static void lie(struct event *answer, enum fleet_lie lie, const struct world_lease *lease, int64_t begins_ms)
{
        if (lie == FLEET_SAYS_FINE || (lie == FLEET_SAYS_HURT_WHEN_EXPOSED && lease->is_control))
                return;
        answer->at_ms = begins_ms;
        answer->detail = detail_of(ROLLOUT_HARMED, ROLLOUT_CRASH, lease->is_control);
}

/* The same laws for those that have the release and for control. */
static void fare(const struct world *world, struct event *answer, const struct world_lease *lease)
{
        struct weather_spell spell = weather_spell(&world->weather, lease->device, lease->now_ms, answer->at_ms);
        if (spell.crash_ms >= 0) {
                answer->at_ms = spell.crash_ms;
                answer->detail = detail_of(ROLLOUT_HARMED, ROLLOUT_CRASH, lease->is_control);
        } else if (spell.off_ms >= 0) {
                answer->at_ms += spell.back_ms - spell.off_ms;     /* it goes on with its bake */
        }
}

static enum err plan_answer(struct world *world, const struct world_lease *lease, int64_t begins_ms, struct why *why)
{
        struct event answer = { begins_ms + world->bake_ms, lease->device, lease->handle, HAPPENS_ANSWER, detail_of(ROLLOUT_PROVEN, 0, lease->is_control) };
        enum fleet_lie told = fleet_lie(world->fleet, lease->device);
        if (told)
                lie(&answer, told, lease, begins_ms);
        else
                fare(world, &answer, lease);
        enum err e = events_put(world->events, &answer, why);
        if (!e && lease->is_control)
                e = plan_freedom(world, &answer, lease->deadline_ms, why);
        return e;
}

static enum err plan_onsets(struct world *world, const struct event *like, bool is_revert, struct why *why)
{
        enum err e = OK;
        for (unsigned i = 0; i < world->truth.count && !e; i++)
                if ((world->truth.faults[i].onset == FAULT_AT_REVERT) == is_revert && truth_strikes(&world->truth, i, like->device, like->at_ms))
                        e = put(world, HAPPENS_ONSET, i, like, truth_onset_ms(&world->truth, i, like->device, like->at_ms), why);
        return e;
}

static enum err expose(struct world *world, const struct world_lease *lease, int64_t begins_ms, struct why *why)
{
        struct event like = { begins_ms, lease->device, lease->handle, HAPPENS_ANSWER, detail_of(ROLLOUT_PREFLIGHT_FAILED, 0, false) };
        if (truth_refuses(&world->truth, lease->device, begins_ms)) {
                world->counts.refused++;
                return events_put(world->events, &like, why);
        }
        world->counts.exposed++;
        world->states[lease->device] |= STATE_EXPOSED;
        run(world, lease->device);
        enum err e = plan_answer(world, lease, begins_ms, why);
        return e ? e : plan_onsets(world, &like, false, why);
}

/* It goes on crashing at its rate when the lease is over; whether anybody asks is not its concern. */
static enum err plan_later(struct world *world, const struct world_lease *lease, struct why *why)
{
        int64_t from_ms = lease->deadline_ms, at_ms = weather_next_crash(&world->weather, lease->device, from_ms, world->end_ms);
        if (at_ms < 0 || fleet_lie(world->fleet, lease->device))
                return OK;
        const struct event crash = { at_ms, lease->device, lease->handle, HAPPENS_LATER, detail_of(ROLLOUT_HARMED, ROLLOUT_CRASH, lease->is_control) };
        uint32_t before = events_waiting(world->events);
        enum err e = events_put(world->events, &crash, why);
        world->idle += events_waiting(world->events) - before;
        return e;
}

enum err world_grant(struct world *world, const struct world_lease *lease, struct why *why)
{
        uint64_t pace = fleet_draw(world->fleet, CHANCE_OF_PACE, (uint64_t)lease->device << 32 | lease->handle);
        int64_t begins_ms = lease->now_ms + world->switch_ms / 5 + (int64_t)chance_below(pace, (uint64_t)world->switch_ms * 4 / 5);
        clear_bit(world->waiting, lease->device);
        enum err e = lease->is_control ? plan_answer(world, lease, begins_ms, why) : expose(world, lease, begins_ms, why);
        return e ? e : plan_later(world, lease, why);
}

/* After the stop. */

enum err world_stop(struct world *world, int64_t now_ms, struct why *why)
{
        enum err e = OK;
        world->stop_ms = now_ms;
        for (uint32_t device = 0; device < world->fleet->devices; device++)
                for (unsigned i = 0; i < world->truth.count && world->ills[device] && !e; i++)
                        if (world->ills[device] >> i & 1 && world->truth.faults[i].cure == CURE_BY_HAND)
                                e = plan_cure(world, &(struct event){ now_ms, device, 0, HAPPENS_CURE, (uint8_t)i }, why);
        return e;
}

static bool is_curable_by_revert(const struct world *world, uint32_t device)
{
        for (unsigned i = 0; i < world->truth.count; i++)
                if (world->ills[device] >> i & 1 && world->truth.faults[i].cure == CURE_BY_REVERT)
                        return true;
        return false;
}

static enum err take_back(struct world *world, uint32_t device, int64_t now_ms, struct why *why)
{
        const struct event like = { now_ms, device, NOBODYS, HAPPENS_ONSET, 0 };
        enum err e = plan_onsets(world, &like, true, why);
        return e ? e : leave(world, device, now_ms, why);
}

void world_withdraw(struct world *world, int64_t now_ms, int64_t over_s)
{
        world->withdrawal = (struct withdrawal){ .since_s = now_ms / SECOND_MS, .over_s = over_s };
}

/* Its turn is waited for since the last question before it. */
static enum err hear_of_it(struct world *world, uint32_t device, int64_t now_ms, struct why *why)
{
        struct rollout_device facts;
        fleet_facts(world->fleet, device, &facts);
        int64_t moment_ms = withdrawal_moment_ms(&world->withdrawal, facts.bucket, now_ms);
        if (world->ills[device] || moment_ms <= now_ms)
                return take_back(world, device, now_ms, why);
        const struct event turn = { moment_ms, device, NOBODYS, HAPPENS_TURN, 0 };
        return moment_ms < now_ms + world->poll_ms ? events_put(world->events, &turn, why) : OK;
}

/* A silent one does not hear of it, unless it is one of those whom that helps. */
enum err world_take_back(struct world *world, struct world_range range, int64_t now_ms, struct why *why)
{
        enum err e = OK;
        for (uint32_t at = next_bit(world->running, range.from, range.to); at < range.to && !e; at = next_bit(world->running, at + 1, range.to))
                if (world->states[at] & STATE_SILENT && !is_curable_by_revert(world, at))
                        run_no_more(world, at);
                else if (weather_is_on(&world->weather, at, now_ms))
                        e = hear_of_it(world, at, now_ms, why);
        return e;
}

bool world_is_at_rest(const struct world *world) { return events_waiting(world->events) == world->idle; }
bool world_is_back(const struct world *world) { return !world->running_count; }

struct world_counts world_counts_at(struct world *world, int64_t now_ms)
{
        pass(world, now_ms);
        return world->counts;
}
