/* answer.h - does the management path answer? Asked anew each time, by a connection of its own.
 *
 *      tcp://HOST:PORT     a connection comes about
 *      https://HOST:PORT/  whoever answers, has a certificate that we trust; what it says is not looked at. http:// the same, without one
 *      run:/PATH           this program ends with 0: for a path that leads inwards, ask somebody outside to come and see */
#pragma once

#include "base/err.h"
#include "platform/child.h"

#include <stddef.h>
#include <stdint.h>

enum { ANSWER_PLACES_MAX = 8, ANSWER_TRY_MS = 1500 };        /* for the first try; each that was too short doubles it: some paths are slow */
struct answer_places { const char *places[ANSWER_PLACES_MAX], *ca; size_t count; };        /* ca: NULL: the system's */
MUST_CHECK enum err answer_add(struct answer_places *places, const char *place, struct why *why);

/* Asks one, and waits. ERR_UNAVAILABLE. */
MUST_CHECK enum err answer_ask(const char *place, const char *ca, int64_t timeout_ms, struct why *why);

/* All of them, one after the other, each in a child that is killed when it takes too long, again and again until each has answered once. */
struct answering { const struct answer_places *places; struct child child; size_t at; int64_t try_ms, try_until_ms, again_ms; };
/* True when all have. Never waits; call it every few ms. */
bool answering_tick(struct answering *answering, int64_t now_ms);
void answering_stop(struct answering *answering);
