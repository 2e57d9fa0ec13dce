/* The trial: from the reload of the engine until the release is proven or given up. */
#include "agent/stream.h"

#include "platform/file.h"

#include <string.h>

enum {
        BAKE_S_MAX = 366 * 86400,        /* what a policy allows: a server may sign any */
        WATCH_MS = 1000,                 /* longest time between two looks that still counts as watched, twice over */
        SILENCES_MAX = 3,                /* in a row, of an engine that says how often it writes its status */
};

/* What the rollout asked for; the device may ask for more, never for less. */
int64_t trial_bake_ms(const struct stream *stream)
{
        uint64_t lease_s = stream->trial.bake_s < BAKE_S_MAX ? stream->trial.bake_s : BAKE_S_MAX;
        int64_t bake_s = (int64_t)lease_s;
        return (stream->config->bake_s > bake_s ? stream->config->bake_s : bake_s) * 1000;
}

static int64_t load_ms(const struct stream *stream)
{
        int64_t bake = trial_bake_ms(stream);
        return bake > STREAM_LOAD_MS ? bake : STREAM_LOAD_MS;
}

void trial_begin(struct stream *stream)
{
        int64_t now_ms = agent_steady_ms(stream->agent);
        stream->is_loaded = false;
        stream->load_until_ms = now_ms + stream->config->engine.stop_ms + load_ms(stream);
        stream->bake_until_ms = 0;
        stream->watched_ms = now_ms;
        stream->look_at_ms = now_ms;
        probing_begin(stream);
        usage_begin(stream);
        asking_begin(stream);
}

void trial_crash(struct stream *stream, const struct child_end *end, bool is_counted)
{
        const struct slot_stream *now = slots_stream(stream->agent->slots, stream->index);
        if (is_counted && now->crashes < stream->trial.crashes_max) {
                /* The next one has to say anew that it loaded. */
                stream->engine.start_at_ms = stream->look_at_ms = agent_steady_ms(stream->agent);
                stream->load_until_ms = stream->engine.start_at_ms + load_ms(stream);
                stream->is_loaded = false;
                return;
        }
        char text[SLOT_DETAIL_BYTES];
        child_end_text(end, text, sizeof(text));
        stream_harm(stream, SLOT_CRASH, text);
}

static void loaded(struct stream *stream, int64_t now_ms)
{
        stream->is_loaded = true;
        stream->says_again = false;
        stream->said_ms = now_ms;
        probing_loaded(stream, now_ms);
        if (!stream->bake_until_ms)
                stream->bake_until_ms = now_ms + trial_bake_ms(stream);
}

enum engine_load stream_load(const struct stream *stream)
{
        struct engine_status status;
        engine_status(&stream->engine, &status);
        if (stream->engine.unit.has_failed)      /* also of one that did not come up again */
                return ENGINE_SAYS_ERROR;
        if (stream->is_untold || !engine_is_alive(&stream->engine) || engine_is_told(&stream->engine))
                return ENGINE_SAYS_NOTHING;
        if (stream->config->engine.is_self && !self_is_current(stream->agent))
                return ENGINE_SAYS_NOTHING;
        if (!stream->config->engine.status_file)
                return ENGINE_SAYS_OK;
        if (status.load == ENGINE_SAYS_OK && stream->expected[0] && strcmp(status.version, stream->expected) != 0)
                return ENGINE_SAYS_NOTHING;
        return status.load;
}

static bool promises_to_speak(const struct stream *stream)
{
        return stream->config->engine.status_every_ms != 0;
}

/* Between two looks, and before time that was missed is noticed as such, it may well have spoken. */
static bool is_silent(const struct stream *stream, int64_t now_ms)
{
        return promises_to_speak(stream) && stream->is_loaded
               && now_ms - stream->said_ms > SILENCES_MAX * stream->config->engine.status_every_ms + 3 * WATCH_MS;
}

static void well(struct stream *stream, uint64_t mark, int64_t now_ms)
{
        if (!stream->is_loaded) {
                loaded(stream, now_ms);
        } else if (mark != stream->status_mark) {
                stream->says_again = true;
                stream->said_ms = now_ms;
        }
        stream->status_mark = mark;
}

