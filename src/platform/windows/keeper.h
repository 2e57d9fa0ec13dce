/* keeper.h - what a supervisor and the keeper above it (handover.h) say to each other, over the supervisor's standard input. Used by the other sources of this
 * folder, nobody else.
 *
 * Frozen: the keeper is the program that the package installed, and who it starts may be years older or younger. Each message is one of a channel: its length in four
 * bytes, then this head, then what belongs to it. Numbers are as x86-64 has them. */
#pragma once

#include <stdint.h>

enum {
        KEEPER_MESSAGE_MAX = 32768,
        KEEPER_WORDS_MAX = 16,
        KEEPER_TEXT_BYTES = 240,
        KEEPER_BEAT = 3,                 /* what stands for the beat where elsewhere it is an open file */
};

enum keeper_kind {
        KEEPER_LIVES = 1,                /* a beat */
        KEEPER_WATCH = 2,                /* the one after this one is ended when it was silent for silence_ms */
        KEEPER_UNWATCH = 3,              /* nobody is */
        KEEPER_GO = 4,                   /* `words_bytes` of words, each with its end: another program; then what is handed over. Answered */
        KEEPER_HANDED = 5,               /* from the keeper, the first to each: what was handed over; nothing for one that does not follow another */
        KEEPER_ANSWER = 6,               /* from the keeper: is the other program there, and waits for this one to end? */
};

struct keeper_head { uint32_t kind, words_bytes; int64_t silence_ms; };
_Static_assert(sizeof(struct keeper_head) == 16, "what agents of different versions say");

enum keeper_fault { KEEPER_WELL, KEEPER_MISSING, KEEPER_BARRED, KEEPER_NO_PROGRAM, KEEPER_LATER };
struct keeper_answer { struct keeper_head head; uint32_t fault; char text[KEEPER_TEXT_BYTES]; };
_Static_assert(sizeof(struct keeper_answer) == 264, "what agents of different versions say");
