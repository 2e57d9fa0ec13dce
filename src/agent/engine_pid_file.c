/* An engine that somebody else runs, and names in a file. */
#include "agent/engine_kind.h"

#include "platform/file.h"

static int read_pid(const char *path)
{
        OWN(buf) struct buf text;
        buf_init(&text, 32);
        struct why why;
        if (file_read_regular(path, &text, &why))
                return 0;
        char *end;
        long pid = strtol(buf_text(&text), &end, 10);
        return end != buf_text(&text) && (!*end || *end == '\n') && pid > 1 && pid < INT32_MAX ? (int)pid : 0;
}

static enum err start(struct engine *engine, const struct engine_words *words, int64_t now_ms, struct why *why)
{
        (void)words;
        (void)now_ms;
        engine->watched_pid = read_pid(engine->config->pid_file);
        return child_pid_lives(engine->watched_pid) ? OK : FAIL(why, ERR_NOT_FOUND, "%s names no running process", engine->config->pid_file);
}

static bool reload(struct engine *engine, int64_t now_ms)
{
        (void)now_ms;
        return child_pid_signal(engine->watched_pid, engine->config->reload_signal);
}

static bool end(struct engine *engine, int64_t now_ms)
{
        (void)engine;
        (void)now_ms;
        return false;
}

static bool died(struct engine *engine, int64_t now_ms, struct child_end *ret_end)
{
        if (!engine->watched_pid || (child_pid_lives(engine->watched_pid) && read_pid(engine->config->pid_file) == engine->watched_pid))
                return false;
        engine->watched_pid = 0;
        engine_start_later(engine, now_ms);
        *ret_end = (struct child_end){ true, 0 };
        return true;
}

static bool is_alive(const struct engine *engine)
{
        return child_pid_lives(engine->watched_pid);
}

static int pid(const struct engine *engine)
{
        return engine->watched_pid;
}

const struct engine_kind engine_kind_pid_file = { start, reload, end, died, is_alive, pid };
