#include "sim/sim_server.h"

#include "base/mem.h"

#include <string.h>

void sim_server_close(struct sim_server *server)
{
        if (!server)
                return;
        rollout_free(server->rollout);
        ledger_close(server->ledger);
        mem_free(server->inputs);
        mem_free(server->askers);
        mem_free(server->line);
        mem_free(server->picks);
        mem_free(server);
}

static enum err begin(struct sim_server *server, struct why *why)
{
        rollout_free(server->rollout);
        ledger_close(server->ledger);
        server->rollout = NULL;
        server->ledger = NULL;
        enum err e = rollout_new(&server->config, &server->rollout, why);
        if (!e)
                e = ledger_open(&server->books, &server->ledger, why);
        for (uint32_t i = 0; i < server->books.device_count && !e; i++)
                if (rollout_is_held_out(server->rollout, server->books.devices[i].bucket))
                        ledger_hold_out(server->ledger, i);
        return e;
}

enum err sim_server_open(const struct rollout_config *config, const struct ledger_config *books, int64_t now_ms, struct sim_server **ret_server, struct why *why)
{
        OWN(sim_server) struct sim_server *server = mem_new(1, sizeof(*server));
        if (!server)
                return FAIL(why, ERR_NOMEM, "out of memory for a server");
        server->config = *config;
        server->books = *books;
        server->line = mem_new(config->fleet, sizeof(*server->line));
        server->picks = mem_new(config->fleet, sizeof(*server->picks));
        if (!server->line || !server->picks)
                return FAIL(why, ERR_NOMEM, "out of memory for a server");
        enum err e = begin(server, why);
        if (!e)
                e = sim_server_tell(server, &(struct sim_input){ .what = SIM_START, .at_ms = now_ms }, NULL, why);
        if (e)
                return e;
        sim_server_commit(server);
        *ret_server = GIVE(server);
        return OK;
}

/* One input, to any rollout. */

static uint64_t mix(uint64_t sum, uint64_t value)
{
        sum = (sum ^ value) * 0xBF58476D1CE4E5B9;
        return sum ^ sum >> 29;
}

static enum err feed_line(struct sim_server *server, struct rollout *rollout, struct sim_input *input, uint32_t *ret_picked, struct why *why)
{
        struct rollout_line line = { input->at_ms, server->line, input->line_count, server->picks, 0 };
        for (uint32_t i = 0; i < input->line_count; i++)
                server->line[i] = server->books.devices[input->line[i].device];
        enum err e = rollout_pick(rollout, &line, why);
        for (uint32_t i = 0; i < input->line_count && !e && line.picked; i++)
                input->decision = mix(input->decision, server->picks[i].kind == ROLLOUT_WAIT ? 0 : (uint64_t)server->picks[i].kind << 32 | server->picks[i].handle);
        *ret_picked = (uint32_t)line.picked;
        return e;
}

static enum err feed_list(struct rollout *rollout, const struct sim_input *input, struct why *why)
{
        enum { LIST_MAX = 4096 };
        uint32_t list[LIST_MAX];
        bool is_heard = input->what == SIM_HEARD;
        if (input->line_count > LIST_MAX)
                return FAIL(why, ERR_LIMIT, "%u at once", input->line_count);
        for (uint32_t i = 0; i < input->line_count; i++)
                list[i] = is_heard ? input->line[i].nonce : input->line[i].device;
        return is_heard ? rollout_heard(rollout, input->at_ms, list, input->line_count, why) : rollout_left(rollout, input->at_ms, list, input->line_count, why);
}

static enum err feed_command(struct rollout *rollout, const struct sim_input *input, struct why *why)
{
        static const struct { const char *who, *second, *because; } people[] = {
                [SIM_NOBODY] = { NULL, NULL, NULL },  [SIM_ONE] = { "ann", NULL, "why not" },  [SIM_SAME_TWICE] = { "ann", "ann", "why not" },
                [SIM_NO_REASON] = { "ann", "bob", "" }, [SIM_TWO] = { "ann", "bob", "it is the network" },
        };
        struct rollout_command command = { .event = input->event, .now_ms = input->at_ms, .who = people[input->people].who,
                                           .second = people[input->people].second, .because = people[input->people].because };
        return rollout_command(rollout, &command, why);
}

