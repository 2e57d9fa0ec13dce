/* Going back from a release that was withdrawn: at once, or when it is this device's turn. */
#include "agent/back.h"
#include "agent/stream.h"
#include "base/utc.h"

#include <inttypes.h>

static const struct slot_release *running(const struct stream *stream)
{
        const struct slot_stream *now = slots_stream(stream->agent->slots, stream->index);
        return slots_in(stream->agent->slots, stream->index, (enum slot_id)now->current);
}

/* What was heard of the withdrawal of what runs; its counter is 0 where there is none. What was heard once, also before a restart,
 * stays: a withdrawal is never taken back. The server may say anew how fast. */
static struct withdrawal heard(const struct stream *stream)
{
        uint64_t counter = running(stream)->counter;
        if (offer_withdraws(&stream->offer, counter)) {
                const struct withdrawal *told = withdrawal_find(stream->offer.withdrawals, stream->offer.withdrawal_count, counter);
                return told ? *told : (struct withdrawal){ .counter = counter };
        }
        return counter && stream->withdrawal.counter == counter ? stream->withdrawal : (struct withdrawal){ 0 };
}

uint64_t back_from(const struct stream *stream)
{
        return heard(stream).counter;
}

/* It has it proven, and it runs well. */
static bool may_wait(const struct stream *stream)
{
        const struct slot_stream *now = slots_stream(stream->agent->slots, stream->index);
        return now->trial.lease != SLOT_LEASE_EXPOSURE && !now->crashes;
}

static void plan(struct stream *stream, const struct withdrawal *withdrawal, int64_t now_ms)
{
        const struct agent *agent = stream->agent;
        int64_t time_s = agent_time_s(agent), moment_ms = back_moment_ms(withdrawal, running(stream), agent->device, time_s);
        char text[96], moment[21];
        stream->withdrawal = *withdrawal;
        stream->back_at_ms = now_ms + moment_ms - time_s * 1000;
        utc_text_s(moment_ms / 1000, moment);
        snprintf(text, sizeof(text), "release %" PRIu64 " was withdrawn; goes back at %s", withdrawal->counter, moment);
        agent_note(agent, EVENT_RELEASE, stream, text);
}

void back_open(struct stream *stream)
{
        struct withdrawal withdrawal;
        if (back_read(stream->agent->disk, stream->config->name, &withdrawal) && withdrawal.counter == running(stream)->counter)
                plan(stream, &withdrawal, agent_steady_ms(stream->agent));
}

static bool is_same(const struct withdrawal *a, const struct withdrawal *b)
{
        return a->counter == b->counter && a->since_s == b->since_s && a->over_s == b->over_s;
}

/* A disk that does not take it costs no more than to hear it again after a restart. */
static void take_note(struct stream *stream, const struct withdrawal *withdrawal, int64_t now_ms)
{
        struct why why;
        plan(stream, withdrawal, now_ms);
        if (back_keep(stream->agent->disk, stream->config->name, withdrawal, &why))
                agent_note(stream->agent, EVENT_DEVICE_TROUBLE, stream, why.text);
}

bool back_is_due(struct stream *stream, int64_t now_ms)
{
        const struct withdrawal withdrawal = heard(stream);
        if (!withdrawal.counter)
                return false;
        if (!withdrawal.over_s || !may_wait(stream))
                return true;
        if (!is_same(&withdrawal, &stream->withdrawal))
                take_note(stream, &withdrawal, now_ms);
        return now_ms >= stream->back_at_ms;
}

int64_t back_wake_ms(const struct stream *stream)
{
        return heard(stream).counter ? stream->back_at_ms : INT64_MAX;
}
