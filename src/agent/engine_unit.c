/* An engine that systemd runs: told by systemctl(1), which is never waited for.
 *
 * One systemctl at a time: what it is to do next stands in a row, and when there is nothing to do it says now and then how the unit is.
 * Between two of its answers we look whether the unit's main process lives, which costs nothing. */
#include "agent/engine_kind.h"
#include "agent/probe_kinds.h"
#include "platform/channel.h"

#include <string.h>

enum { SHOW_MS = 10000, ACT_MS = 120000, LOOK_AGAIN_MS = 1000, LOOK_SELDOM_MS = 10000 };

static const char show[] = "show";

static void stop_systemctl(struct engine_unit *unit)
{
        child_kill(&unit->systemctl);
        for (int i = 0; unit->doing && i < 2; i++)
                channel_close(unit->pipe[i]);
        unit->doing = NULL;
}

static enum err start_systemctl(struct engine *engine, const char *verb, int64_t now_ms, struct why *why)
{
        struct engine_unit *unit = &engine->unit;
        const char *name = engine->config->unit;
        const char *const shows[] = { "systemctl", show, "--no-pager", UNIT_PROPERTIES, "--", name, NULL }, *const acts[] = { "systemctl", verb, "--", name, NULL };
        enum err e = channel_pipe(unit->pipe, why);
        if (e)
                return e;
        unit->doing = verb;
        unit->length = 0;
        unit->until_ms = now_ms + (verb == show ? SHOW_MS : ACT_MS);
        unit->look_at_ms = 0;
        e = child_start(&(struct child_setup){ verb == show ? shows : acts, -1, unit->pipe[1], unit->pipe[1], NULL, NULL, NULL }, &unit->systemctl, why);
        if (e)
                stop_systemctl(unit);
        return e;
}

static void add_step(struct engine_unit *unit, const char *verb)
{
        if (unit->step_count < ENGINE_UNIT_STEPS)
                unit->steps[unit->step_count++] = verb;
}

static void listen(struct engine_unit *unit)
{
        char rest[512];
        size_t room = sizeof(unit->said) - 1 - unit->length;
        unit->length += room ? channel_pipe_take(unit->pipe[0], unit->said + unit->length, room) : 0;
        while (unit->length == sizeof(unit->said) - 1 && channel_pipe_take(unit->pipe[0], rest, sizeof(rest)))
                ;
        unit->said[unit->length] = 0;
}

static void fail(struct engine *engine, const char *verb, const char *how)
{
        struct engine_unit *unit = &engine->unit;
        const size_t line = strcspn(unit->said, "\n");
        unit->has_failed = true;
        unit->step_count = 0;
        snprintf(unit->reason, sizeof(unit->reason), "systemctl %s: %.16s: %.*s", verb, how, (int)(line < 60 ? line : 60), unit->said);
}

static bool is_active(const struct unit_state *state)
{
        return strcmp(state->active, "active") == 0 || strcmp(state->active, "reloading") == 0 || strcmp(state->active, "refreshing") == 0;
}

/* systemd counts the code of how it died: 1 by exit, else by a signal. A unit that was started again no longer says how. */
static struct child_end end_of(const struct unit_state *state)
{
        return state->exit_kind ? (struct child_end){ state->exit_kind != 1, (int)state->exit_code } : (struct child_end){ true, 0 };
}

/* True: it died. systemd counts how often it had to start it again, from 0 with each start that somebody asked for: so that is no death. */
static bool take_state(struct engine *engine, const struct unit_state *state, int64_t now_ms, struct child_end *ret_end)
{
        struct engine_unit *unit = &engine->unit;
        const bool has_failed = strcmp(state->active, "failed") == 0, was_known = unit->is_known;
        const bool has_died = was_known && (state->restarts > unit->restarts || (has_failed && !unit->is_dead));
        unit->is_known = true;
        unit->is_active = is_active(state);
        unit->is_dead = has_failed;
        unit->restarts = state->restarts;
        engine->watched_pid = unit->is_active ? state->pid : 0;
        engine->is_stopping &= !unit->is_active && !has_failed;
        if (!unit->is_active)            /* one that somebody stopped is in no hurry */
                unit->look_at_ms = now_ms + (strcmp(state->active, "inactive") == 0 && !engine->is_stopping ? LOOK_SELDOM_MS : LOOK_AGAIN_MS);
        if (has_failed && !engine->start_at_ms && engine->is_wanted)
                engine_start_later(engine, now_ms);
        *ret_end = end_of(state);
        return has_died;
}

