/* The owner's word about what is offered: looked at before anything begins, never once a lease is there. See policy.h. */
#include "agent/policy_facts.h"
#include "agent/refresh.h"
#include "agent/stream.h"
#include "wire/device.h"

#include <string.h>

enum {
        LOOK_MS = 5000,                  /* so old may be what is known of battery and network */
        TELL_MS = 10000,                 /* between two words to the server, however often they change */
        HELD_MS = 60000,                 /* a hold that no date ends is looked at again: a file may say otherwise by then */
};

static uint64_t running(const struct stream *stream)
{
        const struct slots *slots = stream->agent->slots;
        return slots_in(slots, stream->index, (enum slot_id)slots_stream(slots, stream->index)->current)->counter;
}

/* Something is offered that would begin if nobody minded. */
static bool has_question(const struct stream *stream)
{
        const struct offer *offer = &stream->offer;
        return stream->config->policy.is_given && !life_is_busy(stream->life) && offer_admits(offer) && offer->counter != running(stream)
               && !slots_is_denied(stream->agent->slots, stream->index, offer->counter);
}

static enum policy_step step_of(const struct stream *stream)
{
        return stream->life == LIFE_IDLE || stream->life == LIFE_FETCHING ? POLICY_FETCH : POLICY_BEGIN;
}

void holding_offered(struct stream *stream, const struct offer *offer)
{
        struct holding *holding = &stream->holding;
        if (offer->counter >= holding->newest || offer->state == OFFER_NONE) {
                holding->newest = offer->counter;
                holding->before_newest = offer->fallback;
        }
        holding->look_at_ms = 0;
}

uint64_t holding_instead(const struct stream *stream)
{
        return stream->holding.instead;
}

bool holding_holds(const struct stream *stream)
{
        return stream->holding.answer.hold != WIRE_HOLD_NONE;
}

static void say(const struct stream *stream)
{
        char text[POLICY_TEXT_BYTES], line[POLICY_TEXT_BYTES + 32];
        policy_text(&stream->config->policy.rules, &stream->holding.answer, text);
        snprintf(line, sizeof(line), "release %llu: %s", (unsigned long long)stream->offer.counter, text);
        agent_note(stream->agent, EVENT_HELD, stream, line);
}

/* What is being prepared keeps its nonce while its slot is emptied and filled anew; without it, what stands in the record. */
static bool find_unsure(const struct stream *stream, struct slot_release *ret_release)
{
        static const uint8_t zeros[16];
        const struct slot_stream *now = slots_stream(stream->agent->slots, stream->index);
        const struct slot_release *found = stream->life == LIFE_IDLE ? NULL : &stream->release;
        for (unsigned slot = 0; slot < SLOT_FACTORY && !found; slot++)
                if (now->state[slot] == SLOT_STAGED && memcmp(now->release[slot].nonce, zeros, sizeof(zeros)) != 0)
                        found = &now->release[slot];
        if (found)
                *ret_release = *found;
        return found != NULL;
}

/* A lease may have been granted in an answer that was lost; nobody comes for it now, and it must not be taken for a silence. */
static void hand_back(struct stream *stream)
{
        static const char text[] = "held by the policy of this device";
        struct agent *agent = stream->agent;
        struct slot_release release;
        enum slot_id cleared;
        struct why why;
        stream->holding.is_unsure = false;
        if (!find_unsure(stream, &release))
                return;
        stream_cancel(stream, text);
        enum err e = slots_refuse(agent->slots, stream->index, &(struct slot_refusal){ &release, SLOT_DECLINED, false, text, agent_time_s(agent) }, &why);
        if (!e)
                e = slots_clear(agent->slots, stream->index, &cleared, &why);
        if (e)
                agent_note(agent, EVENT_DEVICE_TROUBLE, stream, why.text);
        stream->holding.is_unsure = e != OK;
}

static struct policy_answer decide(const struct stream *stream, int64_t now_s)
{
        const struct agent_policy *policy = &stream->config->policy;
        struct policy_machine machine;
        policy_look(policy, now_s, &machine);
        struct policy_facts facts = policy_facts(&machine, now_s);
        facts.running = running(stream);
        facts.offered = stream->offer.counter;
        facts.newest = stream->holding.newest;
        facts.before_newest = stream->holding.before_newest;
        return policy_decide(&policy->rules, &facts, step_of(stream));
}

