#include "sim/storm.h"

#include "base/mem.h"
#include "replay/world.h"
#include "sim/made_up.h"
#include "sim/sim_server.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SECOND_MS = 1000, ROUNDS_PER_LEASE = 24, LEASES_PER_DEVICE = 64, ROUNDS_PER_COMPARISON = 331, STRIDE = 3, LAST_ROUNDS = 2 * ROUNDS_PER_LEASE, DAY_S = 86400 };

/* A report on its way, or not: kept to the end, when all of them come again. fed: as which input it was taken. */
struct letter { struct rollout_report report; uint32_t due_round, fed; bool is_lost, is_done; };

/* A lease whose answer waits until it is durable. */
struct answer { uint32_t device, handle, nonce; int64_t ends_ms; };

struct armed { uint32_t device, handle; bool is_control; };

struct storm {
        struct made_up made;
        struct dice dice;
        struct world *world;
        struct sim_server *server;
        struct storm_tally *tally;
        struct rollout_device *devices;          /* facts, by number */
        uint32_t *nonces;                        /* what each device asks with now */
        bool *is_dead;                           /* never asks again */
        struct rollout_device *waiting;          /* room for a line */
        struct ledger_asker *line, *heard;
        struct rollout_listened *listened;
        struct letter *letters;
        struct answer *answers;
        struct armed *armed;
        uint32_t line_count, letter_count, letter_room, first_letter, answer_count, armed_count;
        uint32_t round, down_until, paused_until, stopped_round, seen;
        int64_t now_ms, round_ms, skew_ms;       /* now: since the start, by the true clock */
        bool is_lost;                            /* the server crashed under this request */
};

static void done(struct storm *storm)
{
        world_close(storm->world);
        sim_server_close(storm->server);
        mem_free(storm->devices);
        mem_free(storm->nonces);
        mem_free(storm->is_dead);
        mem_free(storm->waiting);
        mem_free(storm->line);
        mem_free(storm->heard);
        mem_free(storm->listened);
        mem_free(storm->letters);
        mem_free(storm->answers);
        mem_free(storm->armed);
}

static int64_t server_clock(const struct storm *storm) { return storm->world->weather.start_ms + storm->now_ms + storm->skew_ms; }

/* What a server loses. */

static enum err check_armed(struct storm *storm, struct why *why)
{
        const struct ledger *ledger = storm->server->ledger;
        for (uint32_t i = 0; i < storm->armed_count; i++) {
                const struct armed *armed = &storm->armed[i];
                const struct ledger_lease *lease = &ledger->leases[armed->handle];
                bool is_known = armed->handle < ledger->lease_count && lease->device == armed->device && lease->is_control == armed->is_control;
                if (!is_known || lease->status == LEDGER_RESERVED || lease->status == LEDGER_LAPSED)
                        return FAIL(why, ERR_CONTENT, "promise 1: device %u runs lease %u, of which the log knows nothing", armed->device, armed->handle);
        }
        return OK;
}

static enum err crash(struct storm *storm, struct why *why)
{
        for (uint32_t i = storm->first_letter; i < storm->letter_count; i++) {
                struct letter *letter = &storm->letters[i];
                if (!letter->is_done && letter->fed != UINT32_MAX && letter->fed >= storm->server->durable)
                        letter->fed = UINT32_MAX;      /* nobody confirmed it: it is sent again */
        }
        storm->answer_count = 0;
        storm->is_lost = true;
        storm->paused_until = storm->round;
        storm->down_until = storm->round + (uint32_t)dice_below(&storm->dice, (uint64_t)storm->made.trouble.down_rounds + 1);
        enum err e = sim_server_crash(storm->server, why);
        return e ? e : check_armed(storm, why);
}

/* Any input may be the last one that this server sees: then `is_lost`, and nobody is answered. */
static enum err tell(struct storm *storm, struct sim_input *input, struct sim_fed *ret_fed, struct why *why)
{
        storm->is_lost = false;
        input->at_ms = server_clock(storm);
        if (dice_say(&storm->dice, storm->made.trouble.crash / 2))
                return crash(storm, why);
        enum err e = sim_server_tell(storm->server, input, ret_fed, why);
        storm->tally->inputs++;
        if (!e && dice_say(&storm->dice, storm->made.trouble.crash / 2))
                return crash(storm, why);
        return e;
}

