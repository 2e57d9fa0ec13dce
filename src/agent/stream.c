#include "agent/stream.h"

#include "agent/content.h"
#include "platform/system.h"

#include <string.h>

enum {
        SHUTDOWN_SPREAD_MS = 100,        /* between two processes that are told to end */
        RUNS_WELL_MS = 60000,            /* of an engine: crashes before that count as in a row */
        GOOD_CRASHES_MAX = 5,            /* in a row, of content that was good: then one level down */
        RETRY_FIRST_MS = 1000, RETRY_MAX_MS = 600000,
};

static enum slot_id current_slot(const struct stream *stream)
{
        return (enum slot_id)slots_stream(stream->agent->slots, stream->index)->current;
}

struct engine_words stream_words(const struct stream *stream, enum slot_id candidate, char (*storage)[3][1024])
{
        const char *state = stream->agent->config->state_dir, *name = stream->config->name;
        snprintf((*storage)[0], sizeof((*storage)[0]), "%s/streams/%s", state, name);
        if (stream->is_off_link)
                snprintf((*storage)[1], sizeof((*storage)[1]), "%s/%s", state, content_slot(name, current_slot(stream)).text);
        else
                snprintf((*storage)[1], sizeof((*storage)[1]), "%s/streams/%s/current", state, name);
        snprintf((*storage)[2], sizeof((*storage)[2]), "%s/%s", state, content_slot(name, candidate).text);
        return (struct engine_words){ (*storage)[0], (*storage)[1], (*storage)[2], NULL };
}

enum err stream_switch(struct stream *stream, struct why *why)
{
        struct agent *agent = stream->agent;
        int64_t now_ms = agent_steady_ms(agent);
        enum err e = content_settle(agent->disk, agent->slots, stream->index, why);
        content_version(agent->disk, agent->slots, stream->index, stream->expected);
        stream->is_loaded = stream->is_untold = false;
        if (!engine_is_alive(&stream->engine))
                stream->engine.start_at_ms = now_ms;     /* no pause for new content */
        /* Where the link is not, or was not, what the engine follows, only a start gives it another folder. */
        if ((e || stream->is_off_link) && engine_restart(&stream->engine, now_ms))
                return e;
        return e ? e : engine_reload(&stream->engine, now_ms, why);
}

/* What an action could not do is said and tried again at the next start; the record is right in any case. */
static void complain(const struct stream *stream, enum log_event event, enum err e, const struct why *why)
{
        if (e)
                agent_note(stream->agent, event, stream, why->text);
}

static void act_fetch(struct stream *stream)
{
        candidate_fetch(stream);
}

static void act_unpack(struct stream *stream)
{
        candidate_unpack(stream);
}

static void act_preflight(struct stream *stream)
{
        candidate_preflight(stream);
}

static void act_ask(struct stream *stream)
{
        stream->ask_at_ms = agent_steady_ms(stream->agent);
}

static void act_arm(struct stream *stream)
{
        struct agent *agent = stream->agent;
        struct why why;
        enum err e = slots_arm(agent->slots, stream->index, &stream->trial, &why);
        if (!e)
                e = content_settle(agent->disk, agent->slots, stream->index, &why);
        if (e)
                stream->harm_kind = SLOT_PROBE_FAILED;
        stream_event(stream, e ? LIFE_FAILED : LIFE_SWITCHED, e ? why.text : "");
}

static void act_reload(struct stream *stream)
{
        struct why why;
        enum err e = stream_switch(stream, &why);
        trial_begin(stream);
        if (e)
                stream_harm(stream, SLOT_PROBE_FAILED, why.text);
}

static void act_shadow(struct stream *stream)
{
        struct why why;
        enum err e = slots_arm(stream->agent->slots, stream->index, &stream->trial, &why);
        if (!e) {
                e = stream_switch(stream, &why);
                trial_begin(stream);
        }
        if (e)
                stream_harm(stream, SLOT_PROBE_FAILED, why.text);
}

