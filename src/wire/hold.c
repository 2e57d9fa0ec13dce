#include "wire/hold.h"

#include <assert.h>
#include <string.h>

static const struct { const char *word, *text; } rows[WIRE_HOLDS] = {
#define HOLD(name, word, text) [WIRE_HOLD_##name] = { word, text },
#include "wire/hold.def"
#undef HOLD
};

const char *wire_hold_word(enum wire_hold hold)
{
        assert(hold < WIRE_HOLDS);
        return rows[hold].word;
}

const char *wire_hold_text(enum wire_hold hold)
{
        assert(hold < WIRE_HOLDS);
        return rows[hold].text;
}

enum err wire_hold_find(const char *word, enum wire_hold *ret_hold, struct why *why)
{
        unsigned at = 0;
        while (at < WIRE_HOLDS && strcmp(rows[at].word, word) != 0)
                at++;
        if (at == WIRE_HOLDS)
                return FAIL(why, ERR_SYNTAX, "reason: `%.32s` is not pin, behind, freeze, metered, window, battery or nothing", word);
        *ret_hold = (enum wire_hold)at;
        return OK;
}