static enum err tick(struct storm *storm, struct why *why)
{
        return tell(storm, &(struct sim_input){ .what = SIM_TICK }, NULL, why);
}

/* Devices. */

static enum err post(struct storm *storm, const struct rollout_report *report, struct why *why)
{
        const struct trouble *trouble = &storm->made.trouble;
        unsigned copies = 1 + dice_say(&storm->dice, trouble->again) + dice_say(&storm->dice, trouble->again / 2);
        if (storm->letter_count + copies > storm->letter_room) {
                uint32_t room = storm->letter_room * 2 + 1024;
                struct letter *letters = mem_resize(storm->letters, room * sizeof(*letters));
                if (!letters)
                        return FAIL(why, ERR_NOMEM, "out of memory for %u reports", room);
                storm->letters = letters;
                storm->letter_room = room;
        }
        for (unsigned i = 0; i < copies; i++) {
                struct letter letter = { *report, storm->round, UINT32_MAX, dice_say(&storm->dice, trouble->lost), false };
                if (dice_say(&storm->dice, trouble->late))
                        letter.due_round += (uint32_t)dice_below(&storm->dice, (uint64_t)trouble->late_rounds);
                letter.is_done = letter.is_lost;
                storm->letters[storm->letter_count++] = letter;
        }
        storm->tally->reports++;
        return OK;
}

static enum err heard(void *user, const struct rollout_report *report, struct why *why) { return post(user, report, why); }

static enum err arm(struct storm *storm, const struct answer *answer, struct why *why)
{
        const struct ledger_lease *lease = &storm->server->ledger->leases[answer->handle];
        const struct rollout_report declined = { 0, answer->handle, ROLLOUT_DECLINED, 0 };
        struct world_lease begins = { answer->device, answer->handle, lease->is_control, storm->now_ms, storm->now_ms + storm->server->ledger->lease_ms };
        storm->nonces[answer->device]++;
        if (server_clock(storm) >= answer->ends_ms)
                return OK;
        if (dice_say(&storm->dice, storm->made.trouble.decline))
                return post(storm, &declined, why);
        if (storm->armed_count == storm->made.devices * LEASES_PER_DEVICE)
                return FAIL(why, ERR_LIMIT, "more than %u leases", storm->armed_count);
        storm->armed[storm->armed_count++] = (struct armed){ answer->device, answer->handle, lease->is_control };
        storm->tally->exposures += !lease->is_control;
        return world_grant(storm->world, &begins, why);
}

/* The answer leaves the server; who has got it already, or asks with another nonce by now, takes no notice. */
static enum err deliver(struct storm *storm, const struct answer *answer, struct why *why)
{
        if (answer->nonce != storm->nonces[answer->device])
                return OK;
        if (dice_say(&storm->dice, storm->made.trouble.lost_answer)) {
                storm->is_dead[answer->device] = dice_say(&storm->dice, storm->made.trouble.dead);
                storm->tally->answers_lost++;
                return OK;
        }
        return arm(storm, answer, why);
}

static enum err commit(struct storm *storm, struct why *why)
{
        enum err e = OK;
        if (storm->round < storm->paused_until)
                return OK;
        sim_server_commit(storm->server);
        for (uint32_t i = storm->first_letter; i < storm->letter_count; i++)
                storm->letters[i].is_done |= storm->letters[i].fed != UINT32_MAX;
        while (storm->first_letter < storm->letter_count && storm->letters[storm->first_letter].is_done)
                storm->first_letter++;
        for (uint32_t i = 0; i < storm->answer_count && !e; i++)
                e = deliver(storm, &storm->answers[i], why);
        storm->answer_count = 0;
        return e;
}

static enum err maybe_commit(struct storm *storm, struct why *why)
{
        return !storm->is_lost && dice_say(&storm->dice, storm->made.trouble.commit) ? commit(storm, why) : OK;
}