static void act_prove(struct stream *stream)
{
        struct agent *agent = stream->agent;
        struct why why;
        bool is_exposure = stream->trial.lease == SLOT_LEASE_EXPOSURE;
        enum err e = slots_prove(agent->slots, stream->index, agent_time_s(agent), &why);
        complain(stream, EVENT_DEVICE_TROUBLE, e, &why);
        if (e) {
                /* The trial stands in the record; it is proven again a little later. */
                stream->life = is_exposure ? LIFE_PROBATION : LIFE_SHADOW;
                stream->bake_until_ms = agent_steady_ms(agent) + RETRY_FIRST_MS;
                return;
        }
        stream->retry_pause_ms = 0;
        candidate_drop(stream);
        if (is_exposure)                 /* after a shadow the candidate comes back */
                candidate_tidy(stream);
}

/* From here on the engine has so long to say that it loaded what the record says. */
static void watch_load(struct stream *stream, int64_t now_ms, bool may_hang)
{
        stream->look_at_ms = now_ms;
        stream->load_by_ms = now_ms + STREAM_LOAD_MS;
        stream->is_restarted = false;
        stream->may_hang = may_hang;
}

/* Back to what the record says, with or without an engine that lives. One that failed a probe, or acted too much, and does not say what it has loaded
 * is started anew, and one that took too much: a reload does not make it give that back. */
static void settle_down(struct stream *stream, enum slot_kind kind)
{
        int64_t now_ms = agent_steady_ms(stream->agent);
        struct why why;
        complain(stream, EVENT_DEVICE_TROUBLE, stream_switch(stream, &why), &why);
        rechecking_begin(stream);
        candidate_drop(stream);
        if (stream->trial.lease != SLOT_LEASE_SHADOW)
                candidate_tidy(stream);
        bool has_status = stream->config->engine.status_file;
        if (engine_is_alive(&stream->engine) && (kind == SLOT_RESOURCE || ((kind == SLOT_PROBE_FAILED || kind == SLOT_ACTION_STORM) && !has_status)))
                (void)engine_restart(&stream->engine, now_ms);
        if (has_status)
                watch_load(stream, now_ms, true);
}

static void act_retry(struct stream *stream)
{
        int64_t pause = stream->retry_pause_ms ? stream->retry_pause_ms * 2 : RETRY_FIRST_MS;
        stream->retry_pause_ms = pause < RETRY_MAX_MS ? pause : RETRY_MAX_MS;
        stream->retry_at_ms = agent_steady_ms(stream->agent) + agent_jitter_ms(stream->agent, stream->retry_pause_ms);
        candidate_drop(stream);
}

static void act_fall_back(struct stream *stream)
{
        struct agent *agent = stream->agent;
        struct why why;
        if (!slots_on_trial(agent->slots, stream->index)) {      /* the attempt never reached the disk */
                act_retry(stream);
                return;
        }
        const struct slot_harm harm = { stream->harm_kind, stream->text, agent_time_s(agent) };
        complain(stream, EVENT_DEVICE_TROUBLE, slots_give_up(agent->slots, stream->index, &harm, &why), &why);
        settle_down(stream, harm.kind);
}

static bool runs(const struct stream *stream, uint64_t counter)
{
        const struct slot_stream *now = slots_stream(stream->agent->slots, stream->index);
        const struct slot_release *release = slots_in(stream->agent->slots, stream->index, (enum slot_id)now->current);
        return counter && release->counter == counter;
}

static void act_roll_back(struct stream *stream)
{
        struct agent *agent = stream->agent;
        struct why why;
        complain(stream, EVENT_DEVICE_TROUBLE, slots_withdraw(agent->slots, stream->index, back_from(stream), agent_time_s(agent), &why), &why);
        settle_down(stream, SLOT_KIND_NONE);
}