/* `decision` is what was answered; *ret_has_changed: it belongs into the log. */
static enum err feed(struct sim_server *server, struct rollout *rollout, struct sim_input *input, bool *ret_has_changed, struct why *why)
{
        int64_t deadline_ms = 0;
        uint32_t picked = 0;
        enum err e = OK;
        *ret_has_changed = true;
        input->decision = 0;
        switch (input->what) {
        case SIM_START:
                return rollout_start(rollout, input->at_ms, why);
        case SIM_TICK:
                *ret_has_changed = rollout_tick(rollout, input->at_ms);
                return OK;
        case SIM_PICK:
                e = feed_line(server, rollout, input, &picked, why);
                *ret_has_changed = picked > 0;
                return e;
        case SIM_GRANTED:
                e = rollout_granted(rollout, input->number, input->at_ms, &deadline_ms, why);
                input->decision = (uint64_t)deadline_ms;
                return e;
        case SIM_REPORT:
                input->report.now_ms = input->at_ms;
                return rollout_report(rollout, &input->report, why);
        case SIM_SEEN:
                rollout_seen(rollout, input->at_ms, input->number);
                return OK;
        case SIM_HEARD:
        case SIM_LEFT:
                return feed_list(rollout, input, why);
        case SIM_FREEZE:
                rollout_freeze(rollout, input->at_ms, input->number, input->at_ms + 1);
                return OK;
        case SIM_COMMAND:
                return feed_command(rollout, input, why);
        }
        return OK;
}

/* The books are told what the library took, live and when it is told again. */
static void enter(struct sim_server *server, const struct sim_input *input)
{
        struct ledger *ledger = server->ledger;
        switch (input->what) {
        case SIM_START:
        case SIM_TICK:
        case SIM_SEEN:
                ledger_pass(ledger, input->at_ms);
                break;
        case SIM_PICK:
                ledger_picked(ledger, input->at_ms, input->line, server->picks, input->line_count);
                break;
        case SIM_GRANTED:
                ledger_granted(ledger, input->number, input->at_ms, (int64_t)input->decision);
                break;
        case SIM_REPORT:
                ledger_pass(ledger, input->at_ms);
                ledger_reported(ledger, &input->report);
                break;
        case SIM_HEARD:
                ledger_pass(ledger, input->at_ms);
                break;
        case SIM_LEFT:
                ledger_pass(ledger, input->at_ms);
                ledger_left(ledger, input->line, input->line_count);
                break;
        case SIM_FREEZE:
                ledger_froze(ledger, input->at_ms, input->number);
                break;
        case SIM_COMMAND:
                ledger_commanded(ledger, input->at_ms, input->event, input->people == SIM_TWO);
                break;
        }
}

static enum err check(struct sim_server *server, struct why *why)
{
        return server->ledger->broken[0] ? FAIL(why, ERR_CONTENT, "promise %s", server->ledger->broken) : OK;
}

/* The log. */

static enum err make_room(struct sim_server *server, uint32_t line_count)
{
        if (server->input_count == server->input_room) {
                uint32_t room = server->input_room * 2 + 1024;
                struct sim_input *inputs = mem_resize(server->inputs, room * sizeof(*inputs));
                if (!inputs)
                        return ERR_NOMEM;
                server->inputs = inputs;
                server->input_room = room;
        }
        if (server->asker_count + line_count > server->asker_room) {
                uint32_t room = server->asker_room * 2 + 1024 + line_count;
                struct ledger_asker *askers = mem_resize(server->askers, room * sizeof(*askers));
                if (!askers)
                        return ERR_NOMEM;
                server->askers = askers;
                server->asker_room = room;
        }
        return OK;
}

static enum err append(struct sim_server *server, const struct sim_input *input, struct why *why)
{
        if (make_room(server, input->line_count))
                return FAIL(why, ERR_NOMEM, "out of memory for %u inputs", server->input_count);
        struct sim_input *kept = &server->inputs[server->input_count++];
        *kept = *input;
        kept->line = NULL;
        kept->line_at = server->asker_count;
        for (uint32_t i = 0; i < input->line_count; i++)
                server->askers[server->asker_count++] = input->line[i];
        kept->state = server->ledger->state;
        kept->reason = server->ledger->reason;
        return OK;
}

/* Its own time never goes back: when the clock is put back, the rollout stays ahead by as much. */
static int64_t own_time(struct sim_server *server, int64_t now_ms)
{
        if (now_ms + server->ahead_ms < server->last_ms)
                server->ahead_ms = server->last_ms - now_ms;
        return server->last_ms = now_ms + server->ahead_ms;
}

enum err sim_server_tell(struct sim_server *server, const struct sim_input *input, struct sim_fed *ret_fed, struct why *why)
{
        struct sim_input told = *input;
        bool has_changed = false;
        enum err e = check(server, why);
        if (e)
                return e;
        told.at_ms = server->is_naive ? input->at_ms : own_time(server, input->at_ms);
        if (!server->is_naive && told.at_ms < server->ledger->now_ms)
                ledger_break(server->ledger, "3: the rollout's own time went back by %lld ms", (long long)(server->ledger->now_ms - told.at_ms));
        if (told.what == SIM_PICK)
                ledger_look_at_windows(server->ledger, server->rollout);
        e = feed(server, server->rollout, &told, &has_changed, why);
        if (e)
                return e;
        if (ret_fed)
                *ret_fed = (struct sim_fed){ server->picks, told.what == SIM_PICK && has_changed, (int64_t)told.decision };
        if (!has_changed && told.what == SIM_TICK)
                ledger_passed_by(server->ledger, told.at_ms);
        if (has_changed)
                enter(server, &told);
        if (has_changed || told.what == SIM_TICK)
                ledger_look(server->ledger, server->rollout);
        e = has_changed ? append(server, &told, why) : OK;
        return e ? e : check(server, why);
}