/* Leases: a device asks; it stands in line, comes for what was reserved, or is answered once more. */

static void queue_answer(struct storm *storm, uint32_t device, uint32_t handle)
{
        const struct ledger_lease *lease = &storm->server->ledger->leases[handle];
        if (storm->answer_count < storm->made.devices)
                storm->answers[storm->answer_count++] = (struct answer){ device, handle, lease->nonce, lease->due_ms - storm->server->ahead_ms };
}

static enum err claim(struct storm *storm, uint32_t device, uint32_t handle, struct why *why)
{
        enum err e = tick(storm, why);
        if (e || storm->is_lost)
                return e;
        e = tell(storm, &(struct sim_input){ .what = SIM_GRANTED, .number = handle }, NULL, why);
        if (e == ERR_EXPIRED)
                storm->nonces[device]++;
        if (e == ERR_EXPIRED || e == ERR_REFUSED)
                return OK;
        if (!e && !storm->is_lost)
                queue_answer(storm, device, handle);
        return e ? e : maybe_commit(storm, why);
}

static enum err ask(struct storm *storm, uint32_t device, struct why *why)
{
        const struct ledger *ledger = storm->server->ledger;
        uint32_t handle = ledger->newest[device];
        if (storm->is_dead[device] || dice_say(&storm->dice, storm->made.trouble.sluggish))
                return OK;
        if (handle == LEDGER_NOBODY || ledger->leases[handle].nonce != storm->nonces[device]) {
                storm->line[storm->line_count++] = (struct ledger_asker){ device, storm->nonces[device] };
                return OK;
        }
        if (ledger->leases[handle].status == LEDGER_RESERVED)
                return claim(storm, device, handle, why);
        if (ledger->leases[handle].status != LEDGER_OPEN)
                storm->nonces[device]++;
        else if (ledger->leases[handle].is_control || (!ledger->is_halted && !ledger->is_over))
                queue_answer(storm, device, handle);
        return OK;
}

static enum err line_up(struct storm *storm, struct why *why)
{
        if (!storm->line_count)
                return OK;
        enum err e = tick(storm, why);
        if (!e && !storm->is_lost)
                e = tell(storm, &(struct sim_input){ .what = SIM_PICK, .line = storm->line, .line_count = storm->line_count }, NULL, why);
        return e ? e : maybe_commit(storm, why);
}

static bool is_taken_back(const struct storm *storm)
{
        return storm->server->ledger->state == ROLLOUT_ROLLING_BACK || storm->server->ledger->state == ROLLOUT_WITHDRAWN;
}

static void check_in(struct storm *storm, struct world_range range)
{
        uint32_t at = range.from;
        for (uint32_t device; world_next_seen(storm->world, range, storm->now_ms, &at, &device);)
                storm->seen += !rollout_is_held_out(storm->server->rollout, storm->devices[device].bucket);
}

static bool is_in(struct world_range range, uint32_t device) { return device >= range.from && device < range.to; }

/* Whoever asks is heard, if anybody listens. */
static enum err hear(struct storm *storm, struct world_range range, struct why *why)
{
        uint32_t count = 0;
        size_t listened = rollout_listens(storm->server->rollout, storm->listened, storm->made.devices);
        for (size_t i = 0; i < listened; i++) {
                uint32_t device = storm->listened[i].device;
                if (is_in(range, device) && !storm->is_dead[device] && world_speaks(storm->world, device, storm->now_ms))
                        storm->heard[count++] = (struct ledger_asker){ device, storm->listened[i].handle };
        }
        enum err e = count ? tell(storm, &(struct sim_input){ .what = SIM_HEARD, .line = storm->heard, .line_count = count }, NULL, why) : OK;
        return e || !count ? e : maybe_commit(storm, why);
}

/* A newer release takes some of them over. */
static enum err lose_some(struct storm *storm, struct why *why)
{
        uint32_t count = 0, devices = storm->made.devices;
        for (uint32_t device = (uint32_t)dice_below(&storm->dice, devices); device < devices && count < 8; device += 1 + (uint32_t)dice_below(&storm->dice, 16))
                storm->heard[count++] = (struct ledger_asker){ device, 0 };
        enum err e = tell(storm, &(struct sim_input){ .what = SIM_LEFT, .line = storm->heard, .line_count = count }, NULL, why);
        return e ? e : maybe_commit(storm, why);
}