static void say_level(const struct stream *stream, const char *text)
{
        char line[SLOT_DETAIL_BYTES + 16];
        snprintf(line, sizeof(line), "%s: %s", slot_name(current_slot(stream)), text);
        agent_note(stream->agent, EVENT_LEVEL_DOWN, stream, line);
}

static void slot_is_damaged(struct stream *stream, const char *text)
{
        struct agent *agent = stream->agent;
        struct why why;
        complain(stream, EVENT_DEVICE_TROUBLE, slots_damaged(agent->slots, stream->index, &(struct slot_damage){ text, agent_time_s(agent) }, &why), &why);
        say_level(stream, text);
}

static void act_go_down(struct stream *stream)
{
        slot_is_damaged(stream, stream->text);
        settle_down(stream, SLOT_KIND_NONE);
}

static void act_refuse(struct stream *stream)
{
        struct agent *agent = stream->agent;
        struct why why;
        const struct slot_refusal refusal = {
                .release = &stream->release, .outcome = stream->refusal, .is_final = true, .detail = stream->text, .now_s = agent_time_s(agent),
        };
        complain(stream, EVENT_DEVICE_TROUBLE, slots_refuse(agent->slots, stream->index, &refusal, &why), &why);
        candidate_drop(stream);
        candidate_tidy(stream);
}

static void act_drop(struct stream *stream)
{
        candidate_drop(stream);
}

static void (*const actions[LIFE_ACTIONS])(struct stream *stream) = {
        [LIFE_FETCH] = act_fetch,         [LIFE_UNPACK] = act_unpack,       [LIFE_DO_PREFLIGHT] = act_preflight,
        [LIFE_ASK] = act_ask,             [LIFE_ARM] = act_arm,             [LIFE_DO_SHADOW] = act_shadow,
        [LIFE_RELOAD] = act_reload,       [LIFE_PROVE] = act_prove,         [LIFE_FALL_BACK] = act_fall_back,
        [LIFE_ROLL_BACK] = act_roll_back, [LIFE_GO_DOWN] = act_go_down,     [LIFE_REFUSE] = act_refuse,
        [LIFE_RETRY] = act_retry,         [LIFE_DROP] = act_drop,
};

void stream_event(struct stream *stream, enum life_event event, const char *text)
{
        struct life_step step;
        struct why why;
        if (life_next(stream->life, event, &step, &why)) {
                agent_note(stream->agent, EVENT_DEVICE_TROUBLE, stream, why.text);
                return;
        }
        char line[WHY_TEXT_MAX];
        snprintf(line, sizeof(line), "%s, %s -> %s%s%.300s", life_event_name(event), life_state_name(stream->life),
                 life_state_name(step.to), text[0] ? ": " : "", text);
        agent_note(stream->agent, EVENT_RELEASE, stream, line);
        if (text != stream->text)
                snprintf(stream->text, sizeof(stream->text), "%s", text);
        stream->life = step.to;
        actions[step.action](stream);
}

void stream_harm(struct stream *stream, enum slot_kind kind, const char *text)
{
        stream->harm_kind = kind;
        stream_event(stream, LIFE_HARMED, text);
}

static bool is_same(const struct stream *stream, const struct offer *offer)
{
        return stream->release.counter == offer->counter && memcmp(stream->release.target, offer->target, sizeof(offer->target)) == 0;
}

static bool has_candidate(const struct stream *stream)
{
        return stream->life > LIFE_IDLE && stream->life < LIFE_ARMED;
}

void stream_cancel(struct stream *stream, const char *text)
{
        if (has_candidate(stream))
                stream_event(stream, LIFE_CANCELLED, text);
}

void stream_keys_changed(struct stream *stream, bool of_content)
{
        stream->retry_pause_ms = stream->retry_at_ms = 0;
        if (of_content)
                stream_cancel(stream, "to be judged by the newer anchor");
}

