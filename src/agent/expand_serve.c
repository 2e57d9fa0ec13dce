#include "agent/expand.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

bool expand_is_meant(const struct buf *question)
{
        return question->length >= sizeof(struct expand_ask) && memcmp(question->bytes, EXPAND_MAGIC, sizeof(EXPAND_MAGIC) - 1) == 0;
}

enum err expand_serve(const struct buf *question, const struct confined *confined, struct why *why)
{
        struct expand_ask ask;
        memcpy(&ask, question->bytes, sizeof(ask));
        const char *base = question->bytes + sizeof(ask);
        const uint64_t wanted = sizeof(ask) + (uint64_t)ask.base_length + ask.packed_length;
        enum err e = wanted != question->length || ask.length > DELTA_EXPANDED_MAX ? FAIL(why, ERR_SYNTAX, "a question of %zu bytes", question->length) : OK;
        if (e)
                return e;
        OWN(memory) void *bytes = mem_new((size_t)ask.length + 1, 1);
        struct expand_answer answer = { .confined = *confined, .length = ask.length };
        e = bytes ? delta_expand((struct delta_bytes){ base, ask.base_length }, (struct delta_bytes){ base + ask.base_length, ask.packed_length }, bytes, ask.length, why)
                  : FAIL(why, ERR_NOMEM, "expanding a segment");
        answer.err = (uint32_t)e;
        if (fwrite(&answer, sizeof(answer), 1, stdout) != 1 || (!e && fwrite(bytes, 1, ask.length, stdout) != ask.length) || fflush(stdout))
                return FAIL(why, ERR_IO, "the answer could not be written");
        return OK;
}
