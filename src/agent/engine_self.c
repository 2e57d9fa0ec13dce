/* This very agent, see self.h: it runs as long as anybody asks, and other content is gone on as, not loaded. */
#include "agent/engine_kind.h"

static enum err start(struct engine *engine, const struct engine_words *words, int64_t now_ms, struct why *why)
{
        (void)engine, (void)words, (void)now_ms, (void)why;
        return OK;
}

static bool reload(struct engine *engine, int64_t now_ms)
{
        (void)engine, (void)now_ms;
        return true;
}

static bool end(struct engine *engine, int64_t now_ms)
{
        (void)engine, (void)now_ms;
        return false;
}

static bool died(struct engine *engine, int64_t now_ms, struct child_end *ret_end)
{
        (void)engine, (void)now_ms, (void)ret_end;
        return false;
}

static bool is_alive(const struct engine *engine)
{
        return engine->is_wanted && !engine->start_at_ms;
}

static int pid(const struct engine *engine)
{
        (void)engine;
        return child_own_pid();
}

const struct engine_kind engine_kind_self = { start, reload, end, died, is_alive, pid };