static enum err polls(struct storm *storm, struct why *why)
{
        struct world_range ranges[2];
        enum err e = OK;
        storm->line_count = 0;
        world_polls(storm->world, storm->now_ms - storm->round_ms, storm->round_ms, ranges);
        for (unsigned i = 0; i < 2 && !e; i++) {
                if (is_taken_back(storm))
                        e = world_take_back(storm->world, ranges[i], storm->now_ms, why);
                check_in(storm, ranges[i]);
                if (!e && storm->round >= storm->down_until)
                        e = hear(storm, ranges[i], why);
                size_t count = world_line(storm->world, ranges[i], storm->now_ms, storm->waiting);
                for (size_t at = 0; at < count && !e && storm->round >= storm->down_until; at++)
                        e = ask(storm, storm->waiting[at].device, why);
        }
        return e || storm->round < storm->down_until ? e : line_up(storm, why);
}

static enum err deliver_letters(struct storm *storm, struct why *why)
{
        enum err e = OK;
        for (uint32_t i = storm->first_letter; i < storm->letter_count && !e && storm->round >= storm->down_until; i++) {
                struct letter *letter = &storm->letters[i];
                if (letter->is_done || letter->fed != UINT32_MAX || letter->due_round > storm->round)
                        continue;
                e = tell(storm, &(struct sim_input){ .what = SIM_REPORT, .report = letter->report }, NULL, why);
                if (!e && !storm->is_lost)
                        letter->fed = storm->server->input_count - 1;
                if (!e)
                        e = maybe_commit(storm, why);
        }
        return e;
}

/* People. */

static enum err command(struct storm *storm, enum rollout_event event, enum sim_people people, struct why *why)
{
        enum err e = tick(storm, why);
        if (e || storm->is_lost)
                return e;
        e = tell(storm, &(struct sim_input){ .what = SIM_COMMAND, .event = event, .people = people }, NULL, why);
        storm->tally->overrides += !e && event == ROLLOUT_ON_OVERRIDE;
        return e == ERR_REFUSED ? OK : e ? e : maybe_commit(storm, why);
}

static enum err give_order(struct storm *storm, struct why *why)
{
        static const struct { enum rollout_event event; enum sim_people people; unsigned weight; } orders[] = {
                { ROLLOUT_ON_HOLD, SIM_ONE, 8 },           { ROLLOUT_ON_RESUME, SIM_ONE, 12 },        { ROLLOUT_ON_HALT, SIM_ONE, 4 },
                { ROLLOUT_ON_OVERRIDE, SIM_TWO, 12 },      { ROLLOUT_ON_WITHDRAW, SIM_ONE, 2 },       { ROLLOUT_ON_ROLLED_BACK, SIM_NOBODY, 2 },
                { ROLLOUT_ON_SUPERSEDE, SIM_NOBODY, 1 },   { ROLLOUT_ON_CANCEL, SIM_ONE, 1 },         { ROLLOUT_ON_START, SIM_ONE, 1 },
                { ROLLOUT_ON_OVERRIDE, SIM_NOBODY, 1 },    { ROLLOUT_ON_OVERRIDE, SIM_ONE, 1 },       { ROLLOUT_ON_OVERRIDE, SIM_SAME_TWICE, 1 },
                { ROLLOUT_ON_OVERRIDE, SIM_NO_REASON, 1 }, { ROLLOUT_ON_CLEAR, SIM_TWO, 1 },          { ROLLOUT_ON_COMPLETE, SIM_TWO, 1 },
        };
        unsigned at = 0, sum = 0;
        for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
                sum += orders[i].weight;
        for (uint64_t left = dice_below(&storm->dice, sum); left >= orders[at].weight; at++)
                left -= orders[at].weight;
        return command(storm, orders[at].event, orders[at].people, why);
}

