#include "base/log.h"

#include "base/buf.h"
#include "base/text.h"
#include "base/utc.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

static const struct {
        const char *name, *text;
        enum log_level level;
} events[EVENTS] = {
#define EVENT(name, level, text) { #name, text, LOG_LEVEL_##level },
#include "base/events.def"
#undef EVENT
};

static const char *const level_words[] = {
        [LOG_LEVEL_DEBUG] = "debug", [LOG_LEVEL_INFO] = "info", [LOG_LEVEL_WARNING] = "warning", [LOG_LEVEL_ERROR] = "error",
};
enum { LEVELS = sizeof(level_words) / sizeof(level_words[0]) };

const char *log_event_text(enum log_event event)
{
        assert(event < EVENTS);
        return events[event].text;
}

void log_init(struct log *log, int64_t (*now_ms)(void *user), void *user)
{
        *log = (struct log){ .to = stderr, .least = LOG_LEVEL_INFO, .now_ms = now_ms, .user = user };
}

static bool is_word(const char *text, size_t length, const char *word)
{
        return strlen(word) == length && memcmp(text, word, length) == 0;
}

static bool configure_word(struct log *log, const char *text, size_t length)
{
        for (size_t i = 0; i < LEVELS; i++)
                if (is_word(text, length, level_words[i])) {
                        log->least = (enum log_level)i;
                        return true;
                }
        if (!is_word(text, length, "json") && !is_word(text, length, "text"))
                return false;
        log->is_json = is_word(text, length, "json");
        return true;
}

enum err log_configure(struct log *log, const char *setting, struct why *why)
{
        while (setting && *setting) {
                size_t length = strcspn(setting, ",");
                if (!configure_word(log, setting, length))
                        return FAIL(why, ERR_USAGE, "log: `%.*s` is not debug, info, warning, error, json or text",
                                    length > 60 ? 60 : (int)length, setting);
                setting += length + (setting[length] == ',');
        }
        return OK;
}

/* A value that needs no quotes: it could not be taken for anything but itself. */
static bool is_plain(const char *text)
{
        if (!*text)
                return false;
        for (; *text; text++)
                if (*text <= ' ' || *text >= 0x7F || strchr("\"=\\", *text))
                        return false;
        return true;
}

static void add_field(const struct log *log, const struct log_field *field, struct buf *line)
{
        buf_add_text(line, log->is_json ? "," : " ");
        if (log->is_json)
                text_quote(field->key, line);
        else
                buf_add_text(line, field->key);
        buf_add_text(line, log->is_json ? ":" : "=");
        if (!field->text)
                buf_addf(line, "%" PRId64, field->number);
        else if (!log->is_json && is_plain(field->text))
                buf_add_text(line, field->text);
        else
                text_quote(field->text, line);
}

/* All of the field or none of it. */
static void add_fitting(const struct log *log, const struct log_field *field, struct buf *line, bool *is_cut)
{
        size_t length = line->length;
        add_field(log, field, line);
        if (!line->failed)
                return;
        line->failed = OK;
        line->length = length;
        *is_cut = true;
}

static void add_head(const struct log *log, enum log_event event, struct buf *line)
{
        char time[25], name[64] = "";
        utc_text_ms(log->now_ms(log->user), time);
        for (size_t i = 0; events[event].name[i] && i < sizeof(name) - 1; i++)
                name[i] = (char)(events[event].name[i] | (events[event].name[i] == '_' ? 0 : 0x20));
        if (log->is_json)
                buf_addf(line, "{\"time\":\"%s\"", time);
        else
                buf_add_text(line, time);
        add_field(log, &(struct log_field){ "level", level_words[events[event].level], 0 }, line);
        add_field(log, &(struct log_field){ "event", name, 0 }, line);
        if (log->from)
                add_field(log, &(struct log_field){ "from", log->from, 0 }, line);
}

static void write_line(const struct log *log, enum log_event event, const struct log_field *more, const struct log_field *fields)
{
        static const char text_cut[] = " cut=1", json_cut[] = ",\"cut\":1";
        char bytes[LOG_LINE_BYTES + 1];
        /* A buffer with all its room given never asks for memory. The end is kept free for `cut`, a brace and the line's end. */
        struct buf line = { .bytes = bytes, .capacity = sizeof(bytes), .length_max = LOG_LINE_BYTES - sizeof(json_cut) - 2 };
        bool is_cut = false;
        add_head(log, event, &line);
        for (; more && more->key; more++)
                add_fitting(log, more, &line, &is_cut);
        for (; fields->key; fields++)
                add_fitting(log, fields, &line, &is_cut);
        line.length_max = LOG_LINE_BYTES;
        if (is_cut)
                buf_add_text(&line, log->is_json ? json_cut : text_cut);
        buf_add_text(&line, log->is_json ? "}\n" : "\n");
        fwrite(line.bytes, 1, line.length, log->to);
        fflush(log->to);
}

static bool is_wanted(const struct log *log, enum log_event event)
{
        assert(event < EVENTS);
        return log && events[event].level >= log->least;
}

void log_line(const struct log *log, enum log_event event, const struct log_field *fields)
{
        if (is_wanted(log, event))
                write_line(log, event, NULL, fields);
}

void log_failure(const struct log *log, enum log_event event, const struct why *why, const struct log_field *fields)
{
        if (!is_wanted(log, event))
                return;
        char at[80] = "";
        const char *file = why->file ? strrchr(why->file, '/') : NULL;
        snprintf(at, sizeof(at), "%.60s:%d", file ? file + 1 : why->file ? why->file : "", why->line);
        const struct log_field more[] = {
                log_text("code", err_info(why->err)->name), log_text("why", why->text), log_text("at", at), { NULL, NULL, 0 },
        };
        write_line(log, event, more, fields);
}
