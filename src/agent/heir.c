#include "agent/heir.h"

#include "agent/content.h"
#include "agent/self.h"
#include "agent/stream.h"
#include "platform/channel.h"
#include "platform/handover.h"
#include "platform/system.h"

#include <string.h>

/* Who runs, and since which start of the machine: what is found by the one after it, in the same start, did not end as planned. */
struct running { char magic[4]; uint32_t version, boot, slot; };
enum { RUNNING_VERSION = 1 };
static const char running_path[] = "running";

static enum err note_running(const struct agent *agent, enum slot_id slot, struct why *why)
{
        const struct running running = { { 'F', 'B', 'R', 'N' }, RUNNING_VERSION, agent->boot, slot };
        return agent->disk->ops->replace(agent->disk, running_path, &running, sizeof(running), why);
}

static void let_watcher_go(struct self *self)
{
        handover_unwatch(self->beat, &self->watcher);
        self->beat = -1;
}

void heir_done(struct agent *agent)
{
        let_watcher_go(&agent->self);
}

/* ---- what goes with it ---- */

/* Of streams that the configuration no longer has. */
static void end_others(struct self *self)
{
        for (uint32_t i = 0; i < self->handed.engine_count; i++) {
                struct child child = { self->handed.engines[i].pid };
                if (handover_is_child(child.pid))
                        child_kill(&child);
                channel_close(self->handed.engines[i].read_end);
                channel_close(self->handed.engines[i].write_end);
        }
        self->handed.engine_count = 0;
}

static void add_engine(struct self_handed *handed, const struct stream *stream)
{
        if (stream->engine.child.pid <= 0 || !system_has(SYSTEM_HANDOVER))
                return;
        struct self_engine *engine = &handed->engines[handed->engine_count++];
        *engine = (struct self_engine){
                .started_ms = stream->engine.started_ms, .pid = stream->engine.child.pid, .read_end = stream->murmur.read_end, .write_end = stream->murmur.write_end,
        };
        snprintf(engine->stream, sizeof(engine->stream), "%s", stream->config->name);
}

/* ---- going on as another ---- */

/* Those who work for this agent alone. They start again if it stays. */
static void end_workers(struct agent *agent)
{
        for (size_t i = 0; i < agent->stream_count; i++) {
                stream_cancel(&agent->streams[i], "the agent goes on as another version of itself");
                probe_kill(&agent->streams[i].probing.probe);
                asking_done(&agent->streams[i]);
        }
        caller_free(agent->caller);
        agent->caller = NULL;
        agent->updates_at_ms = 0;
}

/* Where they cannot be handed over. */
static void end_engines(void *user)
{
        struct why why;
        if (agent_end_engines(user, &why))
                agent_note(user, EVENT_DEVICE_TROUBLE, NULL, why.text);
}

static enum err go(struct agent *agent, const char *program, enum slot_id to, struct why *why)
{
        struct self *self = &agent->self;
        struct self_handed handed = { .magic = "FBHO", .version = SELF_HANDED_VERSION, .beat = self->beat, .watcher = self->watcher.pid, .slot = to };
        int files[2 + 2 * LIMIT_STREAMS] = { -1 }, count = 1;
        char number[16];
        memcpy(handed.home, self->home, sizeof(handed.home));
        memcpy(handed.units, self->units, sizeof(handed.units));
        for (size_t i = 0; i < agent->stream_count; i++)
                add_engine(&handed, &agent->streams[i]);
        if (self->beat >= 0)
                files[count++] = self->beat;
        for (uint32_t i = 0; i < handed.engine_count; i++)
                if (handed.engines[i].write_end >= 0) {
                        files[count++] = handed.engines[i].read_end;
                        files[count++] = handed.engines[i].write_end;
                }
        enum err e = channel_memory(&handed, sizeof(handed), &files[0], why);
        if (e)
                return e;
        snprintf(number, sizeof(number), "%d", files[0]);
        const char *const argv[] = {
                program, "run", "--config", agent->config_path, "--handed", number, to == SLOT_FACTORY && self->units[0] ? "--units" : NULL, self->units, NULL,
        };
        e = handover_to(&(struct handover){ .argv = argv, .files = files, .count = (size_t)count, .leave = end_engines, .user = agent }, why);
        channel_close(files[0]);
        self->is_unfit = e == ERR_NOT_FOUND || e == ERR_REFUSED || e == ERR_CONTENT;
        return e;
}

static enum slot_id wanted_slot(const struct agent *agent)
{
        const unsigned current = slots_stream(agent->slots, agent->self.stream)->current;
        return current < SLOT_FACTORY ? (enum slot_id)current : SLOT_FACTORY;
}

static enum err find_program(const struct agent *agent, enum slot_id to, char program[static PATH_MAX], struct why *why)
{
        if (to < SLOT_FACTORY)
                self_path(agent, to, program);
        else if (agent->self.home[0])
                snprintf(program, PATH_MAX, "%s", agent->self.home);
        else
                return FAIL(why, ERR_NOT_FOUND, "nobody said where the package's agent is");
        return OK;
}

/* Whoever is gone on as may die before its first line, or stand still: that is on disk, and watched, before. */
static enum err go_on(struct agent *agent, struct why *why)
{
        struct self *self = &agent->self;
        const enum slot_id to = wanted_slot(agent);
        char program[PATH_MAX], text[96];
        self->is_unfit = false;
        enum err e = find_program(agent, to, program, why);
        if (e)
                return e;
        snprintf(text, sizeof(text), "this agent goes on as the one in %s", to == SLOT_FACTORY ? "the package" : slot_name(to));
        agent_note(agent, EVENT_RELEASE, NULL, text);
        end_workers(agent);
        let_watcher_go(self);
        e = note_running(agent, to, why);
        if (!e)
                e = slots_hand_over(agent->slots, why);
        if (!e && to < SLOT_FACTORY)
                e = handover_watch(SELF_SILENCE_MS, &self->beat, &self->watcher, why);
        if (!e)
                e = go(agent, program, to, why);
        let_watcher_go(self);
        return e;
}