static bool has_stopped(const struct storm *storm)
{
        return storm->server->ledger->state == ROLLOUT_HOLDING || storm->server->ledger->state == ROLLOUT_HALTED;
}

/* What befalls the server itself in this round. */
static enum err befall(struct storm *storm, struct why *why)
{
        const struct trouble *trouble = &storm->made.trouble;
        enum err e = OK;
        if (dice_say(&storm->dice, trouble->clock_step)) {
                int64_t most_s = dice_say(&storm->dice, 500000) ? 600 : DAY_S;
                storm->skew_ms = ((int64_t)dice_below(&storm->dice, 2 * (uint64_t)most_s) - most_s) * SECOND_MS;
        }
        if (storm->round == storm->paused_until && storm->paused_until && dice_say(&storm->dice, 500000))
                e = crash(storm, why);                 /* what had waited so long fails in the end */
        if (dice_say(&storm->dice, trouble->pause))
                storm->paused_until = storm->round + 1 + (uint32_t)dice_below(&storm->dice, (uint64_t)trouble->pause_rounds);
        if (!e && storm->round >= storm->down_until && dice_say(&storm->dice, trouble->freeze))
                e = tell(storm, &(struct sim_input){ .what = SIM_FREEZE, .number = !storm->server->ledger->is_frozen || dice_say(&storm->dice, 200000) }, NULL, why);
        if (!e && storm->round >= storm->down_until && dice_say(&storm->dice, trouble->order))
                e = give_order(storm, why);
        if (!e && storm->round >= storm->down_until && dice_say(&storm->dice, trouble->order / 2))
                e = lose_some(storm, why);
        if (!e && storm->round >= storm->down_until && has_stopped(storm) && dice_say(&storm->dice, trouble->stubborn))
                e = command(storm, ROLLOUT_ON_OVERRIDE, SIM_TWO, why);
        return e;
}

static enum err take_stock(struct storm *storm, struct why *why)
{
        struct ledger *ledger = storm->server->ledger;
        if (storm->round % STRIDE == 0)
                ledger_look_at_strata(ledger, storm->server->rollout);
        storm->tally->unknown_rounds += ledger_is_unknown(ledger);
        if (storm->round % ROUNDS_PER_COMPARISON == ROUNDS_PER_COMPARISON - 1) {
                enum err e = sim_server_compare(storm->server, why);
                if (e)
                        return e;
        }
        bool is_news = is_taken_back(storm) && storm->world->stop_ms < 0;
        if (ledger->broken[0])
                return FAIL(why, ERR_CONTENT, "promise %s", ledger->broken);
        return is_news ? world_stop(storm->world, storm->now_ms, why) : OK;
}

static enum err round_of(struct storm *storm, struct why *why)
{
        enum err e = world_happen(storm->world, storm->round, why);
        storm->now_ms = (storm->round + 1) * storm->round_ms;
        if (!e)
                e = befall(storm, why);
        if (!e)
                e = deliver_letters(storm, why);
        if (!e && storm->round >= storm->down_until)
                e = tick(storm, why);
        uint32_t before = storm->seen;
        if (!e)
                e = polls(storm, why);
        if (!e && storm->seen != before)
                e = tell(storm, &(struct sim_input){ .what = SIM_SEEN, .number = storm->seen }, NULL, why);
        if (!e)
                e = commit(storm, why);
        return e ? e : take_stock(storm, why);
}

static bool is_over(struct storm *storm)
{
        enum rollout_state state = storm->server->ledger->state;
        bool is_final = state == ROLLOUT_WITHDRAWN || state == ROLLOUT_SUPERSEDED || state == ROLLOUT_CANCELLED || state == ROLLOUT_WATCHED;
        if (!is_final)
                storm->stopped_round = storm->round;
        return storm->round - storm->stopped_round > LAST_ROUNDS;
}

/* The end: everything that was ever said comes again, in another order, and what was lost comes for the first time. */

static enum err let_time_pass(struct storm *storm, uint32_t rounds, struct why *why)
{
        enum err e = OK;
        for (uint32_t i = 0; i < rounds && !e; i++) {
                storm->now_ms += storm->round_ms;
                e = sim_server_tell(storm->server, &(struct sim_input){ .what = SIM_TICK, .at_ms = server_clock(storm) }, NULL, why);
        }
        return e;
}