void stream_offer(struct stream *stream, const struct offer *offer)
{
        stream->offer = *offer;
        holding_offered(stream, offer);
        /* It was found before the trial began: once that is proven it must not be led back. */
        if ((stream->life == LIFE_ARMED || stream->life == LIFE_PROBATION) && offer->state == OFFER_GO && offer->counter < stream->release.counter)
                stream->offer.state = OFFER_HOLD;
        if (offer->state == OFFER_GO && !is_same(stream, offer))
                stream->retry_pause_ms = stream->retry_at_ms = 0;        /* that was about another release */
        if (has_candidate(stream) && (offer->state == OFFER_NONE || offer->state == OFFER_WITHDRAW || !is_same(stream, offer)))
                stream_event(stream, LIFE_CANCELLED, "no longer offered");
}

/* A release that we should have: admitted, new to us, not given up, and nothing else under way. */
static bool is_wanted(const struct stream *stream, int64_t now_ms)
{
        const struct offer *offer = &stream->offer;
        return stream->life == LIFE_IDLE && offer_admits(offer) && !holding_holds(stream) && now_ms >= stream->retry_at_ms
               && !runs(stream, offer->counter) && !slots_is_denied(stream->agent->slots, stream->index, offer->counter);
}

static void offered(struct stream *stream)
{
        /* The same release as before keeps its nonce, so that a lease that was granted and lost is given again. */
        const struct slot_stream *now = slots_stream(stream->agent->slots, stream->index);
        struct slot_release release = { .counter = stream->offer.counter };
        memcpy(release.target, stream->offer.target, sizeof(release.target));
        static const uint8_t zeros[16];
        for (unsigned slot = 0; slot < SLOT_FACTORY; slot++)
                if (now->state[slot] == SLOT_STAGED && memcmp(now->release[slot].target, release.target, sizeof(release.target)) == 0)
                        memcpy(release.nonce, now->release[slot].nonce, sizeof(release.nonce));
        stream->holding.is_unsure = memcmp(release.nonce, zeros, sizeof(zeros)) != 0;
        if (!stream->holding.is_unsure)
                stream->agent->random->ops->fill(stream->agent->random, release.nonce, sizeof(release.nonce));
        stream->release = release;
        stream->refused_pause_ms = 0;
        char text[32];
        snprintf(text, sizeof(text), "release %llu", (unsigned long long)release.counter);
        stream_event(stream, LIFE_OFFERED, text);
}

/* A release runs, not the factory copy, which may well be empty. */
static bool runs_release(const struct stream *stream)
{
        return current_slot(stream) < SLOT_FACTORY;
}

/* Never on what the record does not name: where the link cannot be set right, {current} is the folder itself. */
static enum err start_on_record(struct stream *stream, int64_t now_ms, struct why *why)
{
        struct agent *agent = stream->agent;
        char places[3][1024];
        enum err e = content_settle(agent->disk, agent->slots, stream->index, why);
        stream->is_off_link = e != OK || !system_has(SYSTEM_LINKS);
        if (e) {
                char text[WHY_TEXT_MAX];
                snprintf(text, sizeof(text), "%.300s: until then {current} is the folder %s itself", why->text, slot_name(current_slot(stream)));
                agent_note(agent, EVENT_DEVICE_TROUBLE, stream, text);
        }
        const struct engine_words words = stream_words(stream, SLOT_NONE, &places);
        return engine_start(&stream->engine, &words, now_ms, why);
}

static void start_engine(struct stream *stream, int64_t now_ms)
{
        struct agent *agent = stream->agent;
        struct why why;
        enum err e = slots_count_start(agent->slots, stream->index, &why);
        if (e)
                complain(stream, EVENT_DEVICE_TROUBLE, e, &why);
        e = start_on_record(stream, now_ms, &why);
        complain(stream, EVENT_ENGINE_ABSENT, e, &why);
        stream->forgive_at_ms = now_ms + RUNS_WELL_MS;
        stream->settles_by_ms = now_ms + (stream->config->engine.status_file ? STREAM_LOAD_MS : STREAM_SETTLE_MS);
        if (stream->config->engine.status_file && runs_release(stream) && !life_is_busy(stream->life) && !stream->load_by_ms)
                watch_load(stream, now_ms, false);
}

