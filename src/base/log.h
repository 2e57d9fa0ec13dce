/* log.h - what a program says about itself, a line each: events of events.def with fields.
 *
 *      2026-11-21T04:05:06.123Z level=info event=started version=0.1.0 listen="127.0.0.1:8443"
 *      {"time":"2026-11-21T04:05:06.123Z","level":"info","event":"started","version":"0.1.0","listen":"127.0.0.1:8443"}
 *
 * Only programs log, once, where they decide; libraries return enum err and struct why. A line is one write, has at most
 * LOG_LINE_BYTES (fields that do not fit are left out, and `cut` says so), and needs no memory. No value can end a line
 * or pass for another field. Keys, tokens and passphrases are never values. */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { LOG_LINE_BYTES = 4096 };

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };

enum log_event {
#define EVENT(name, level, text) EVENT_##name,
#include "base/events.def"
#undef EVENT
        EVENTS,
};

/* The program's own; filled by log_init(), changed by log_configure() or by hand before the first line. */
struct log {
        FILE *to;
        enum log_level least;
        bool is_json;
        const char *from;                        /* which of several processes; NULL: only one */
        int64_t (*now_ms)(void *user);           /* unix time */
        void *user;
};

/* To stderr, from info up, as text. */
void log_init(struct log *log, int64_t (*now_ms)(void *user), void *user);

/* "debug", "info", "warning" or "error"; "json" or "text"; both with a comma. For --log and FIREBREAK_LOG. NULL and "" change
 * nothing; ERR_USAGE names a word that is none of these. */
MUST_CHECK enum err log_configure(struct log *log, const char *setting, struct why *why);

struct log_field {
        const char *key;
        const char *text;                        /* NULL: the number counts */
        int64_t number;
};

static inline struct log_field log_text(const char *key, const char *text) { return (struct log_field){ key, text ? text : "", 0 }; }
static inline struct log_field log_int(const char *key, int64_t number) { return (struct log_field){ key, NULL, number }; }

/* LOG(&log, EVENT_STARTED, log_text("listen", address), log_int("port", port)); `log` NULL says nothing. */
#define LOG(log, event, ...) log_line((log), (event), (const struct log_field[]){ __VA_ARGS__ __VA_OPT__(,) { NULL, NULL, 0 } })
/* The same, and what went wrong: code=BUSY why="slot b: in use" at=slot.c:71. */
#define LOG_WHY(log, event, why, ...) \
        log_failure((log), (event), (why), (const struct log_field[]){ __VA_ARGS__ __VA_OPT__(,) { NULL, NULL, 0 } })

void log_line(const struct log *log, enum log_event event, const struct log_field *fields);      /* a row without key ends them */
void log_failure(const struct log *log, enum log_event event, const struct why *why, const struct log_field *fields);
const char *log_event_text(enum log_event event);                                                /* for the manual */
