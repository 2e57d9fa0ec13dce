/* engine.h - the engine of one stream: kept alive, told to reload, asked what it loaded.
 *
 * Run as a child by `command`, watched by `pid_file`, a `unit` of systemd, or this very agent: engine_kind.h. A child that dies is started again after a pause that doubles. Does not
 * judge a death: the stream does (stream.h). */
#pragma once

#include "agent/config.h"
#include "platform/child.h"

struct engine_words { const char *stream, *current, *candidate, *config; };      /* absolute paths, for {stream} and so on; NULL: none */

/* systemctl at work for an engine of systemd; see engine_unit.c. */
enum { ENGINE_PAUSE_FIRST_MS = 200, ENGINE_REASON_BYTES = 96, ENGINE_UNIT_STEPS = 4 };
struct engine_unit {
        struct child systemctl;
        const char *doing, *steps[ENGINE_UNIT_STEPS];          /* doing NULL: it does not run */
        size_t step_count, length;
        int pipe[2];
        char said[1024], reason[ENGINE_REASON_BYTES];
        int64_t until_ms, look_at_ms;
        uint64_t restarts;
        bool is_known, is_active, is_dead, has_failed;         /* has_failed: the last that it was told */
};

struct engine {
        const struct agent_engine *config;
        const struct engine_kind *kind;
        struct engine_unit unit;
        struct child child;
        int watched_pid;                 /* of pid_file and unit; 0: none */
        int64_t started_ms, start_at_ms, kill_at_ms;       /* steady; 0: not set */
        int64_t pause_ms;
        int errors;                      /* its standard error; -1: ours */
        bool is_stopping, is_wanted;
};

enum engine_load { ENGINE_SAYS_NOTHING, ENGINE_SAYS_OK, ENGINE_SAYS_ERROR };
struct engine_status { enum engine_load load; char version[65] /* made one word */, reason[ENGINE_REASON_BYTES] /* "": it gives none */; };

void engine_init(struct engine *engine, const struct agent_engine *config);
/* Start now, or watch the pid file; a failed start is tried again after a pause. */
MUST_CHECK enum err engine_start(struct engine *engine, const struct engine_words *words, int64_t now_ms, struct why *why);
/* Tell it that the content changed. A stale status file is removed first, so that what is read later is about this load. */
MUST_CHECK enum err engine_reload(struct engine *engine, int64_t now_ms, struct why *why);
/* Ask it to end and start it again then. False when it is not ours to start. */
bool engine_restart(struct engine *engine, int64_t now_ms);
/* Ask it to end. For both, engine_died() kills it when it takes too long; engine_kill() waits for nothing. */
void engine_stop(struct engine *engine, int64_t now_ms);
void engine_kill(struct engine *engine);
/* Did it die? True once for each death that nobody asked for; a wanted stop is not one. */
bool engine_died(struct engine *engine, int64_t now_ms, struct child_end *ret_end);
/* True when it is time to engine_start() again. */
bool engine_is_due(struct engine *engine, int64_t now_ms);
/* One that runs already, as a child of this process. */
void engine_adopt(struct engine *engine, int pid, int64_t started_ms);
int64_t engine_wake_ms(const struct engine *engine);       /* when to look again; INT64_MAX: nothing to do */
/* It is not on its way from one process to the next. */
bool engine_is_settled(const struct engine *engine);
bool engine_is_alive(const struct engine *engine);
int engine_pid(const struct engine *engine);               /* 0: it is not alive, or has no process of its own */
/* By its status file, if it has one, and by what systemctl says. */
void engine_status(const struct engine *engine, struct engine_status *ret_status);

/* systemctl is at it: nothing can be said yet. */
bool engine_is_told(const struct engine *engine);

/* The words of a command with the places filled in; result lives as long as `storage`. */
enum { ENGINE_WORDS_MAX = 40, ENGINE_WORDS_BYTES = 8192 };
struct engine_command { const char *argv[ENGINE_WORDS_MAX + 1]; char storage[ENGINE_WORDS_BYTES]; };
MUST_CHECK enum err engine_command(const struct yaml_texts *words, const struct engine_words *places, struct engine_command *ret_command,
                                   struct why *why);