static uint64_t excess_of(const struct storm *storm)
{
        struct rollout_view view;
        struct rollout_counts counts;
        uint64_t sum = 0;
        rollout_view(storm->server->rollout, &view);
        sum = view.fleet.excess_upper_ppm;
        for (uint16_t i = 0; i < storm->world->fleet->strata; i++) {
                rollout_view_stratum(storm->server->rollout, i, &counts);
                sum = sum * 1000003 + counts.excess_upper_ppm;
        }
        return sum;
}

static double evidence_of(const struct storm *storm)
{
        struct rollout_view view;
        rollout_view(storm->server->rollout, &view);
        return view.evidence;
}

static enum err repeat_all(struct storm *storm, struct why *why)
{
        enum err e = OK;
        for (uint32_t left = storm->letter_count; left > 1; left--) {
                uint32_t at = (uint32_t)dice_below(&storm->dice, left);
                struct letter swap = storm->letters[at];
                storm->letters[at] = storm->letters[left - 1];
                storm->letters[left - 1] = swap;
        }
        for (uint32_t i = 0; i < storm->letter_count && !e; i++) {
                storm->now_ms += (int64_t)dice_below(&storm->dice, (uint64_t)storm->round_ms / 16);
                e = sim_server_tell(storm->server, &(struct sim_input){ .what = SIM_REPORT, .at_ms = server_clock(storm), .report = storm->letters[i].report }, NULL, why);
        }
        return e;
}

static enum err conclude(struct storm *storm, struct why *why)
{
        int64_t behind_ms = storm->server->ledger->now_ms - server_clock(storm);
        storm->skew_ms += behind_ms > 0 ? behind_ms : 0;
        sim_server_commit(storm->server);
        enum err e = check_armed(storm, why);
        if (!e)
                e = let_time_pass(storm, 3 * ROUNDS_PER_LEASE, why);
        if (!e)
                e = repeat_all(storm, why);      /* of what was lost some is news: a device that is watched was harmed */
        if (!e)
                e = let_time_pass(storm, 3 * ROUNDS_PER_LEASE, why);
        double evidence = evidence_of(storm);
        uint64_t excess = excess_of(storm);
        if (!e)
                e = repeat_all(storm, why);
        if (!e)
                e = let_time_pass(storm, 2 * ROUNDS_PER_LEASE, why);
        if (e)
                return e;
        if (evidence_of(storm) != evidence || (storm->made.policy.bound_silence && excess_of(storm) != excess))
                return FAIL(why, ERR_CONTENT, "promise 4: reports that were repeated made another evidence or bound: %.17g, not %.17g", evidence_of(storm), evidence);
        ledger_look_at_strata(storm->server->ledger, storm->server->rollout);
        if (storm->server->ledger->broken[0])
                return FAIL(why, ERR_CONTENT, "promise %s", storm->server->ledger->broken);
        return sim_server_compare(storm->server, why);
}

/* The beginning. */

static enum err open_world(struct storm *storm, uint64_t seed, struct why *why)
{
        int64_t lease_ms = (storm->made.policy.bake_s + storm->made.policy.gap_s) * SECOND_MS, poll_ms = storm->made.scenario.fleet.poll_s * SECOND_MS;
        storm->round_ms = lease_ms / ROUNDS_PER_LEASE < poll_ms ? lease_ms / ROUNDS_PER_LEASE : poll_ms;
        struct world_config config = { .scenario = &storm->made.scenario, .devices = storm->made.devices, .rounds = storm->made.rounds + 1, .round_ms = storm->round_ms,
                                       .bake_ms = storm->made.policy.bake_s * SECOND_MS, .seed = seed };
        enum err e = world_open(&config, &storm->world, why);
        if (!e)
                storm->world->ear = (struct world_ear){ heard, storm };
        return e;
}

