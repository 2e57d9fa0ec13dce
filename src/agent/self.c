#include "agent/self.h"

#include "agent/content.h"
#include "agent/stream.h"
#include "platform/handover.h"
#include "platform/paths.h"

#include <string.h>

const char self_program[] = FIREBREAK_PROGRAM;

static bool is_text(const char *text, size_t size)
{
        return memchr(text, 0, size);
}

enum err self_handed_check(const struct self_handed *handed, struct why *why)
{
        bool is_sound = memcmp(handed->magic, "FBHO", 4) == 0 && handed->version == SELF_HANDED_VERSION && handed->engine_count <= LIMIT_STREAMS && handed->slot <= SLOT_FACTORY
                        && is_text(handed->home, sizeof(handed->home)) && is_text(handed->units, sizeof(handed->units));
        for (uint32_t i = 0; is_sound && i < handed->engine_count; i++) {
                const struct self_engine *engine = &handed->engines[i];
                is_sound = is_text(engine->stream, sizeof(engine->stream)) && engine->pid > 1 && (engine->read_end > 2) == (engine->write_end > 2);
        }
        return is_sound ? OK : FAIL(why, ERR_SYNTAX, "the agent before this one handed over what this one does not understand");
}

/* ---- what this agent is ---- */

static enum err take_handed(struct self *self, const char *number, struct why *why)
{
        bool is_handed;
        enum err e = handover_receive(number, &self->handed, sizeof(self->handed), &is_handed, why);
        if (!e && is_handed)
                e = self_handed_check(&self->handed, why);
        if (e || !is_handed)
                return e;
        for (uint32_t i = 0; i < self->handed.engine_count; i++) {
                (void)handover_take(self->handed.engines[i].read_end);
                (void)handover_take(self->handed.engines[i].write_end);
        }
        self->is_handed = true;
        self->beat = handover_take(self->handed.beat) ? self->handed.beat : -1;
        self->watcher.pid = handover_is_child(self->handed.watcher) ? self->handed.watcher : 0;
        memcpy(self->home, self->handed.home, sizeof(self->home));
        memcpy(self->units, self->handed.units, sizeof(self->units));
        return OK;
}

void self_path(const struct agent *agent, enum slot_id slot, char path[static PATH_MAX])
{
        const char *name = agent_config_stream(agent->config, agent->self.stream)->name;
        snprintf(path, PATH_MAX, "%s/%s/%s", agent->config->state_dir, content_slot(name, slot).text, self_program);
}

static enum slot_id own_slot(const struct agent *agent)
{
        char path[PATH_MAX];
        for (enum slot_id slot = SLOT_A; slot < SLOT_FACTORY; slot++) {
                self_path(agent, slot, path);
                if (paths_is_own_program(path))
                        return slot;
        }
        return SLOT_FACTORY;
}

static void find_home(struct agent *agent)
{
        struct self *self = &agent->self;
        char program[PATH_MAX];
        struct why why;
        if (self->slot == SLOT_FACTORY && paths_own_program(program, &why) == OK && strlen(program) < sizeof(self->home))
                snprintf(self->home, sizeof(self->home), "%s", program);
        const char *units = agent->workers.units;
        if (units && strlen(units) < sizeof(self->units))
                snprintf(self->units, sizeof(self->units), "%s", units);
}

enum err self_open(struct agent *agent, const char *handed, struct why *why)
{
        struct self *self = &agent->self;
        *self = (struct self){ .stream = SELF_NONE, .slot = SLOT_FACTORY, .beat = -1 };
        enum err e = handed ? take_handed(self, handed, why) : OK;
        if (e)
                return e;
        for (size_t i = 0; i < agent->config->streams.count; i++)
                if (agent_config_stream(agent->config, i)->engine.is_self)
                        self->stream = i;
        /* What the other one has started is what it named, whatever file that leads to: or each would go on as the other for ever. */
        if (self->stream != SELF_NONE)
                self->slot = self->is_handed ? (enum slot_id)self->handed.slot : own_slot(agent);
        if (!self->is_handed)
                find_home(agent);
        agent->workers.units = self->slot == SLOT_FACTORY && self->units[0] ? self->units : NULL;
        return OK;
}

bool self_is_current(const struct agent *agent)
{
        const struct self *self = &agent->self;
        if (self->stream == SELF_NONE)
                return true;
        const unsigned wanted = slots_stream(agent->slots, self->stream)->current;
        return self->slot == (wanted < SLOT_FACTORY ? (enum slot_id)wanted : SLOT_FACTORY);
}

/* ---- engines that go on ---- */

bool self_adopt(struct stream *stream)
{
        struct self *self = &stream->agent->self;
        for (uint32_t i = 0; i < self->handed.engine_count; i++) {
                struct self_engine *engine = &self->handed.engines[i];
                if (strcmp(engine->stream, stream->config->name) != 0 || !stream->config->engine.command.count || !handover_is_child(engine->pid))
                        continue;
                stream->murmur = (struct murmur){ .read_end = engine->read_end, .write_end = engine->write_end };
                engine_adopt(&stream->engine, engine->pid, engine->started_ms);
                *engine = self->handed.engines[--self->handed.engine_count];
                return true;
        }
        return false;
}
