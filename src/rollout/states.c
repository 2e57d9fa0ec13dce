#include "rollout/states.h"

#include <assert.h>
#include <string.h>

static const char *const state_words[] = {
#define STATE(name, word) word,
#define EVENT(name, word, from)
#define REASON(name, word)
#define GUARD(name, text)
#define MOVE(from, event, guard, to)
#include "rollout/states.def"
#undef STATE
#undef EVENT
};

enum speaker { PEOPLE, CALLER, RULES };

static const struct { const char *word; enum speaker from; } events[] = {
#define STATE(name, word)
#define EVENT(name, word, from) { word, from },
#include "rollout/states.def"
#undef EVENT
#undef REASON
};

static const char *const reason_words[] = {
#define EVENT(name, word, from)
#define REASON(name, word) word,
#include "rollout/states.def"
#undef REASON
#undef GUARD
};

static const struct { const char *name, *text; } guards[] = {
#define REASON(name, word)
#define GUARD(name, text) { #name, text },
#include "rollout/states.def"
#undef GUARD
#undef MOVE
};

static const struct move {
        enum rollout_state from;
        enum rollout_event event;
        enum rollout_guard guard;
        enum rollout_state to;
} moves[] = {
#define GUARD(name, text)
#define MOVE(from, event, guard, to) { ROLLOUT_##from, ROLLOUT_ON_##event, ROLLOUT_NEEDS_##guard, ROLLOUT_##to },
#include "rollout/states.def"
#undef STATE
#undef EVENT
#undef REASON
#undef GUARD
#undef MOVE
};
enum { MOVES = sizeof(moves) / sizeof(moves[0]) };

const char *rollout_state_word(enum rollout_state state)
{
        assert(state < ROLLOUT_STATES);
        return state_words[state];
}

const char *rollout_event_word(enum rollout_event event)
{
        assert(event < ROLLOUT_EVENTS);
        return events[event].word;
}

const char *rollout_reason_word(enum rollout_reason reason)
{
        assert(reason < ROLLOUT_REASONS);
        return reason_words[reason];
}

bool rollout_event_is_callers(enum rollout_event event)
{
        assert(event < ROLLOUT_EVENTS);
        return events[event].from != RULES;
}

enum err rollout_event_find(const char *word, enum rollout_event *ret_event, struct why *why)
{
        for (unsigned event = 0; event < ROLLOUT_EVENTS; event++)
                if (strcmp(events[event].word, word) == 0) {
                        *ret_event = (enum rollout_event)event;
                        return OK;
                }
        return FAIL(why, ERR_SYNTAX, "`%.32s` is nothing that can be said to a rollout", word);
}

/* What people may say to it now. A withdrawal halts first where it must. */
static void add_choices(enum rollout_state from, struct buf *into)
{
        const char *before = "only ";
        for (size_t i = 0; i < MOVES; i++) {
                if (moves[i].from != from || events[moves[i].event].from != PEOPLE)
                        continue;
                buf_addf(into, "%s%s%s", before, events[moves[i].event].word, moves[i].event == ROLLOUT_ON_HALT ? ", withdraw" : "");
                before = ", ";
        }
        if (!into->length)
                buf_add_text(into, "nothing any more");
}

static enum err refuse(enum rollout_state from, enum rollout_event event, struct why *why)
{
        enum { CHOICES_MAX = 100 };
        if (!why)
                return ERR_REFUSED;
        OWN(buf) struct buf choices;
        buf_init(&choices, CHOICES_MAX);
        add_choices(from, &choices);
        return FAIL(why, ERR_REFUSED, "a rollout that is %s takes no `%s`; people can say %s to it", rollout_state_word(from), rollout_event_word(event),
                    buf_text(&choices));
}

static bool has_move(enum rollout_state from, enum rollout_event event)
{
        size_t i = 0;
        while (i < MOVES && (moves[i].from != from || moves[i].event != event))
                i++;
        return i < MOVES;
}

bool rollout_halts_first(enum rollout_state from)
{
        return !has_move(from, ROLLOUT_ON_WITHDRAW) && has_move(from, ROLLOUT_ON_HALT);
}

enum err rollout_next(enum rollout_state from, enum rollout_event event, const struct rollout_facts *facts, enum rollout_state *ret_to,
                      struct why *why)
{
        for (size_t i = 0; i < MOVES; i++) {
                if (moves[i].from != from || moves[i].event != event)
                        continue;
                if (!facts->holds[moves[i].guard])
                        return FAIL(why, ERR_REFUSED, "`%s` takes %s", rollout_event_word(event), guards[moves[i].guard].text);
                *ret_to = moves[i].to;
                return OK;
        }
        return refuse(from, event, why);
}

void rollout_states_print(struct buf *into)
{
        buf_add_text(into, "stateDiagram-v2\n    [*] --> draft\n");
        for (size_t i = 0; i < MOVES; i++) {
                buf_addf(into, "    %s --> %s : %s", rollout_state_word(moves[i].from), rollout_state_word(moves[i].to),
                         rollout_event_word(moves[i].event));
                buf_addf(into, moves[i].guard == ROLLOUT_NEEDS_ALWAYS ? "\n" : " [%s]\n", guards[moves[i].guard].name);
        }
}