static enum err allocate(struct storm *storm, struct why *why)
{
        uint32_t devices = storm->made.devices;
        storm->devices = mem_new(devices, sizeof(*storm->devices));
        storm->nonces = mem_new(devices, sizeof(*storm->nonces));
        storm->is_dead = mem_new(devices, sizeof(*storm->is_dead));
        storm->waiting = mem_new(devices, sizeof(*storm->waiting));
        storm->line = mem_new(devices, sizeof(*storm->line));
        storm->heard = mem_new(devices, sizeof(*storm->heard));
        storm->listened = mem_new(devices, sizeof(*storm->listened));
        storm->answers = mem_new(devices, sizeof(*storm->answers));
        storm->armed = mem_new((size_t)devices * LEASES_PER_DEVICE, sizeof(*storm->armed));
        bool has_all = storm->devices && storm->nonces && storm->is_dead && storm->waiting && storm->line && storm->heard && storm->listened && storm->answers && storm->armed;
        return has_all ? OK : FAIL(why, ERR_NOMEM, "out of memory for a storm");
}

static enum err open_server(struct storm *storm, struct why *why)
{
        const struct fleet *fleet = storm->world->fleet;
        for (uint32_t i = 0; i < fleet->devices; i++)
                fleet_facts(fleet, i, &storm->devices[i]);
        const struct rollout_config config = { .policy = storm->made.policy, .fleet = fleet->devices, .blocks = fleet_blocks(fleet), .strata = fleet->strata,
                                               .stratum_sizes = fleet->stratum_sizes, .leases_max = storm->made.leases_max };
        const struct ledger_config books = { .policy = storm->made.policy, .devices = storm->devices, .device_count = fleet->devices,
                                             .leases_max = storm->made.leases_max, .strata = fleet->strata };
        enum err e = sim_server_open(&config, &books, server_clock(storm), &storm->server, why);
        if (!e)
                storm->server->is_naive = dice_say(&storm->dice, 200000);
        return e;
}

static void count(struct storm *storm)
{
        const struct ledger *ledger = storm->server->ledger;
        struct rollout_view view;
        rollout_view(storm->server->rollout, &view);
        storm->tally->crashes += storm->server->crashes;
        storm->tally->hurt += view.fleet.hurt;
        storm->tally->lapsed += ledger->groups[0].arms[LEDGER_TREATED].by_status[LEDGER_LAPSED];
        storm->tally->completed += view.completed_ms > 0;
        storm->tally->stopped += view.stopped_by != ROLLOUT_BY_NOBODY;
        storm->tally->withdrawn += ledger->is_over;
}

static enum err run(struct storm *storm, uint64_t seed, struct why *why)
{
        storm->dice.state = seed;
        made_up_init(&storm->made, &storm->dice);
        enum err e = open_world(storm, seed, why);
        if (!e)
                e = allocate(storm, why);
        if (!e)
                e = open_server(storm, why);
        for (storm->round = 0; storm->round < storm->made.rounds && !e; storm->round++) {
                e = round_of(storm, why);
                if (!e && is_over(storm))
                        break;
        }
        if (e)
                return DURING(why, e, "round %u", storm->round);
        count(storm);
        e = conclude(storm, why);
        return e ? DURING(why, e, "at the end") : OK;
}

static char last_words[64];

static void say_last_words(int number)
{
        ssize_t written = write(STDERR_FILENO, last_words, strlen(last_words));
        (void)written;
        signal(number, SIG_DFL);
        raise(number);
}

void storm_name_its_seed(void)
{
        signal(SIGABRT, say_last_words);
        signal(SIGSEGV, say_last_words);
}

enum err storm_run(uint64_t seed, struct storm_tally *tally, struct why *why)
{
        struct storm *storm = mem_new(1, sizeof(*storm));
        if (!storm)
                return FAIL(why, ERR_NOMEM, "out of memory for a storm");
        storm->tally = tally;
        snprintf(last_words, sizeof(last_words), "seed %llu ended the program\n", (unsigned long long)seed);
        enum err e = run(storm, seed, why);
        done(storm);
        mem_free(storm);
        return e ? DURING(why, e, "seed %llu", (unsigned long long)seed) : OK;
}
