#include "agent/heir.h"

#include "agent/content.h"
#include "agent/self.h"
#include "agent/stream.h"
#include "platform/channel.h"
#include "platform/handover.h"

#include <string.h>

/* Who runs, and since which start of the machine: what is found by the one after it, in the same start, did not end as planned. */
struct running { char magic[4]; uint32_t version, boot, slot; };
enum { RUNNING_VERSION = 1 };
static const char running_path[] = "running";

static void let_watcher_go(struct self *self)
{
        channel_close(self->beat);
        child_kill(&self->watcher);
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
        if (stream->engine.child.pid <= 0 || stream->murmur.write_end < 0)
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

static enum err go(struct agent *agent, const char *program, bool is_home, struct why *why)
{
        struct self *self = &agent->self;
        struct self_handed handed = { .magic = "FBHO", .version = SELF_HANDED_VERSION, .beat = self->beat, .watcher = self->watcher.pid };
        int files[2 + 2 * LIMIT_STREAMS] = { -1 }, count = 1;
        char number[16];
        memcpy(handed.home, self->home, sizeof(handed.home));
        memcpy(handed.units, self->units, sizeof(handed.units));
        for (size_t i = 0; i < agent->stream_count; i++)
                add_engine(&handed, &agent->streams[i]);
        if (self->beat >= 0)
                files[count++] = self->beat;
        for (uint32_t i = 0; i < handed.engine_count; i++) {
                files[count++] = handed.engines[i].read_end;
                files[count++] = handed.engines[i].write_end;
        }
        enum err e = channel_memory(&handed, sizeof(handed), &files[0], why);
        if (e)
                return e;
        snprintf(number, sizeof(number), "%d", files[0]);
        const char *const argv[] = {
                program, "run", "--config", agent->config_path, "--handed", number, is_home && self->units[0] ? "--units" : NULL, self->units, NULL,
        };
        e = handover_to(argv, files, (size_t)count, why);
        channel_close(files[0]);
        return e;
}

static enum err go_on(struct agent *agent, struct why *why)
{
        struct self *self = &agent->self;
        const enum slot_id to = (enum slot_id)slots_stream(agent->slots, self->stream)->current;
        const bool is_home = to >= SLOT_FACTORY;
        char program[PATH_MAX], text[96];
        if (!is_home)
                self_path(agent, to, program);
        else if (self->home[0])
                snprintf(program, sizeof(program), "%s", self->home);
        else
                return FAIL(why, ERR_NOT_FOUND, "nobody said where the package's agent is");
        snprintf(text, sizeof(text), "this agent goes on as the one in %s", is_home ? "the package" : slot_name(to));
        agent_note(agent, EVENT_RELEASE, NULL, text);
        end_workers(agent);
        const bool is_trial = slots_on_trial(agent->slots, self->stream);
        enum err e = slots_hand_over(agent->slots, why);
        if (!e && is_trial)
                e = handover_watch(SELF_SILENCE_MS, &self->beat, &self->watcher, why);
        if (!e)
                e = go(agent, program, is_home, why);
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

/* It is as good as one that crashed: a trial is given up, what was proven goes down one level. From the package's there is nowhere to go: whoever
 * started this program starts that one. */
static void stay(struct agent *agent, const char *text)
{
        const size_t index = agent->self.stream;
        const struct slot_harm harm = { SLOT_PROBE_FAILED, text, agent_time_s(agent) };
        struct stream *stream = own_stream(agent);
        struct why why;
        enum err e = OK;
        agent_note(agent, EVENT_DEVICE_TROUBLE, stream, text);
        if (slots_stream(agent->slots, index)->current >= SLOT_FACTORY)
                agent->ends = true;
        else if (stream && life_is_busy(stream->life))
                stream_harm(stream, harm.kind, text);
        else if (slots_on_trial(agent->slots, index))
                e = slots_give_up(agent->slots, index, &harm, &why);
        else
                e = slots_descend(agent->slots, index, &harm, &why);
        if (e)
                agent_note(agent, EVENT_DEVICE_TROUBLE, stream, why.text);
}

static void follow_record(struct agent *agent)
{
        struct why why;
        while (!agent->ends && !self_is_current(agent))
                if (go_on(agent, &why))
                        stay(agent, why.text);
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

static void note_running(struct agent *agent)
{
        const struct running running = { { 'F', 'B', 'R', 'N' }, RUNNING_VERSION, agent->boot, agent->self.slot };
        struct why why;
        if (agent->disk->ops->replace(agent->disk, running_path, &running, sizeof(running), &why))
                agent_note(agent, EVENT_DEVICE_TROUBLE, NULL, why.text);
}

void heir_start(struct agent *agent)
{
        if (agent->self.stream == SELF_NONE)
                return;
        if (!agent->self.is_handed)
                count_crash(agent);
        follow_record(agent);
        note_running(agent);
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
        if (self->beat >= 0 && (self->stream == SELF_NONE || !slots_on_trial(agent->slots, self->stream)))
                let_watcher_go(self);
        else if (self->beat >= 0)
                handover_beat(self->beat);
        if (are_engines_settled(agent))
                follow_record(agent);
}

void heir_stop(struct agent *agent)
{
        struct why why;
        if (agent->self.stream != SELF_NONE && agent->disk->ops->remove_tree(agent->disk, running_path, &why))
                agent_note(agent, EVENT_DEVICE_TROUBLE, NULL, why.text);
}