/* Content that was good fails now: one level down, and say so. */
static void level_down(struct stream *stream, enum slot_kind kind, const char *text)
{
        struct agent *agent = stream->agent;
        struct why why;
        enum err e = slots_descend(agent->slots, stream->index, &(struct slot_harm){ kind, text, agent_time_s(agent) }, &why);
        if (!e)
                e = stream_switch(stream, &why);
        complain(stream, EVENT_DEVICE_TROUBLE, e, &why);
        say_level(stream, text);
        rechecking_begin(stream);
}

/* A candidate that is being prepared goes on. */
void stream_damaged(struct stream *stream, const char *text)
{
        struct why why;
        if (life_is_busy(stream->life)) {
                stream_event(stream, LIFE_DAMAGED, text);
                return;
        }
        slot_is_damaged(stream, text);
        complain(stream, EVENT_DEVICE_TROUBLE, stream_switch(stream, &why), &why);
        rechecking_begin(stream);
        if (stream->config->engine.status_file)
                watch_load(stream, agent_steady_ms(stream->agent), true);
}

static void good_crashed(struct stream *stream, const char *text)
{
        const struct slot_stream *now = slots_stream(stream->agent->slots, stream->index);
        if (now->crashes >= GOOD_CRASHES_MAX && now->current != SLOT_NONE)
                level_down(stream, SLOT_CRASH, text);
}

/* An engine that a release left hanging, deaf to the signal that called it back, is started anew; one that only takes its time at its start
 * is not. One that says, twice, that it cannot load a release that was good (its files may have gone bad) goes down one level. */
static void not_loaded(struct stream *stream, enum engine_load load, int64_t now_ms)
{
        bool may_restart = !stream->is_restarted && (stream->may_hang || load == ENGINE_SAYS_ERROR);
        stream->load_by_ms = 0;
        if (may_restart && engine_restart(&stream->engine, now_ms)) {
                agent_note(stream->agent, EVENT_DEVICE_TROUBLE, stream, "the engine does not say that it loaded its content: it is started again");
                stream->load_by_ms = now_ms + stream->config->engine.stop_ms + STREAM_LOAD_MS;
                stream->is_restarted = true;
        } else if (load == ENGINE_SAYS_ERROR && runs_release(stream)) {
                level_down(stream, SLOT_PROBE_FAILED, "the engine says state=error");
                watch_load(stream, now_ms, true);
        } else {
                agent_note(stream->agent, EVENT_DEVICE_TROUBLE, stream, "the engine does not say that it loaded its content: look at it");
        }
}

static void look_at_load(struct stream *stream, int64_t now_ms)
{
        if (life_is_busy(stream->life))
                stream->load_by_ms = 0;          /* the trial looks by itself */
        if (!stream->load_by_ms || now_ms < stream->look_at_ms)
                return;
        stream->look_at_ms = now_ms + STREAM_LOOK_MS;
        enum engine_load load = stream_load(stream);
        if (load == ENGINE_SAYS_OK)
                stream->load_by_ms = 0;
        else if (now_ms >= stream->load_by_ms)
                not_loaded(stream, load, now_ms);
}

/* A signal that comes before its handler would kill it, and the release that we reload for would be blamed. */
static void look_whether_it_settled(struct stream *stream, int64_t now_ms)
{
        struct engine_status status = { 0 };
        if (!stream->settles_by_ms)
                return;
        engine_status(&stream->engine, &status);
        if (status.load != ENGINE_SAYS_NOTHING || now_ms >= stream->settles_by_ms)
                stream->settles_by_ms = 0;
}