static struct stream *own_stream(const struct agent *agent)
{
        for (size_t i = 0; i < agent->stream_count; i++)
                if (agent->streams[i].index == agent->self.stream)
                        return &agent->streams[i];
        return NULL;
}

/* It is as good as one that crashed: a trial is given up, what was proven goes down one level. */
static void give_up(struct agent *agent, const char *text)
{
        const size_t index = agent->self.stream;
        const struct slot_harm harm = { SLOT_PROBE_FAILED, text, agent_time_s(agent) };
        struct stream *stream = own_stream(agent);
        struct why why;
        enum err e = OK;
        if (stream && life_is_busy(stream->life))
                stream_harm(stream, harm.kind, text);
        else if (slots_on_trial(agent->slots, index))
                e = slots_give_up(agent->slots, index, &harm, &why);
        else
                e = slots_descend(agent->slots, index, &harm, &why);
        if (e)
                agent_note(agent, EVENT_DEVICE_TROUBLE, stream, why.text);
}

/* To the package's there is another way: whoever started this program starts that one. What only this moment did not allow is tried again, and
 * until then this agent is as good as any. */
static void stay(struct agent *agent, const struct why *why)
{
        agent_note(agent, EVENT_DEVICE_TROUBLE, own_stream(agent), why->text);
        if (wanted_slot(agent) == SLOT_FACTORY)
                agent->ends = true;
        else if (agent->self.is_unfit)
                give_up(agent, why->text);
        else
                agent->self.again_at_ms = agent_steady_ms(agent) + SELF_LATER_MS;
}

static void follow_record(struct agent *agent)
{
        struct why why;
        while (!agent->ends && !self_is_current(agent) && agent_steady_ms(agent) >= agent->self.again_at_ms)
                if (go_on(agent, &why))
                        stay(agent, &why);
}

/* ---- a crash of the agent itself ---- */

static bool has_crashed(const struct agent *agent)
{
        OWN(buf) struct buf bytes;
        struct running running;
        struct why why;
        buf_init(&bytes, sizeof(running));
        if (agent->disk->ops->read(agent->disk, running_path, &bytes, &why) || bytes.length != sizeof(running))
                return false;
        memcpy(&running, bytes.bytes, sizeof(running));
        return memcmp(running.magic, "FBRN", 4) == 0 && running.version == RUNNING_VERSION && running.boot == agent->boot && running.slot < SLOT_FACTORY;
}

/* Of a release that is on trial the start itself was counted. */
static void count_crash(struct agent *agent)
{
        const size_t index = agent->self.stream;
        const struct slot_stream *now = slots_stream(agent->slots, index);
        struct why why;
        if (now->current >= SLOT_FACTORY || slots_on_trial(agent->slots, index) || !has_crashed(agent))
                return;
        enum err e = slots_count_crash(agent->slots, index, &why);
        now = slots_stream(agent->slots, index);
        if (!e && now->crashes >= SELF_CRASHES_MAX) {
                const struct slot_harm harm = { SLOT_CRASH, "the agent itself ended again and again", agent_time_s(agent) };
                e = slots_descend(agent->slots, index, &harm, &why);
                agent_note(agent, EVENT_LEVEL_DOWN, NULL, slot_name((enum slot_id)slots_stream(agent->slots, index)->current));
        }
        if (e)
                agent_note(agent, EVENT_DEVICE_TROUBLE, NULL, why.text);
}

void heir_start(struct agent *agent)
{
        if (agent->self.stream == SELF_NONE)
                return;
        struct why why;
        if (!agent->self.is_handed)
                count_crash(agent);
        agent->self.watched_until_ms = agent_steady_ms(agent) + SELF_WATCHED_MS;
        follow_record(agent);
        if (note_running(agent, agent->self.slot, &why))
                agent_note(agent, EVENT_DEVICE_TROUBLE, NULL, why.text);
}

static bool is_watched(const struct agent *agent, int64_t now_ms)
{
        const struct self *self = &agent->self;
        return self->beat >= 0 && self->stream != SELF_NONE && (now_ms < self->watched_until_ms || slots_on_trial(agent->slots, self->stream));
}

int64_t heir_wake_ms(const struct agent *agent)
{
        const struct self *self = &agent->self;
        if (self->beat >= 0)
                return agent_steady_ms(agent) + SELF_BEAT_MS;
        return self_is_current(agent) ? INT64_MAX : self->again_at_ms;
}

static bool are_engines_settled(const struct agent *agent)
{
        for (size_t i = 0; i < agent->stream_count; i++)
                if (!engine_is_settled(&agent->streams[i].engine))
                        return false;
        return true;
}

void heir_tick(struct agent *agent)
{
        struct self *self = &agent->self;
        end_others(self);
        if (is_watched(agent, agent_steady_ms(agent)))
                handover_beat(self->beat);
        else
                let_watcher_go(self);
        if (are_engines_settled(agent))
                follow_record(agent);
}

void heir_stop(struct agent *agent)
{
        struct why why;
        if (agent->self.stream != SELF_NONE && agent->disk->ops->remove_tree(agent->disk, running_path, &why))
                agent_note(agent, EVENT_DEVICE_TROUBLE, NULL, why.text);
}
