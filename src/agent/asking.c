#include "agent/asking.h"

#include "agent/asked.h"
#include "agent/stream.h"
#include "platform/channel.h"
#include "platform/local.h"

enum {
        PAUSE_FIRST_MS = 1000, PAUSE_MAX_MS = 60000,
        SAID_A_MINUTE = 10,              /* denials, and notes, that have a line of their own */
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

/* Neither an engine that asks about each file of a disk nor a process between us that lost its mind may fill the log. */
static void say(struct stream *stream, enum log_event event, const char *what, struct asking_lines *lines)
{
        int64_t minute = agent_steady_ms(stream->agent) / MINUTE_MS;
        char text[WHY_TEXT_MAX];
        if (lines->minute != minute) {
                lines->minute = minute;
                lines->said = 0;
        }
        if (lines->said == SAID_A_MINUTE) {
                lines->unsaid++;
                return;
        }
        lines->said++;
        snprintf(text, sizeof(text), "%.400s", what);
        if (lines->unsaid)
                snprintf(text, sizeof(text), "%.400s (and %u before it)", what, lines->unsaid);
        lines->unsaid = 0;
        agent_note(stream->agent, event, stream, text);
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
                say(stream, EVENT_ACTION_DENIED, answer.reason, &asking->denials);
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
                say(stream, EVENT_BREAKER, message.question.path, &stream->asking.notes);
                return;
        }
        stream->asking.pause_ms = 0;
        decide(stream, &message);
}
