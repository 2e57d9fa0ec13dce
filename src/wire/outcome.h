/* outcome.h - the words for how a release ended on a device, as numbers and as text: outcome.def. */
#pragma once

#include "base/err.h"

enum wire_outcome {
#define OUTCOME(name, word) WIRE_##name,
#define KIND(name, word)
#include "wire/outcome.def"
#undef OUTCOME
#undef KIND
        WIRE_OUTCOMES,
};

enum wire_kind {
#define OUTCOME(name, word)
#define KIND(name, word) WIRE_KIND_##name,
#include "wire/outcome.def"
#undef OUTCOME
#undef KIND
        WIRE_KINDS,
};

const char *wire_outcome_word(enum wire_outcome outcome);
const char *wire_kind_word(enum wire_kind kind);

/* ERR_SYNTAX for a word that is not in the table. */
MUST_CHECK enum err wire_outcome_find(const char *word, enum wire_outcome *ret_outcome, struct why *why);
MUST_CHECK enum err wire_kind_find(const char *word, enum wire_kind *ret_kind, struct why *why);
