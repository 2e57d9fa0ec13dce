/* goodbye.h - the words for why a device will be silent, as numbers and as text: goodbye.def. */
#pragma once

#include "base/err.h"

enum wire_goodbye_kind {
#define GOODBYE(name, word, text) WIRE_GOODBYE_##name,
#include "wire/goodbye.def"
#undef GOODBYE
        WIRE_GOODBYES,
};

const char *wire_goodbye_word(enum wire_goodbye_kind kind);
const char *wire_goodbye_text(enum wire_goodbye_kind kind);      /* for people: "the machine ..." */
/* ERR_SYNTAX for a word that is not in the table. */
MUST_CHECK enum err wire_goodbye_find(const char *word, enum wire_goodbye_kind *ret_kind, struct why *why);
