#include "agent/expand.h"

#include <string.h>

void expand_ask_begin(size_t base_length, size_t packed_length, size_t length, struct buf *question)
{
        struct expand_ask ask = { .base_length = (uint32_t)base_length, .packed_length = (uint32_t)packed_length, .length = (uint32_t)length };
        memcpy(ask.magic, EXPAND_MAGIC, sizeof(ask.magic));
        buf_add(question, &ask, sizeof(ask));
}

static enum err take(const struct buf *bytes, size_t length, struct buf *into, struct why *why)
{
        struct expand_answer answer;
        memcpy(&answer, bytes->bytes, sizeof(answer));
        if (answer.err >= ERR_COUNT || (!answer.err && (answer.length != length || bytes->length != sizeof(answer) + length)))
                return FAIL(why, ERR_SYNTAX, "an answer of %zu bytes", bytes->length);
        if (answer.err)
                return FAIL(why, (enum err)answer.err, "a segment of the delta: %s", err_info((enum err)answer.err)->text);
        buf_add(into, bytes->bytes + sizeof(answer), length);
        return buf_check(into, why);
}

enum err expand_run(const struct workers *workers, const struct buf *question, size_t length, struct buf *into, struct why *why)
{
        OWN(buf) struct buf answer;
        struct worker_state state;
        enum err e = length > DELTA_EXPANDED_MAX ? FAIL(why, ERR_LIMIT, "a segment of %zu bytes", length) : OK;
        if (e)
                return e;
        buf_init(&answer, sizeof(struct expand_answer) + length);
        e = verify_ask(&(struct verify_talk){ workers, question, sizeof(struct expand_answer), &answer }, &state, why);
        return e ? e : take(&answer, length, into, why);
}
