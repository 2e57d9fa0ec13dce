/* hold.h - the words for why a device keeps a release from beginning, as numbers and as text: hold.def. */
#pragma once

#include "base/err.h"

enum wire_hold {
#define HOLD(name, word, text) WIRE_HOLD_##name,
#include "wire/hold.def"
#undef HOLD
        WIRE_HOLDS,
};

const char *wire_hold_word(enum wire_hold hold);
const char *wire_hold_text(enum wire_hold hold);         /* for people */
/* ERR_SYNTAX for a word that is not in the table. */
MUST_CHECK enum err wire_hold_find(const char *word, enum wire_hold *ret_hold, struct why *why);
