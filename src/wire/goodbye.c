#include "wire/goodbye.h"

#include <assert.h>
#include <string.h>

static const struct { const char *word, *text; } rows[WIRE_GOODBYES] = {
#define GOODBYE(name, word, text) [WIRE_GOODBYE_##name] = { word, text },
#include "wire/goodbye.def"
#undef GOODBYE
};

const char *wire_goodbye_word(enum wire_goodbye_kind kind)
{
        assert(kind < WIRE_GOODBYES);
        return rows[kind].word;
}

const char *wire_goodbye_text(enum wire_goodbye_kind kind)
{
        assert(kind < WIRE_GOODBYES);
        return rows[kind].text;
}

enum err wire_goodbye_find(const char *word, enum wire_goodbye_kind *ret_kind, struct why *why)
{
        unsigned at = 0;
        while (at < WIRE_GOODBYES && strcmp(rows[at].word, word) != 0)
                at++;
        if (at == WIRE_GOODBYES)
                return FAIL(why, ERR_SYNTAX, "kind: `%.32s` is not suspend, shutdown or reboot", word);
        *ret_kind = (enum wire_goodbye_kind)at;
        return OK;
}