static bool is_started_by_others(const struct stream *stream)
{
        return stream->config->engine.unit || stream->config->engine.pid_file;
}

/* It may have started before we set the link right, or the supervisor before us ended between the record and the word to the engine. In a trial
 * of an earlier start of the machine the engine began after the guard. */
static bool may_be_untold(const struct stream *stream, bool was_settled)
{
        const struct agent *agent = stream->agent;
        const bool is_armed_here = slots_on_trial(agent->slots, stream->index) && stream->trial.boot == agent->boot && !stream->config->needs_reboot;
        return is_started_by_others(stream) && (!was_settled || is_armed_here);
}

static void tell_what_runs(struct stream *stream)
{
        struct why why;
        if (!stream->is_untold || stream->settles_by_ms || !engine_is_alive(&stream->engine))
                return;
        complain(stream, EVENT_DEVICE_TROUBLE, stream_switch(stream, &why), &why);
        if (life_is_busy(stream->life))
                trial_begin(stream);
}

/* Whoever shuts the device down may tell the engine before us. */
static bool may_be_a_shutdown(const struct child_end *end)
{
        enum { EXIT_TERM = 128 + 15, SIGNAL_TERM = 15 };
        return end->is_signal ? end->code == SIGNAL_TERM : end->code == 0 || end->code == EXIT_TERM;
}

static void watch_engine(struct stream *stream, int64_t now_ms)
{
        struct agent *agent = stream->agent;
        struct child_end end;
        if (engine_died(&stream->engine, now_ms, &end) && !(may_be_a_shutdown(&end) && agent_ends(agent, SHUTDOWN_SPREAD_MS))) {
                char text[SLOT_DETAIL_BYTES];
                struct why why;
                child_end_text(&end, text, sizeof(text));
                agent_note(agent, EVENT_ENGINE_DIED, stream, text);
                enum err e = slots_count_crash(agent->slots, stream->index, &why);
                complain(stream, EVENT_DEVICE_TROUBLE, e, &why);
                if (life_is_busy(stream->life))
                        trial_crash(stream, &end, e == OK);
                else
                        good_crashed(stream, text);
        }
        if (engine_is_due(&stream->engine, now_ms) && !rechecking_holds(stream, now_ms))
                start_engine(stream, now_ms);
        if (stream->forgive_at_ms && now_ms >= stream->forgive_at_ms && engine_is_alive(&stream->engine) && !life_is_busy(stream->life)) {
                struct why why;
                complain(stream, EVENT_DEVICE_TROUBLE, slots_forgive(agent->slots, stream->index, &why), &why);
                stream->forgive_at_ms = 0;
        }
}

void stream_tick(struct stream *stream)
{
        int64_t now_ms = agent_steady_ms(stream->agent);
        rechecking_tick(stream);
        watch_engine(stream, now_ms);
        look_whether_it_settled(stream, now_ms);
        tell_what_runs(stream);
        look_at_load(stream, now_ms);
        asking_tick(stream, now_ms);
        /* A withdrawal waits for nothing but its turn, least of all for the next try of another release. */
        if (back_is_due(stream, now_ms))
                stream_event(stream, LIFE_WITHDRAWN, "");
        holding_tick(stream, now_ms);
        if (is_wanted(stream, now_ms))
                offered(stream);
        if (life_is_busy(stream->life))
                trial_tick(stream, now_ms);
        else
                candidate_tick(stream, now_ms);
        usage_tick(stream, now_ms);
}

bool stream_call(struct stream *stream)
{
        return candidate_call(stream, agent_steady_ms(stream->agent));
}

static int64_t sooner(int64_t a, int64_t b)
{
        return a < b ? a : b;
}

