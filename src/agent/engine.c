#include "agent/engine.h"

#include "agent/content.h"
#include "agent/engine_kind.h"
#include "base/buf.h"
#include "platform/file.h"

#include <string.h>

enum { PAUSE_MAX_MS = 60000, STATUS_BYTES = 4096 };

void engine_init(struct engine *engine, const struct agent_engine *config)
{
        const struct engine_kind *kind = config->is_self ? &engine_kind_self : config->unit ? &engine_kind_unit : config->pid_file ? &engine_kind_pid_file : &engine_kind_command;
        *engine = (struct engine){ .config = config, .kind = kind, .pause_ms = ENGINE_PAUSE_FIRST_MS, .errors = -1 };
}

static const char *place_value(const char *at, size_t *ret_length, const struct engine_words *places)
{
        const struct { const char *mark, *value; } known[] = {
                { "{current}", places->current }, { "{candidate}", places->candidate }, { "{stream}", places->stream }, { "{config}", places->config },
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

void engine_start_later(struct engine *engine, int64_t now_ms)
{
        engine->start_at_ms = now_ms + engine->pause_ms;
        engine->pause_ms = engine->pause_ms * 2 < PAUSE_MAX_MS ? engine->pause_ms * 2 : PAUSE_MAX_MS;
}

void engine_adopt(struct engine *engine, int pid, int64_t started_ms)
{
        engine->is_wanted = true;
        engine->start_at_ms = 0;
        engine->started_ms = started_ms;
        engine->child = (struct child){ pid };
}

enum err engine_start(struct engine *engine, const struct engine_words *words, int64_t now_ms, struct why *why)
{
        engine->is_wanted = true;
        engine->start_at_ms = 0;
        engine->started_ms = now_ms;
        enum err e = engine->kind->start(engine, words, now_ms, why);
        if (e) {
                engine->watched_pid = 0;
                engine_start_later(engine, now_ms);
        }
        return e ? DURING(why, e, "starting the engine") : OK;
}

bool engine_restart(struct engine *engine, int64_t now_ms)
{
        return engine->is_wanted && engine->kind->end(engine, now_ms);
}

enum err engine_reload(struct engine *engine, int64_t now_ms, struct why *why)
{
        if (engine->config->status_file)
                file_remove(engine->config->status_file);
        if (!engine_is_alive(engine))
                return OK;                /* it reads the new content when it starts */
        bool is_told = engine->kind->reload(engine, now_ms);
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
        if (engine->child.pid > 0)               /* what we do not run, runs on */
                (void)engine->kind->end(engine, now_ms);
        engine_unit_done(engine);
}

void engine_kill(struct engine *engine)
{
        child_kill(&engine->child);
        engine_unit_done(engine);
        engine->is_stopping = engine->is_wanted = false;
        engine->kill_at_ms = engine->start_at_ms = 0;
}

bool engine_died(struct engine *engine, int64_t now_ms, struct child_end *ret_end)
{
        return engine->kind->died(engine, now_ms, ret_end);
}

bool engine_is_due(struct engine *engine, int64_t now_ms)
{
        return engine->is_wanted && engine->start_at_ms && now_ms >= engine->start_at_ms;
}

int64_t engine_wake_ms(const struct engine *engine)
{
        int64_t wake = engine->start_at_ms ? engine->start_at_ms : INT64_MAX;
        if (engine->kill_at_ms && engine->kill_at_ms < wake)
                wake = engine->kill_at_ms;
        int64_t unit = engine_unit_wake_ms(engine);
        return unit < wake ? unit : wake;
}

bool engine_is_settled(const struct engine *engine)
{
        return !engine->is_stopping && !engine->unit.doing;
}

bool engine_is_alive(const struct engine *engine)
{
        return engine->kind->is_alive(engine);
}

int engine_pid(const struct engine *engine)
{
        return engine_is_alive(engine) ? engine->kind->pid(engine) : 0;
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

/* The rest of its line: it is for people, who read it in a report. */
static void status_reason(struct engine_status *status, const char *reason)
{
        snprintf(status->reason, sizeof(status->reason), "%.*s", (int)strcspn(reason, "\r\n"), reason);
        for (char *at = status->reason; *at; at++)
                if (*at < ' ' || *at > '~')
                        *at = '?';
}

static void read_status(const char *text, struct engine_status *status)
{
        for (const char *at = text; *at;) {
                size_t length = strcspn(at, " \t\r\n");
                if (strncmp(at, "reason=", 7) == 0) {
                        status_reason(status, at + 7);
                        length = strcspn(at, "\r\n");
                } else {
                        status_word(status, at, length);
                }
                at += length + strspn(at + length, " \t\r\n");
        }
}

void engine_status(const struct engine *engine, struct engine_status *ret_status)
{
        *ret_status = (struct engine_status){ 0 };
        OWN(buf) struct buf text;
        buf_init(&text, STATUS_BYTES);
        struct why why;
        if (engine->config->status_file && file_read_regular(engine->config->status_file, &text, &why) == OK)
                read_status(buf_text(&text), ret_status);
        engine_unit_status(engine, ret_status);
}

bool engine_is_told(const struct engine *engine)
{
        return engine->unit.step_count || engine->unit.doing || (engine->config->unit && !engine->unit.is_known);
}
