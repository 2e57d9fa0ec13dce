#include "agent/asking.h"

#include "agent/asked.h"
#include "agent/stream.h"
#include "platform/channel.h"
#include "platform/local.h"

enum {
        PAUSE_FIRST_MS = 1000, PAUSE_MAX_MS = 60000,
        SAID_A_MINUTE = 10,              /* denials that have a line of their own */
        MINUTE_MS = 60000,
        CHILD_MEMORY_BYTES = 1 << 30, CHILD_FILES = 64,
};

static bool has_breaker(const struct stream *stream)
{
        return stream->config->breaker.socket;
}

void asking_open(struct stream *stream)
{
        const struct agent_breaker *config = &stream->config->breaker;
        stream->asking = (struct asking){ .channel = -1, .start_at_ms = agent_steady_ms(stream->agent) };
        if (has_breaker(stream))
                breaker_init(&stream->asking.breaker, (unsigned)config->actions_max, config->window_s * 1000);
}

void asking_done(struct stream *stream)
{
        if (!has_breaker(stream))
                return;
        channel_close(stream->asking.channel);
        stream->asking.channel = -1;
        child_kill(&stream->asking.child);
        stream->asking.start_at_ms = INT64_MAX;
}

void asking_begin(struct stream *stream)
{
        stream->asking.is_at_work = false;
        stream->asking.begun_ms = agent_steady_ms(stream->agent);
}

static void lost(struct stream *stream)
{
        struct asking *asking = &stream->asking;
        channel_close(asking->channel);
        asking->channel = -1;
        child_kill(&asking->child);
        asking->pause_ms = !asking->pause_ms ? PAUSE_FIRST_MS : 2 * asking->pause_ms < PAUSE_MAX_MS ? 2 * asking->pause_ms : PAUSE_MAX_MS;
        asking->start_at_ms = agent_steady_ms(stream->agent) + asking->pause_ms;
        agent_note(stream->agent, EVENT_DEVICE_TROUBLE, stream, "the process that the engine asks has ended; it is started again, and until then engines get no answer");
}

static enum err start(struct stream *stream, struct why *why)
{
        struct asking *asking = &stream->asking;
        int ends[2];
        enum err e = channel_open(ends, why);
        if (e)
                return e;
        const char *const argv[] = { child_self, "answer", "--config", stream->agent->config_path, "--stream", stream->config->name, NULL };
        const struct child_limits limits = { .memory_bytes = CHILD_MEMORY_BYTES, .files = CHILD_FILES };
        e = child_start(&(struct child_setup){ argv, ends[1], -1, -1, &limits, NULL, NULL }, &asking->child, why);
        channel_close(ends[1]);
        if (e)
                channel_close(ends[0]);
        else
                asking->channel = ends[0];
        return e;
}

void asking_tick(struct stream *stream, int64_t now_ms)
{
        struct asking *asking = &stream->asking;
        struct why why;
        if (!has_breaker(stream) || asking->channel >= 0 || now_ms < asking->start_at_ms)
                return;
        if (start(stream, &why)) {
                agent_note(stream->agent, EVENT_DEVICE_TROUBLE, stream, why.text);
                lost(stream);
        }
}

int64_t asking_wake_ms(const struct stream *stream)
{
        return has_breaker(stream) && stream->asking.channel < 0 ? stream->asking.start_at_ms : INT64_MAX;
}

/* Is what the record says at work, as far as the engine tells, which was told at `told_ms`? */
static bool has_loaded(const struct stream *stream, int64_t told_ms, int64_t now_ms)
{
        if (!engine_is_alive(&stream->engine))
                return false;
        return stream->config->engine.status_file ? stream_load(stream) == ENGINE_SAYS_OK : !stream->settles_by_ms && now_ms - told_ms >= STREAM_SETTLE_MS;
}

/* Is the content before the tripped one at work again? */
static bool is_back(const struct stream *stream, int64_t now_ms)
{
        return !life_is_busy(stream->life) && has_loaded(stream, stream->asking.tripped_ms, now_ms);
}

/* Is it a release on trial that acts? What the content before goes on with while the engine loads is not the release's, which may be the cure for it. */
static bool is_blamed(struct stream *stream, int64_t now_ms)
{
        struct asking *asking = &stream->asking;
        if (!life_is_busy(stream->life))
                return false;
        if (!asking->is_at_work && has_loaded(stream, asking->begun_ms, now_ms)) {
                asking->is_at_work = true;
                breaker_begin(&asking->breaker);
        }
        return asking->is_at_work;
}

/* An engine that asks about each file of a disk must not fill it with what we say about it. */
static void say_denied(struct stream *stream, const char *reason, int64_t now_ms)
{
        struct asking *asking = &stream->asking;
        char text[BREAKER_REASON_BYTES + 48];
        if (asking->minute != now_ms / MINUTE_MS) {
                asking->minute = now_ms / MINUTE_MS;
                asking->said = 0;
        }
        if (asking->said == SAID_A_MINUTE) {
                asking->unsaid++;
                return;
        }
        asking->said++;
        snprintf(text, sizeof(text), "%s", reason);
        if (asking->unsaid)
                snprintf(text, sizeof(text), "%s (and %u before it)", reason, asking->unsaid);
        asking->unsaid = 0;
        agent_note(stream->agent, EVENT_ACTION_DENIED, stream, text);
}

static void decide(struct stream *stream, const struct asked_message *message)
{
        struct asking *asking = &stream->asking;
        int64_t now_ms = agent_steady_ms(stream->agent);
        struct asked_answer answer = { .version = ASKED_VERSION };
        asking->breaker.is_tripped = asking->breaker.is_tripped && !is_back(stream, now_ms);
        const struct breaker_question question = {
                message->question.action, message->question.path, (enum breaker_file)message->file, is_blamed(stream, now_ms), now_ms,
        };
        enum breaker_verdict verdict = breaker_ask(&asking->breaker, &question, answer.reason);
        answer.is_allowed = verdict == BREAKER_ALLOW;
        /* Before the roll-back, which writes to a disk: the engine waits for this. */
        bool is_told = local_give(asking->channel, &answer, sizeof(answer));
        if (verdict == BREAKER_TRIP) {
                asking->tripped_ms = now_ms;
                stream_harm(stream, SLOT_ACTION_STORM, answer.reason);
        } else if (verdict == BREAKER_DENY) {
                say_denied(stream, answer.reason, now_ms);
        }
        if (!is_told)
                lost(stream);
}

void asking_take(struct stream *stream)
{
        struct asked_message message;
        size_t length = 0;
        enum local_taken taken = local_take(stream->asking.channel, &message, sizeof(message), &length);
        if (taken == LOCAL_NOTHING)
                return;
        if (taken != LOCAL_MESSAGE || !asked_is_sound(&message, length)) {
                lost(stream);
                return;
        }
        if (message.kind == ASKED_NOTE) {
                agent_note(stream->agent, EVENT_BREAKER, stream, message.question.path);
                return;
        }
        stream->asking.pause_ms = 0;
        decide(stream, &message);
}
