#include "agent/engine.h"

#include "agent/content.h"
#include "base/buf.h"
#include "platform/file.h"

#include <string.h>

enum { PAUSE_FIRST_MS = 200, PAUSE_MAX_MS = 60000, STEADY_MS = 30000, STATUS_BYTES = 4096 };

void engine_init(struct engine *engine, const struct agent_engine *config)
{
        *engine = (struct engine){ .config = config, .pause_ms = PAUSE_FIRST_MS, .errors = -1 };
}

static const char *place_value(const char *at, size_t *ret_length, const struct engine_words *places)
{
        const struct { const char *mark, *value; } known[] = {
                { "{current}", places->current }, { "{candidate}", places->candidate }, { "{stream}", places->stream },
        };
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
                if (known[i].value && strncmp(at, known[i].mark, strlen(known[i].mark)) == 0) {
                        *ret_length = strlen(known[i].mark);
                        return known[i].value;
                }
        return NULL;
}

static void fill_word(struct buf *into, const char *word, const struct engine_words *places)
{
        for (const char *at = word; *at;) {
                size_t length = 1;
                const char *value = *at == '{' ? place_value(at, &length, places) : NULL;
                if (value)
                        buf_add_text(into, value);
                else
                        buf_add(into, at, 1);
                at += length;
        }
}

enum err engine_command(const struct yaml_texts *words, const struct engine_words *places, struct engine_command *ret_command,
                        struct why *why)
{
        size_t used = 0;
        if (words->count > ENGINE_WORDS_MAX)
                return FAIL(why, ERR_LIMIT, "a command of %zu words", words->count);
        for (size_t i = 0; i < words->count; i++) {
                OWN(buf) struct buf word;
                buf_init(&word, ENGINE_WORDS_BYTES);
                fill_word(&word, words->items[i], places);
                enum err e = buf_check(&word, why);
                if (!e && used + word.length + 1 > ENGINE_WORDS_BYTES)
                        e = FAIL(why, ERR_LIMIT, "a command longer than %d bytes", ENGINE_WORDS_BYTES);
                if (e)
                        return DURING(why, e, "%s", words->items[0]);
                ret_command->argv[i] = memcpy(ret_command->storage + used, buf_text(&word), word.length + 1);
                used += word.length + 1;
        }
        ret_command->argv[words->count] = NULL;
        return OK;
}

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

static void start_later(struct engine *engine, int64_t now_ms)
{
        engine->start_at_ms = now_ms + engine->pause_ms;
        engine->pause_ms = engine->pause_ms * 2 < PAUSE_MAX_MS ? engine->pause_ms * 2 : PAUSE_MAX_MS;
}

enum err engine_start(struct engine *engine, const struct engine_words *words, int64_t now_ms, struct why *why)
{
        engine->is_wanted = true;
        engine->start_at_ms = 0;
        engine->started_ms = now_ms;
        enum err e;
        if (engine->config->pid_file) {
                engine->watched_pid = read_pid(engine->config->pid_file);
                e = child_pid_lives(engine->watched_pid) ? OK : FAIL(why, ERR_NOT_FOUND, "%s names no running process", engine->config->pid_file);
        } else {
                struct engine_command command;
                e = engine_command(&engine->config->command, words, &command, why);
                if (engine->config->status_file)
                        file_remove(engine->config->status_file);      /* what the one before it said is not about this one */
                if (!e)
                        e = child_start(&(struct child_setup){ command.argv, -1, -1, engine->errors, NULL, NULL, NULL }, &engine->child, why);
        }
        if (e) {
                engine->watched_pid = 0;
                start_later(engine, now_ms);
        }
        return e ? DURING(why, e, "starting the engine") : OK;
}

static bool ask_to_end(struct engine *engine, int64_t now_ms)
{
        if (engine->child.pid <= 0)
                return false;
        engine->is_stopping = true;
        engine->kill_at_ms = now_ms + engine->config->stop_ms;
        return child_signal(&engine->child, "TERM");
}

bool engine_restart(struct engine *engine, int64_t now_ms)
{
        return !engine->config->pid_file && engine->is_wanted && ask_to_end(engine, now_ms);
}