void sim_server_commit(struct sim_server *server)
{
        server->durable = server->input_count;
        server->was_over |= server->ledger->is_over;
}

/* Told again. */

static uint64_t bits_of(double value)
{
        uint64_t bits = 0;
        memcpy(&bits, &value, sizeof(bits));
        return bits;
}

static uint64_t sum_up(const struct rollout_counts *counts)
{
        const uint64_t words[] = { counts->exposed, counts->unanswered, counts->proven, counts->harmed, counts->dark, counts->declined, counts->preflight_failed,
                                   counts->hurt, counts->control, counts->control_proven, counts->control_harmed, counts->control_dark,
                                   counts->excess_upper_ppm, counts->window, bits_of(counts->attributed), counts->watched, counts->listened, counts->lost, counts->control_lost };
        uint64_t sum = 0;
        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
                sum = mix(sum, words[i]);
        for (unsigned kind = 0; kind < ROLLOUT_KINDS; kind++)
                sum = mix(sum, counts->by_kind[kind]);
        return sum;
}

static bool say_the_same(const struct rollout_view *a, const struct rollout_view *b)
{
        return a->state == b->state && a->reason == b->reason && a->verdict == b->verdict && a->stopped_by == b->stopped_by && a->started_ms == b->started_ms &&
               a->stopped_ms == b->stopped_ms && a->completed_ms == b->completed_ms && a->seen == b->seen && a->until_ms == b->until_ms && a->is_frozen == b->is_frozen && a->limit == b->limit &&
               bits_of(a->evidence) == bits_of(b->evidence) && !strcmp(a->sentence, b->sentence) && sum_up(&a->fleet) == sum_up(&b->fleet);
}

static enum err compare(const struct rollout *a, const struct rollout *b, uint32_t strata, struct why *why)
{
        struct rollout_view views[2];
        struct rollout_counts counts[2];
        rollout_view(a, &views[0]);
        rollout_view(b, &views[1]);
        if (!say_the_same(&views[0], &views[1]))
                return FAIL(why, ERR_CONTENT, "promise 3: told again it says `%s` (evidence %.17g), not `%s` (evidence %.17g)", views[1].sentence,
                            views[1].evidence, views[0].sentence, views[0].evidence);
        for (uint16_t i = 0; i < strata; i++) {
                rollout_view_stratum(a, i, &counts[0]);
                rollout_view_stratum(b, i, &counts[1]);
                if (sum_up(&counts[0]) != sum_up(&counts[1]))
                        return FAIL(why, ERR_CONTENT, "promise 3: told again it says something else of stratum %u", i);
        }
        return OK;
}

static enum err tell_again(struct sim_server *server, struct rollout *rollout, uint32_t at, struct sim_input *ret_told, struct why *why)
{
        bool has_changed = false;
        *ret_told = server->inputs[at];
        ret_told->line = server->askers + ret_told->line_at;
        enum err e = feed(server, rollout, ret_told, &has_changed, why);
        if (e || !has_changed || ret_told->decision != server->inputs[at].decision)
                return FAIL(why, ERR_CONTENT, "promise 3: input %u of %u was answered otherwise when it was told again", at, server->input_count);
        return OK;
}

enum err sim_server_compare(struct sim_server *server, struct why *why)
{
        OWN(rollout) struct rollout *again = NULL;
        struct sim_input told;
        enum err e = rollout_new(&server->config, &again, why);
        for (uint32_t i = 0; i < server->input_count && !e; i++)
                e = tell_again(server, again, i, &told, why);
        return e ? e : compare(server->rollout, again, server->config.strata, why);
}

enum err sim_server_crash(struct sim_server *server, struct why *why)
{
        struct sim_input told;
        enum err e = sim_server_compare(server, why);
        if (!e)
                e = begin(server, why);
        server->clean_starts += server->durable == server->input_count;
        server->crashes++;
        server->input_count = server->durable;
        for (uint32_t i = 0; i < server->durable && !e; i++) {
                if (server->inputs[i].what == SIM_PICK)
                        ledger_look_at_windows(server->ledger, server->rollout);
                e = tell_again(server, server->rollout, i, &told, why);
                if (e)
                        return e;
                enter(server, &told);
                server->ledger->state = told.state;
                server->ledger->reason = told.reason;
                server->ledger->is_halted |= told.state == ROLLOUT_HALTED;
        }
        if (e)
                return e;
        server->last_ms = server->inputs[server->durable - 1].at_ms;
        server->ahead_ms = 0;
        server->asker_count = told.line_at + told.line_count;
        ledger_look(server->ledger, server->rollout);
        ledger_look_at_strata(server->ledger, server->rollout);
        if (server->was_over && !server->ledger->is_over)
                return FAIL(why, ERR_CONTENT, "promise 2: after a crash the withdrawal is forgotten");
        return check(server, why);
}