/* What systemctl said when it ended, or did not end. */
static bool take_answer(struct engine *engine, const struct child_end *end, bool is_late, int64_t now_ms, struct child_end *ret_end)
{
        struct engine_unit *unit = &engine->unit;
        const char *verb = unit->doing;
        char how[32] = "takes too long";
        struct unit_state state;
        struct why why;
        listen(unit);
        stop_systemctl(unit);
        if (!is_late)
                child_end_text(end, how, sizeof(how));
        if (verb != show) {
                if (is_late || end->is_signal || end->code)
                        fail(engine, verb, how);
                if (strcmp(verb, "reload") != 0)
                        unit->restarts = 0;
                unit->look_at_ms = now_ms;
                return false;
        }
        if (!is_late && !end->is_signal && !end->code && unit_state_read(unit->said, &state, &why) == OK)
                return take_state(engine, &state, now_ms, ret_end);
        unit->look_at_ms = now_ms + LOOK_AGAIN_MS;
        return false;
}

static void go_on(struct engine *engine, int64_t now_ms)
{
        struct engine_unit *unit = &engine->unit;
        struct why why;
        const char *verb = NULL;
        if (unit->step_count) {
                verb = unit->steps[0];
                memmove(unit->steps, unit->steps + 1, --unit->step_count * sizeof(unit->steps[0]));
        } else if ((unit->look_at_ms && now_ms >= unit->look_at_ms) || (unit->is_active && engine->watched_pid && !child_pid_lives(engine->watched_pid))) {
                verb = show;
        }
        if (!verb || start_systemctl(engine, verb, now_ms, &why) == OK)
                return;
        unit->said[0] = 0;
        if (verb != show)
                fail(engine, verb, why.text);
        unit->look_at_ms = now_ms + LOOK_AGAIN_MS;
}

static bool died(struct engine *engine, int64_t now_ms, struct child_end *ret_end)
{
        struct engine_unit *unit = &engine->unit;
        struct child_end end = { false, 0 };
        bool has_died = false;
        if (unit->doing) {
                bool has_ended = child_ended(&unit->systemctl, &end), is_late = !has_ended && now_ms >= unit->until_ms;
                listen(unit);
                if (has_ended || is_late)
                        has_died = take_answer(engine, &end, is_late, now_ms, ret_end);
        }
        if (!unit->doing)
                go_on(engine, now_ms);
        return has_died;
}

/* One that somebody stopped is left alone; one that failed is not. */
static enum err start(struct engine *engine, const struct engine_words *words, int64_t now_ms, struct why *why)
{
        struct engine_unit *unit = &engine->unit;
        (void)words;
        (void)why;
        unit->look_at_ms = now_ms;
        if (!unit->is_dead)
                return OK;
        unit->is_dead = unit->has_failed = false;
        engine->is_stopping = true;
        unit->step_count = 0;
        add_step(unit, "reset-failed");
        add_step(unit, "start");
        return OK;
}

static bool act(struct engine *engine, const char *verb)
{
        engine->unit.has_failed = false;
        engine->unit.step_count = 0;             /* what was to be done before is covered by this */
        if (engine->unit.doing == show)
                stop_systemctl(&engine->unit);
        add_step(&engine->unit, verb);
        return true;
}

static bool end(struct engine *engine, int64_t now_ms)
{
        (void)now_ms;
        engine->is_stopping = true;
        return act(engine, "restart");
}

static bool reload(struct engine *engine, int64_t now_ms)
{
        return strcmp(engine->config->reload_signal, "restart") == 0 ? end(engine, now_ms) : act(engine, "reload");
}

static bool is_alive(const struct engine *engine)
{
        return engine->unit.is_active && !engine->is_stopping && (!engine->watched_pid || child_pid_lives(engine->watched_pid));
}

static int pid(const struct engine *engine)
{
        return engine->watched_pid;
}

const struct engine_kind engine_kind_unit = { start, reload, end, died, is_alive, pid };

void engine_unit_done(struct engine *engine)
{
        stop_systemctl(&engine->unit);
        engine->unit.step_count = 0;
}

/* What it was told last counts, and what it says itself. */
void engine_unit_status(const struct engine *engine, struct engine_status *status)
{
        const struct engine_unit *unit = &engine->unit;
        if (!unit->has_failed)
                return;
        status->load = ENGINE_SAYS_ERROR;
        snprintf(status->reason, sizeof(status->reason), "%s", unit->reason);
}

int64_t engine_unit_wake_ms(const struct engine *engine)
{
        const struct engine_unit *unit = &engine->unit;
        if (unit->doing)
                return unit->until_ms;           /* that it ended wakes us by itself */
        return unit->step_count ? 0 : unit->look_at_ms ? unit->look_at_ms : INT64_MAX;
}
