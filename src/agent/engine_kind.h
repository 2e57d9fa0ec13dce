/* engine_kind.h - in what an engine that we run, one that somebody else runs, one of systemd and this agent differ. For engine.c alone.
 *
 * engine.c keeps the time: when one is started, when again, when it is killed. A kind does what it is told, and says what it sees. */
#pragma once

#include "agent/engine.h"

struct engine_kind {
        /* Begins, or looks for it. */
        enum err (*start)(struct engine *engine, const struct engine_words *words, int64_t now_ms, struct why *why);
        bool (*reload)(struct engine *engine, int64_t now_ms);   /* false: it cannot be told */
        bool (*end)(struct engine *engine, int64_t now_ms);      /* to be started anew; false: that is not ours to do */
        bool (*died)(struct engine *engine, int64_t now_ms, struct child_end *ret_end);  /* called at each look; true once a death */
        bool (*is_alive)(const struct engine *engine);
        int (*pid)(const struct engine *engine);                 /* of one that is alive; 0: it has none */
};

extern const struct engine_kind engine_kind_command, engine_kind_pid_file, engine_kind_unit, engine_kind_self;

/* After a pause that doubles from one death to the next. */
void engine_start_later(struct engine *engine, int64_t now_ms);

/* Of engine_unit.c. */
void engine_unit_done(struct engine *engine);
void engine_unit_status(const struct engine *engine, struct engine_status *status);
int64_t engine_unit_wake_ms(const struct engine *engine);
