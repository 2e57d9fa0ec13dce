/* What is to run, looked at again: at each start of the supervisor, and after each step back. */
#include "agent/recheck.h"
#include "agent/stream.h"

#include <string.h>

/* An engine that does not live waits for the look at as many bytes, which even a slow disk gives in that time. More is looked at while it runs:
 * to wait for a part of it would cost the same and find as little as chance has it. */
enum { HOLD_BYTES = 64 << 20, HOLD_MS = 2000 };

static const struct slot_stream *now_of(const struct stream *stream)
{
        return slots_stream(stream->agent->slots, stream->index);
}

void rechecking_end(struct stream *stream)
{
        recheck_close(stream->recheck);
        stream->recheck = NULL;
}

void rechecking_begin(struct stream *stream)
{
        const struct agent *agent = stream->agent;
        enum slot_id slot = (enum slot_id)now_of(stream)->current;
        struct why why;
        rechecking_end(stream);
        stream->recheck_slot = slot;
        const struct recheck_of of = { agent->disk, stream->config->name, slot, slots_in(agent->slots, stream->index, slot) };
        enum err e = recheck_open(&of, &stream->recheck, &why);
        if (e && e != ERR_NOT_FOUND)
                agent_note(agent, EVENT_DEVICE_TROUBLE, stream, why.text);
        bool is_short = !e && recheck_bytes(stream->recheck) <= HOLD_BYTES;
        stream->recheck_until_ms = agent_steady_ms(agent) + (is_short ? HOLD_MS : 0);
}

bool rechecking_holds(const struct stream *stream, int64_t now_ms)
{
        return stream->recheck && now_ms < stream->recheck_until_ms;
}

static void is_bad(struct stream *stream, const char *what)
{
        char text[SLOT_DETAIL_BYTES];
        snprintf(text, sizeof(text), "slot %s damaged: %.70s", slot_name(stream->recheck_slot), what);
        stream_damaged(stream, text);
}

void rechecking_tick(struct stream *stream)
{
        bool is_done = false;
        struct why why;
        if (!stream->recheck)
                return;
        if (now_of(stream)->current != stream->recheck_slot) {          /* another one runs by now */
                rechecking_end(stream);
                return;
        }
        enum err e = recheck_step(stream->recheck, &is_done, &why);
        if (!e && !is_done)
                return;
        rechecking_end(stream);
        if (e == ERR_CONTENT)
                is_bad(stream, why.text);
        else if (e)
                agent_note(stream->agent, EVENT_DEVICE_TROUBLE, stream, why.text);
}