enum err engine_reload(struct engine *engine, int64_t now_ms, struct why *why)
{
        if (engine->config->status_file)
                file_remove(engine->config->status_file);
        const char *signal = engine->config->reload_signal;
        if (!engine_is_alive(engine))
                return OK;                /* it reads the new content when it starts */
        bool is_told = engine->config->pid_file        ? child_pid_signal(engine->watched_pid, signal)
                       : strcmp(signal, "restart") == 0 ? engine_restart(engine, now_ms)
                                                        : child_signal(&engine->child, signal);
        /* What it wrote in between is about the content before. Should this take its answer away, it says it again. */
        if (engine->config->status_every_ms)
                file_remove(engine->config->status_file);
        return is_told ? OK : FAIL(why, ERR_IO, "the engine cannot be signalled");
}

void engine_stop(struct engine *engine, int64_t now_ms)
{
        engine->is_wanted = false;
        engine->start_at_ms = 0;
        engine->watched_pid = 0;
        (void)ask_to_end(engine, now_ms);
}

void engine_kill(struct engine *engine)
{
        child_kill(&engine->child);
        engine->is_stopping = engine->is_wanted = false;
        engine->kill_at_ms = engine->start_at_ms = 0;
}

static bool watched_died(struct engine *engine, int64_t now_ms, struct child_end *ret_end)
{
        if (!engine->watched_pid || (child_pid_lives(engine->watched_pid) && read_pid(engine->config->pid_file) == engine->watched_pid))
                return false;
        engine->watched_pid = 0;
        start_later(engine, now_ms);
        *ret_end = (struct child_end){ true, 0 };
        return true;
}

bool engine_died(struct engine *engine, int64_t now_ms, struct child_end *ret_end)
{
        if (engine->config->pid_file)
                return watched_died(engine, now_ms, ret_end);
        if (engine->kill_at_ms && now_ms >= engine->kill_at_ms)
                (void)child_signal(&engine->child, "KILL");
        if (!child_ended(&engine->child, ret_end))
                return false;
        bool is_asked_for = engine->is_stopping;
        engine->is_stopping = false;
        engine->kill_at_ms = 0;
        if (now_ms - engine->started_ms > STEADY_MS)
                engine->pause_ms = PAUSE_FIRST_MS;
        if (engine->is_wanted && is_asked_for)
                engine->start_at_ms = now_ms;
        else if (engine->is_wanted)
                start_later(engine, now_ms);
        return !is_asked_for;
}

bool engine_is_due(struct engine *engine, int64_t now_ms)
{
        return engine->is_wanted && engine->start_at_ms && now_ms >= engine->start_at_ms;
}

int64_t engine_wake_ms(const struct engine *engine)
{
        int64_t wake = engine->start_at_ms ? engine->start_at_ms : INT64_MAX;
        return engine->kill_at_ms && engine->kill_at_ms < wake ? engine->kill_at_ms : wake;
}

bool engine_is_alive(const struct engine *engine)
{
        return engine->config->pid_file ? child_pid_lives(engine->watched_pid) : engine->child.pid > 0 && !engine->is_stopping;
}

int engine_pid(const struct engine *engine)
{
        return !engine_is_alive(engine) ? 0 : engine->config->pid_file ? engine->watched_pid : engine->child.pid;
}

static void status_word(struct engine_status *status, const char *word, size_t length)
{
        if (length == 8 && memcmp(word, "state=ok", 8) == 0)
                status->load = ENGINE_SAYS_OK;
        else if (length == 11 && memcmp(word, "state=error", 11) == 0)
                status->load = ENGINE_SAYS_ERROR;
        if (length > 8 && memcmp(word, "version=", 8) == 0)
                snprintf(status->version, sizeof(status->version), "%.*s", (int)(length - 8), word + 8);
        content_version_word(status->version);
}

void engine_status(const struct engine *engine, struct engine_status *ret_status)
{
        *ret_status = (struct engine_status){ 0 };
        OWN(buf) struct buf text;
        buf_init(&text, STATUS_BYTES);
        struct why why;
        if (!engine->config->status_file || file_read_regular(engine->config->status_file, &text, &why))
                return;
        for (const char *at = buf_text(&text); *at;) {
                size_t length = strcspn(at, " \t\r\n");
                status_word(ret_status, at, length);
                at += length + strspn(at + length, " \t\r\n");
        }
}
