/* An engine that we run: a child of ours. */
#include "agent/engine_kind.h"

#include "platform/file.h"

#include <string.h>

enum { STEADY_MS = 30000 };

static enum err start(struct engine *engine, const struct engine_words *words, int64_t now_ms, struct why *why)
{
        struct engine_command command;
        (void)now_ms;
        enum err e = engine_command(&engine->config->command, words, &command, why);
        if (engine->config->status_file)
                file_remove(engine->config->status_file);      /* what the one before it said is not about this one */
        return e ? e : child_start(&(struct child_setup){ command.argv, -1, -1, engine->errors, NULL, NULL, NULL }, &engine->child, why);
}

static bool end(struct engine *engine, int64_t now_ms)
{
        if (engine->child.pid <= 0)
                return false;
        engine->is_stopping = true;
        engine->kill_at_ms = now_ms + engine->config->stop_ms;
        return child_signal(&engine->child, "TERM");
}

static bool reload(struct engine *engine, int64_t now_ms)
{
        const char *how = engine->config->reload_signal;
        return strcmp(how, "restart") == 0 ? engine_restart(engine, now_ms) : child_signal(&engine->child, how);
}

static bool died(struct engine *engine, int64_t now_ms, struct child_end *ret_end)
{
        if (engine->kill_at_ms && now_ms >= engine->kill_at_ms)
                (void)child_signal(&engine->child, "KILL");
        if (!child_ended(&engine->child, ret_end))
                return false;
        bool is_asked_for = engine->is_stopping;
        engine->is_stopping = false;
        engine->kill_at_ms = 0;
        if (now_ms - engine->started_ms > STEADY_MS)
                engine->pause_ms = ENGINE_PAUSE_FIRST_MS;
        if (engine->is_wanted && is_asked_for)
                engine->start_at_ms = now_ms;
        else if (engine->is_wanted)
                engine_start_later(engine, now_ms);
        return !is_asked_for;
}

static bool is_alive(const struct engine *engine)
{
        return engine->child.pid > 0 && !engine->is_stopping;
}

static int pid(const struct engine *engine)
{
        return engine->child.pid;
}

const struct engine_kind engine_kind_command = { start, reload, end, died, is_alive, pid };