/* "the engine says state=error: no answer from tcp://192.0.2.1:443" */
static void error_text(const struct stream *stream, char text[SLOT_DETAIL_BYTES])
{
        struct engine_status status;
        engine_status(&stream->engine, &status);
        if (!status.reason[0])
                snprintf(text, SLOT_DETAIL_BYTES, "the engine says state=error");
        else
                snprintf(text, SLOT_DETAIL_BYTES, "the engine says %.*s", SLOT_DETAIL_BYTES - 17, status.reason);
}

/* What is wrong with the engine by its own words, or by their absence. False: nothing, so far. */
static bool finds_harm(struct stream *stream, int64_t now_ms, char text[SLOT_DETAIL_BYTES])
{
        enum engine_load load = stream_load(stream);
        /* After it was read: a word that came in between is not counted, and never counted twice. */
        uint64_t mark = promises_to_speak(stream) ? file_mark(stream->config->engine.status_file) : 0;
        if (load == ENGINE_SAYS_OK)
                well(stream, mark, now_ms);
        stream->look_at_ms = now_ms + (stream->is_loaded ? WATCH_MS : STREAM_LOOK_MS);
        if (load == ENGINE_SAYS_ERROR)
                error_text(stream, text);
        else
                snprintf(text, SLOT_DETAIL_BYTES, "the engine no longer writes its status: it hangs");
        return load == ENGINE_SAYS_ERROR || is_silent(stream, now_ms);
}

static bool is_reboot_missing(const struct stream *stream)
{
        return stream->config->needs_reboot && stream->trial.boot == stream->agent->boot;
}

/* A machine that slept, or that was stopped, has proven nothing meanwhile: the bake goes on where it was left. */
static void watch(struct stream *stream, int64_t now_ms)
{
        int64_t missed_ms = now_ms - stream->watched_ms;
        stream->watched_ms = now_ms;
        if (missed_ms <= 2 * WATCH_MS)
                return;
        stream->load_until_ms += missed_ms;
        stream->said_ms += missed_ms;
        stream->bake_until_ms += stream->bake_until_ms ? missed_ms : 0;
}

/* But for the time that it takes. */
static bool may_end_well(const struct stream *stream)
{
        return engine_is_alive(&stream->engine) && !is_reboot_missing(stream) && probing_is_done(stream)
               && (stream->says_again || !promises_to_speak(stream));
}

/* An agent that cannot reach the server could not be mended from there either. */
static bool has_reached_server(const struct stream *stream)
{
        return !stream->config->engine.is_self || stream->agent->self.has_heard;
}

static bool is_baked(const struct stream *stream, int64_t now_ms)
{
        return stream->is_loaded && now_ms >= stream->bake_until_ms && may_end_well(stream) && has_reached_server(stream);
}

void trial_tick(struct stream *stream, int64_t now_ms)
{
        watch(stream, now_ms);
        char text[SLOT_DETAIL_BYTES];
        if ((now_ms >= stream->look_at_ms || is_baked(stream, now_ms)) && finds_harm(stream, now_ms, text)) {
                stream_harm(stream, SLOT_PROBE_FAILED, text);
                return;
        }
        probing_tick(stream, now_ms);
        if (!life_is_busy(stream->life))
                return;
        if (!stream->is_loaded && now_ms >= stream->load_until_ms)
                stream_harm(stream, SLOT_PROBE_FAILED, "the engine did not say that it loaded this version");
        else if (stream->is_loaded && !has_reached_server(stream) && now_ms >= stream->bake_until_ms + SELF_REACH_MS)
                stream_harm(stream, SLOT_PROBE_FAILED, "this agent has not reached the server");
        else if (is_baked(stream, now_ms))
                stream_event(stream, LIFE_BAKED, "");
}

int64_t trial_wake_ms(const struct stream *stream)
{
        int64_t wake = stream->is_loaded ? stream->bake_until_ms : stream->look_at_ms;
        if (stream->is_loaded && !(may_end_well(stream) && has_reached_server(stream)))
                wake = INT64_MAX;
        if (stream->watched_ms + WATCH_MS < wake)
                wake = stream->watched_ms + WATCH_MS;
        int64_t probe = probing_wake_ms(stream);
        return probe < wake ? probe : wake;
}
