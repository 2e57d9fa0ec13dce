#include "agent/probing.h"

#include "agent/probe_kinds.h"
#include "agent/stream.h"

#include <string.h>

enum {
        FAILURES_MAX = 2,                /* in a row: one may be the engine's start */
        BEFORE_GOOD_MS = 60000,          /* who waits long for a lease is not held to what others did meanwhile */
};

static size_t count(const struct stream *stream)
{
        return stream->config->probes.count;
}

static bool is_first_round(const struct stream *stream)
{
        return stream->probing.passed < count(stream);
}

/* The first round fits into the bake: nothing is proven that was not probed. */
static int64_t pause_ms(const struct stream *stream)
{
        int64_t round = trial_bake_ms(stream) / (int64_t)(count(stream) + 1);
        return is_first_round(stream) && round < stream->config->probe_every_ms ? round : stream->config->probe_every_ms;
}

bool probing_is_done(const struct stream *stream)
{
        const struct probing *probing = &stream->probing;
        return !is_first_round(stream) && !probing->failures && !probing->probe.child.pid && usage_is_well(stream);
}

static void say(void *user, const char *line)
{
        const struct stream *stream = user;
        agent_note(stream->agent, EVENT_ENGINE_SAYS, stream, line);
}

void probing_listen(struct stream *stream)
{
        probe_listen(&stream->probing.probe, agent_steady_ms(stream->agent), say, stream);
}

static void word_of_before(const struct stream *stream, size_t number, char word[static BEFORE_WORD_BYTES])
{
        const struct agent_probe *probe = agent_config_probe(stream->config, number);
        const struct before *before = &stream->probing.before;
        const char *engine = stream->config->engine.unit;
        const struct unit_since since = { before->boot != stream->agent->boot, engine && probe->unit && strcmp(engine, probe->unit) == 0 };
        if (probe->kind == PROBE_UNIT)
                unit_word_since(before->words[number], &since, word);
        else
                snprintf(word, BEFORE_WORD_BYTES, "%s", before->words[number]);
}

static enum err start(struct stream *stream, size_t number, bool is_before, struct why *why)
{
        struct probing *probing = &stream->probing;
        const struct agent_probe *probe = agent_config_probe(stream->config, number);
        char places[3][1024], was[BEFORE_WORD_BYTES];
        const struct engine_words words = stream_words(stream, SLOT_NONE, &places);
        word_of_before(stream, number, was);
        const struct probe_of of = {
                .config_path = stream->agent->config_path, .config_copy = stream->agent->config_copy, .stream = stream->config->name, .probe = probe, .number = number, .is_before = is_before,
                .was = was, .words = &words, .errors = stream->engine.errors,
        };
        return probe_start(&of, agent_steady_ms(stream->agent), &probing->probe, why);
}

static bool compares(const struct stream *stream, size_t number)
{
        enum agent_probe_kind kind = agent_config_probe(stream->config, number)->kind;
        return kind == PROBE_FILES || kind == PROBE_UNIT;
}

/* The next one of those that compare; count(): there is none. */
static size_t next_to_ask(const struct stream *stream, size_t from)
{
        while (from < count(stream) && !compares(stream, from))
                from++;
        return from;
}

bool probing_is_ready(const struct stream *stream, int64_t now_ms)
{
        const struct probing *probing = &stream->probing;
        return next_to_ask(stream, 0) == count(stream) || (probing->before_ms && now_ms - probing->before_ms < BEFORE_GOOD_MS);
}

/* A file that is not there cannot be taken away, nor a unit ended that does not run: somebody should know that it is watched in vain. */
static void took(struct stream *stream, const struct probe_end *end)
{
        struct probing *probing = &stream->probing;
        const char *word = probing->probe.line;
        char text[80];
        size_t number = probing->next_before;
        if (!end->has_passed || !before_is_word(word)) {
                agent_note(stream->agent, EVENT_DEVICE_TROUBLE, stream, end->text);
                return;
        }
        memcpy(probing->taking.words[number], word, strlen(word) + 1);
        if (!strchr(word, '-'))
                return;
        const bool is_unit = agent_config_probe(stream->config, number)->kind == PROBE_UNIT;
        snprintf(text, sizeof(text), is_unit ? "probe %zu watches a unit that is down before the release comes" : "probe %zu lists a file that is not there", number + 1);
        agent_note(stream->agent, EVENT_DEVICE_TROUBLE, stream, text);
}

