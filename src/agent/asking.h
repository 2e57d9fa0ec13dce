/* asking.h - the supervisor's end of one stream's breaker: starts the process that engines ask (answer.h) and decides what it passes on.
 *
 * Each call does a bounded part: one question, and no disk unless the breaker trips. Without that process, engines get no answer. */
#pragma once

#include "agent/breaker.h"
#include "platform/child.h"

struct stream;

struct asking {
        struct breaker breaker;
        struct child child;
        int channel;                     /* -1: no child */
        int64_t start_at_ms, pause_ms;   /* of the next child, when there is none */
        int64_t tripped_ms, begun_ms;    /* begun: the last trial, and the engine was told of it */
        bool is_at_work;                 /* its release, as far as the engine tells */
        struct asking_lines { int64_t minute; unsigned said, unsaid; } denials, notes;   /* in the log: so many of this minute, so many not */
};

/* A stream without a breaker has nothing of all this. */
void asking_open(struct stream *stream);
void asking_done(struct stream *stream);
/* A trial begins, and the engine was told. Its release is blamed from when the engine has loaded it. */
void asking_begin(struct stream *stream);
void asking_tick(struct stream *stream, int64_t now_ms);
int64_t asking_wake_ms(const struct stream *stream);
/* When asking.channel can be read. */
void asking_take(struct stream *stream);