static bool is_other(const struct policy_answer *answer, const struct policy_answer *than)
{
        return answer->hold != than->hold || answer->until_s != than->until_s || answer->instead != than->instead;
}

static void answered(struct stream *stream, const struct policy_answer *answer)
{
        struct holding *holding = &stream->holding;
        const bool is_news = answer->hold != holding->answer.hold || (answer->hold && is_other(answer, &holding->answer)) || (answer->hold && holding->offered != stream->offer.counter);
        holding->answer = *answer;
        holding->offered = stream->offer.counter;
        if (answer->instead && answer->instead != holding->instead) {
                holding->instead = answer->instead;
                refresh_want(stream->agent->refresh);
        }
        if (is_news)
                say(stream);
}

void holding_tick(struct stream *stream, int64_t now_ms)
{
        struct holding *holding = &stream->holding;
        const int64_t now_s = agent_time_s(stream->agent);
        if (!has_question(stream)) {
                holding->answer = (struct policy_answer){ WIRE_HOLD_NONE, CALENDAR_NEVER, 0 };
                holding->look_at_ms = 0;
                return;
        }
        const bool is_due = now_ms >= holding->look_at_ms || now_s >= holding->answer.until_s || holding->step != (int)step_of(stream)
                            || holding->offered != stream->offer.counter;
        if (is_due) {
                const struct policy_answer answer = decide(stream, now_s);
                holding->look_at_ms = now_ms + LOOK_MS;
                holding->step = step_of(stream);
                answered(stream, &answer);
        }
        /* Not while an answer is on its way: what it grants has begun. */
        if (holding_holds(stream) && stream->holding.is_unsure && !stream->is_calling)
                hand_back(stream);
}

static bool is_told(const struct stream *stream)
{
        const struct holding *holding = &stream->holding;
        if (!holding_holds(stream))
                return holding->told.hold == WIRE_HOLD_NONE;
        return holding->told.hold == holding->answer.hold && holding->told.until_s == holding->answer.until_s && holding->told.counter == holding->offered;
}

/* A server that does not take it is not asked the same again; one that is away is. */
static void told(void *user, enum err e, const struct fetch_answer *answer)
{
        struct stream *stream = user;
        struct holding *holding = &stream->holding;
        stream->is_calling = false;
        if (e || answer->status >= 500 || answer->status == 401) {
                holding->tell_at_ms = agent_again_ms(stream->agent);
                return;
        }
        holding->tell_at_ms = agent_steady_ms(stream->agent) + TELL_MS;
        holding->told = holding->telling;
}

bool holding_call(struct stream *stream, int64_t now_ms)
{
        struct holding *holding = &stream->holding;
        if (is_told(stream) || stream->is_calling || now_ms < holding->tell_at_ms || life_is_busy(stream->life))
                return false;
        const bool holds = holding_holds(stream);
        holding->telling = (struct hold_said){ holding->answer.hold, holding->answer.until_s, holds ? holding->offered : holding->told.counter };
        struct wire_held held = { .counter = (int64_t)holding->telling.counter };
        held.until = holds && holding->answer.until_s != CALENDAR_NEVER ? holding->answer.until_s : 0;
        snprintf(held.stream, sizeof(held.stream), "%s", stream->config->name);
        snprintf(held.reason, sizeof(held.reason), "%s", wire_hold_word(holding->answer.hold));
        OWN(buf) struct buf body;
        buf_init(&body, LIMIT_DEVICE_REQUEST_BYTES - 1);
        wire_held_write(&held, &body);
        stream->is_calling = true;
        caller_post(stream->agent->caller, &(struct caller_post){ "/v1/holds", buf_text(&body), FETCH_ACK, true }, told, stream);
        return true;
}

int64_t holding_wake_ms(const struct stream *stream, int64_t now_ms)
{
        const struct holding *holding = &stream->holding;
        const bool may_tell = !is_told(stream) && !stream->is_calling && !life_is_busy(stream->life) && caller_is_free(stream->agent->caller, now_ms);
        if (may_tell || !holding_holds(stream))
                return may_tell ? holding->tell_at_ms : INT64_MAX;
        const int64_t left_s = holding->answer.until_s - agent_time_s(stream->agent);
        return now_ms + (left_s < HELD_MS / 1000 ? left_s * 1000 : HELD_MS);
}