int64_t stream_wake_ms(const struct stream *stream)
{
        int64_t wake = stream->recheck ? 0 : engine_wake_ms(&stream->engine);
        wake = sooner(wake, life_is_busy(stream->life) ? trial_wake_ms(stream) : candidate_wake_ms(stream));
        if (stream->life == LIFE_IDLE && stream->retry_at_ms > agent_steady_ms(stream->agent))
                wake = sooner(wake, stream->retry_at_ms);
        if (stream->forgive_at_ms && engine_is_alive(&stream->engine) && !life_is_busy(stream->life))
                wake = sooner(wake, stream->forgive_at_ms);
        if (stream->load_by_ms)
                wake = sooner(wake, stream->look_at_ms);
        wake = sooner(sooner(wake, back_wake_ms(stream)), usage_wake_ms(stream));
        wake = sooner(sooner(wake, asking_wake_ms(stream)), holding_wake_ms(stream, agent_steady_ms(stream->agent)));
        if (stream->settles_by_ms)
                wake = sooner(wake, agent_steady_ms(stream->agent) + STREAM_LOOK_MS);
        return wake;
}

enum err stream_open(struct agent *agent, size_t index, struct stream *ret_stream, struct why *why)
{
        const struct agent_stream_config *config = agent_config_stream(agent->config, index);
        *ret_stream = (struct stream){ .agent = agent, .index = index, .config = config };
        engine_init(&ret_stream->engine, &config->engine);
        struct why trouble;
        const bool is_adopted = self_adopt(ret_stream);
        if (!is_adopted && murmur_open(&ret_stream->murmur, &trouble))
                agent_note(agent, EVENT_DEVICE_TROUBLE, ret_stream, trouble.text);
        ret_stream->engine.errors = ret_stream->murmur.write_end;
        asking_open(ret_stream);
        const bool was_settled = content_is_settled(agent->disk, agent->slots, index);
        enum err e = content_prepare(agent->disk, config->name, config->factory, &trouble);
        if (!e)
                e = content_settle(agent->disk, agent->slots, index, &trouble);
        /* A full or read-only disk is no reason to leave the device without its engine. */
        if (e && !content_is_there(agent->disk, agent->slots, index))
                return FAIL(why, e, "%s", trouble.text);
        if (e)
                agent_note(agent, EVENT_DEVICE_TROUBLE, ret_stream, trouble.text);
        content_version(agent->disk, agent->slots, index, ret_stream->expected);
        ret_stream->engine.is_wanted = true;
        ret_stream->engine.start_at_ms = is_adopted ? 0 : agent_steady_ms(agent);
        rechecking_begin(ret_stream);
        ret_stream->trial = slots_stream(agent->slots, index)->trial;
        ret_stream->is_untold = may_be_untold(ret_stream, was_settled);
        back_open(ret_stream);
        ret_stream->holding.is_unsure = true;    /* by a supervisor before this one */
        probing_open(ret_stream);
        usage_open(ret_stream);
        if (slots_on_trial(agent->slots, index)) {
                ret_stream->life = ret_stream->trial.lease == SLOT_LEASE_SHADOW ? LIFE_SHADOW : LIFE_PROBATION;
                trial_begin(ret_stream);
        }
        return OK;
}

void stream_stop(struct stream *stream)
{
        probe_kill(&stream->probing.probe);
        preflight_kill(&stream->preflight);
        asking_done(stream);
        engine_stop(&stream->engine, agent_steady_ms(stream->agent));
}

static void say(void *user, const char *line)
{
        const struct stream *stream = user;
        agent_note(stream->agent, EVENT_ENGINE_SAYS, stream, line);
}

void stream_listen(struct stream *stream)
{
        murmur_take(&stream->murmur, agent_steady_ms(stream->agent), say, stream);
        probing_listen(stream);
}

void stream_done(struct stream *stream)
{
        candidate_drop(stream);
        rechecking_end(stream);
        probe_kill(&stream->probing.probe);
        preflight_kill(&stream->preflight);
        engine_kill(&stream->engine);
        asking_done(stream);
        murmur_close(&stream->murmur);
}