/* What the disk does not take counts until the next restart. */
static void took_all(struct stream *stream, int64_t now_ms)
{
        struct probing *probing = &stream->probing;
        struct why why;
        bool is_same = memcmp(&probing->before, &probing->taking, sizeof(probing->before)) == 0;
        probing->before = probing->taking;
        probing->before_ms = now_ms;
        if (!is_same && before_keep(stream->agent->disk, stream->config->name, &probing->before, &why))
                agent_note(stream->agent, EVENT_DEVICE_TROUBLE, stream, why.text);
}

void probing_prepare(struct stream *stream, int64_t now_ms)
{
        struct probing *probing = &stream->probing;
        struct probe_end end;
        struct why why;
        if (probing_is_ready(stream, now_ms))
                return;
        if (probing->probe.child.pid) {
                probing_listen(stream);
                if (!probe_ended(&probing->probe, now_ms, &end))
                        return;
                took(stream, &end);
                probing->next_before++;
        } else {
                probing->taking = (struct before){ .boot = stream->agent->boot, .probes = before_probes(stream->config) };
                probing->next_before = 0;
        }
        for (size_t number; (number = next_to_ask(stream, probing->next_before)) < count(stream); probing->next_before = number + 1) {
                probing->next_before = number;
                if (start(stream, number, true, &why) == OK)
                        return;
                agent_note(stream->agent, EVENT_DEVICE_TROUBLE, stream, why.text);
        }
        took_all(stream, now_ms);
}

void probing_open(struct stream *stream)
{
        struct before before;
        if (before_read(stream->agent->disk, stream->config->name, &before) && before.probes == before_probes(stream->config))
                stream->probing.before = before;
}

void probing_begin(struct stream *stream)
{
        struct probing *probing = &stream->probing;
        probe_kill(&probing->probe);
        probing->next = probing->passed = 0;
        probing->failures = 0;
        probing->before_ms = 0;
}

void probing_loaded(struct stream *stream, int64_t now_ms)
{
        stream->probing.at_ms = now_ms + pause_ms(stream);
}

/* The one that failed is tried again, so that another one's success does not hide it. */
static void result(struct stream *stream, const char *failure, int64_t now_ms)
{
        struct probing *probing = &stream->probing;
        probing->failures = failure ? probing->failures + 1 : 0;
        if (probing->failures >= FAILURES_MAX) {
                stream_harm(stream, SLOT_PROBE_FAILED, failure);
                return;
        }
        if (!failure) {
                probing->passed++;
                probing->next = (probing->next + 1) % count(stream);
        }
        probing->at_ms = now_ms + pause_ms(stream);
}

/* That of resources is watched all the time: its turn says nothing, and no other one waits for it. See probing_is_done(). */
static void take_turn(struct stream *stream, int64_t now_ms)
{
        struct probing *probing = &stream->probing;
        struct why why;
        char text[SLOT_DETAIL_BYTES];
        if (agent_config_probe(stream->config, probing->next)->kind == PROBE_RESOURCES) {
                result(stream, NULL, now_ms);
                return;
        }
        if (start(stream, probing->next, false, &why) == OK)
                return;
        snprintf(text, sizeof(text), "probe: %.80s", why.text);
        agent_note(stream->agent, EVENT_DEVICE_TROUBLE, stream, text);
        result(stream, text, now_ms);
}

void probing_tick(struct stream *stream, int64_t now_ms)
{
        struct probing *probing = &stream->probing;
        struct probe_end end;
        if (probing->probe.child.pid) {
                probing_listen(stream);
                if (probe_ended(&probing->probe, now_ms, &end))
                        result(stream, end.has_passed ? NULL : end.text, now_ms);
        } else if (count(stream) && now_ms >= probing->at_ms && stream->is_loaded) {
                take_turn(stream, now_ms);
        }
}

int64_t probing_wake_ms(const struct stream *stream)
{
        const struct probing *probing = &stream->probing;
        if (probing->probe.child.pid)
                return probing->probe.until_ms;
        return life_is_busy(stream->life) && stream->is_loaded && count(stream) ? probing->at_ms : INT64_MAX;
}
