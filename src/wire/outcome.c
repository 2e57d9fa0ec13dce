#include "wire/outcome.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

static const char *const outcome_words[WIRE_OUTCOMES] = {
#define OUTCOME(name, word) [WIRE_##name] = word,
#define KIND(name, word)
#include "wire/outcome.def"
#undef OUTCOME
#undef KIND
};

static const char *const kind_words[WIRE_KINDS] = {
#define OUTCOME(name, word)
#define KIND(name, word) [WIRE_KIND_##name] = word,
#include "wire/outcome.def"
#undef OUTCOME
#undef KIND
};

const char *wire_outcome_word(enum wire_outcome outcome)
{
        assert(outcome < WIRE_OUTCOMES);
        return outcome_words[outcome];
}

const char *wire_kind_word(enum wire_kind kind)
{
        assert(kind < WIRE_KINDS);
        return kind_words[kind];
}

/* The number of a word; `count` when it has none. */
static size_t find(const char *const *words, size_t count, const char *word)
{
        size_t i = 0;
        while (i < count && strcmp(words[i], word) != 0)
                i++;
        return i;
}

enum err wire_outcome_find(const char *word, enum wire_outcome *ret_outcome, struct why *why)
{
        size_t at = find(outcome_words, WIRE_OUTCOMES, word);
        if (at == WIRE_OUTCOMES)
                return FAIL(why, ERR_SYNTAX, "outcome: `%.32s` is not proven, harmed, declined or preflight_failed", word);
        *ret_outcome = (enum wire_outcome)at;
        return OK;
}

enum err wire_kind_find(const char *word, enum wire_kind *ret_kind, struct why *why)
{
        size_t at = find(kind_words, WIRE_KINDS, word);
        if (at == WIRE_KINDS)
                return FAIL(why, ERR_SYNTAX, "kind: `%.32s` is not a kind of harm", word);
        *ret_kind = (enum wire_kind)at;
        return OK;
}
