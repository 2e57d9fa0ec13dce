#include "agent/caller.h"

#include "agent/allowance.h"
#include "agent/proof.h"
#include "base/mem.h"
#include "platform/channel.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

enum {
        PAUSE_FIRST_MS = 500,
        FETCH_MEMORY_BYTES = 1 << 30, FETCH_FILES = 64,
        REASON_BYTES = 80,
        IDLE_MS = 10000,                 /* an idle connection saves no time after that, and costs memory here and at the server */
};
static const int64_t DATE_MAX_S = 253402300799;          /* the end of the year 9999, the last that a Date can name */

struct caller {
        struct caller_setup setup;
        char device[33];
        struct worker_link link;
        struct worker_state state;
        bool skips_unit;                 /* the next one is a child: the unit ended without an answer */
        uint32_t number;                 /* of the request that is out */
        bool is_out;
        caller_done *done;
        void *user;
        int64_t pause_ms, free_at_ms, hangs_at_ms, idle_at_ms;
        int64_t date_offset_s;           /* what the server calls now, less what we do */
        struct allowance allowance;
        struct sources sources;
        char reasons[SOURCES_MAX][REASON_BYTES];         /* why each brought nothing, the last time that it did not */
        int64_t asked_at_ms;
        bool begins_anew;                /* the server cannot go on where a file was cut */
        struct fetch_ask ask;
        struct fetch_answer answer;
};

static int64_t now_ms(const struct caller *caller)
{
        return caller->setup.clock->ops->steady_ms(caller->setup.clock);
}

enum err caller_new(const struct caller_setup *setup, struct caller **ret_caller, struct why *why)
{
        struct caller *caller = mem_new(1, sizeof(*caller));
        if (!caller)
                return FAIL(why, ERR_NOMEM, "starting the fetcher");
        caller->setup = *setup;
        caller->link = worker_none;
        identity_text(setup->identity, caller->device);
        allowance_init(&caller->allowance, setup->bytes_per_s, setup->bytes_per_s ? now_ms(caller) : 0);
        sources_init(&caller->sources, setup->mirrors);
        *ret_caller = caller;
        return OK;
}

void caller_free(struct caller *caller)
{
        if (!caller)
                return;
        worker_end(&caller->link);
        mem_free(caller);
}

static enum err child_begin(struct caller *caller, struct why *why)
{
        /* It may not go to the spool by its path, where the folders above it are ours alone. */
        const char *const argv[] = { child_self, "fetch", "--config", caller->setup.config_path, "--spool", ".", NULL };
        const struct child_limits limits = { .memory_bytes = FETCH_MEMORY_BYTES, .files = FETCH_FILES };
        const struct worker_setup setup = { WORKER_FETCH, CHANNEL_MESSAGES, argv, &limits, caller->setup.spool, caller->skips_unit };
        caller->skips_unit = false;      /* the one after that may be the unit again: somebody may have mended it */
        return worker_start(caller->setup.workers, &setup, &caller->link, why);
}

/* Longer after each failure, with jitter, so that a fleet does not come back all at once. */
static void pause_grows(struct caller *caller)
{
        int64_t pause = caller->pause_ms ? caller->pause_ms * 2 : PAUSE_FIRST_MS;
        caller->pause_ms = pause < caller->setup.pause_max_ms ? pause : caller->setup.pause_max_ms;
        uint32_t dice;
        caller->setup.random->ops->fill(caller->setup.random, &dice, sizeof(dice));
        caller->free_at_ms = now_ms(caller) + caller->pause_ms / 2 + (int64_t)(dice % (uint32_t)(caller->pause_ms + 1));
}

int64_t caller_ready_ms(struct caller *caller, uint64_t bytes)
{
        return allowance_ready_ms(&caller->allowance, bytes, now_ms(caller));
}

/* What the fetcher says came, but no more than it may have let in. */
static void spend(struct caller *caller, uint64_t said)
{
        const struct fetch_ask *ask = &caller->ask;
        const uint64_t may = (ask->part_max ? ask->part_max : ask->bytes_max) + LIMIT_DEVICE_REQUEST_BYTES;
        if (ask->reads != FETCH_TO_SPOOL)
                return;
        allowance_spend(&caller->allowance, said < may ? said : may, now_ms(caller));
        sources_count(&caller->sources, ask->source, said < may ? said : may);
}

static bool is_of_mirror(const struct caller *caller)
{
        return caller->is_out && caller->ask.source != SOURCE_SERVER;
}

static void send_ask(struct caller *caller, caller_done *done, void *user);

/* The same once more, of whom it may be now, and as much as the limit lets through. */
static void send_get(struct caller *caller, caller_done *done, void *user)
{
        struct fetch_ask *ask = &caller->ask;
        const uint64_t slice = allowance_slice(&caller->allowance, ask->bytes_max, now_ms(caller));
        const bool is_content = ask->is_resumed && source_is_content(ask->path, ask->sha256);
        ask->part_max = ask->is_resumed && slice != UINT64_MAX ? slice ? slice : 1 : 0;
        ask->source = (uint8_t)(is_content ? sources_pick(&caller->sources, ask->sha256, now_ms(caller)) : SOURCE_SERVER);
        ask->is_hashed = is_content && caller->setup.mirrors;
        ask->is_patient = caller->begins_anew;
        send_ask(caller, done, user);
}

static uint64_t came(const struct fetch_answer *answer)
{
        return answer->spool_length > answer->spool_from ? answer->spool_length - answer->spool_from : 0;
}

static enum source_end end_of(const struct caller *caller, const struct fetch_answer *answer)
{
        const struct fetch_ask *ask = &caller->ask;
        const bool is_there = answer->status == 200 || answer->status == 206;
        const uint64_t left = ask->bytes_max > answer->spool_from ? ask->bytes_max - answer->spool_from : 0;
        if (answer->err == ERR_CONTENT)
                return SOURCE_LIED;
        if (answer->status == 404 || answer->status == 410)
                return SOURCE_LACKS;
        if (!is_there || answer->err == ERR_LIMIT)
                return SOURCE_FAILED;
        return source_came(came(answer), ask->part_max && ask->part_max < left ? ask->part_max : left, now_ms(caller) - caller->asked_at_ms, !answer->err);
}

/* An answer without a text failed by its status, or by its time alone. */
static void keep_reason(struct caller *caller, const struct fetch_answer *answer)
{
        const bool is_there = answer->status == 200 || answer->status == 206;
        char *reason = caller->reasons[caller->ask.source];
        if (!answer->text[0] && !is_there && answer->status)
                snprintf(reason, REASON_BYTES, "status %d", answer->status);
        else
                snprintf(reason, REASON_BYTES, "%.*s", REASON_BYTES - 1, !answer->text[0] && is_there ? "it is too slow" : fetch_reason(answer));
}

const char *caller_reason(const struct caller *caller, unsigned source)
{
        assert(source < SOURCES_MAX);
        return caller->reasons[source];
}

/* True: a mirror, or what it had given before, is why there is no file yet, and it is asked for anew. What failed on this device is nobody's fault. */
static bool goes_elsewhere(struct caller *caller)
{
        static const enum err ours[] = { ERR_FULL, ERR_REFUSED, ERR_NOMEM };
        const struct fetch_ask ask = caller->ask;
        struct fetch_answer *answer = &caller->answer;
        for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
                if (answer->err == (uint32_t)ours[i])
                        return false;
        if (!ask.is_hashed)
                return false;
        const struct source_heard heard = { ask.sha256, ask.source, end_of(caller, answer), answer->spool_from, came(answer) };
        if (heard.end != SOURCE_DID_WELL && heard.end != SOURCE_GOES_ON)
                keep_reason(caller, answer);
        if (sources_heard(&caller->sources, &heard, now_ms(caller)))
                return caller->done != NULL;
        /* A mirror that was cut, but is of use: the next ask goes on. */
        if (is_of_mirror(caller) && heard.end == SOURCE_GOES_ON)
                answer->err = ERR_TIMEOUT;
        return false;
}

static void finish(struct caller *caller, enum err e, const struct fetch_answer *answer)
{
        caller_done *done = caller->done;
        caller->is_out = false;
        caller->done = NULL;
        if (done)
                done(caller->user, e, answer);
}

/* `reason` NULL: it said nothing, and neither can we. */
static void child_lost(struct caller *caller, const char *reason)
{
        caller->skips_unit = caller->link.channel >= 0 && !caller->link.child.pid;
        caller->answer = (struct fetch_answer){ .version = FETCH_VERSION, .err = ERR_UNAVAILABLE };
        snprintf(caller->answer.text, sizeof(caller->answer.text), "%s", reason ? reason : "");
        if (is_of_mirror(caller)) {      /* it may have been the mirror that broke it */
                keep_reason(caller, &caller->answer);
                (void)sources_heard(&caller->sources, &(struct source_heard){ caller->ask.sha256, caller->ask.source, SOURCE_FAILED, 0, 0 }, now_ms(caller));
        }
        worker_end(&caller->link);
        pause_grows(caller);
        if (caller->is_out && !reason)   /* it cannot say how much came */
                spend(caller, caller->ask.part_max);
        if (caller->is_out)
                finish(caller, ERR_UNAVAILABLE, reason ? &caller->answer : NULL);
}

bool caller_is_free(const struct caller *caller, int64_t now)
{
        return caller && !caller->is_out && now >= caller->free_at_ms;
}

int64_t caller_wake_ms(const struct caller *caller)
{
        if (caller->is_out)
                return caller->hangs_at_ms;
        int64_t idle_ms = caller->link.channel < 0 ? INT64_MAX : caller->idle_at_ms;
        return caller->free_at_ms <= now_ms(caller) || idle_ms < caller->free_at_ms ? idle_ms : caller->free_at_ms;
}

void caller_tick(struct caller *caller)
{
        if (!caller || caller->link.channel < 0)
                return;
        if (caller->is_out && now_ms(caller) >= caller->hangs_at_ms)
                child_lost(caller, NULL);
        else if (!caller->is_out && now_ms(caller) >= caller->idle_at_ms)
                worker_end(&caller->link);
}

struct sources *caller_sources(struct caller *caller)
{
        return &caller->sources;
}

int caller_file(const struct caller *caller)
{
        return caller ? caller->link.channel : -1;
}

bool caller_state(const struct caller *caller, struct worker_state *ret_state)
{
        *ret_state = caller->state;
        return caller->state.is_known;
}

/* A clock that is off is seen by the server first, which says so in Date; only the date of requests follows it. */
static void learn_date(struct caller *caller)
{
        struct clock *clock = caller->setup.clock;
        if (fetch_is_refused(caller->answer.status) && caller->answer.date_s)
                caller->date_offset_s = caller->answer.date_s - clock->ops->wall_s(clock);
}

/* A slice of a long download is no failure while it brings something. */
static bool has_failed(const struct fetch_answer *answer)
{
        if (answer->err == ERR_TIMEOUT)
                return answer->spool_length <= answer->spool_from;
        return answer->err == ERR_UNAVAILABLE || answer->err == ERR_UNTRUSTED || answer->err == ERR_USAGE || answer->status >= 500;
}

/* One whom it has been cut with would bring the same bytes again and again. */
static void learn_ranges(struct caller *caller, bool is_of_server)
{
        const struct fetch_answer *answer = &caller->answer;
        if (is_of_server && caller->ask.is_resumed && answer->spool_from && (answer->status == 200 || answer->status == 206))
                caller->begins_anew = answer->status == 200;
}

/* Numbers that go on into sums of ours; the fetcher reads what strangers send. */
static bool is_sound(const struct caller *caller, size_t length)
{
        const struct fetch_answer *answer = &caller->answer;
        return length == sizeof(*answer) && answer->version == FETCH_VERSION && answer->number == caller->number && answer->err < ERR_COUNT
               && answer->date_s >= 0 && answer->date_s <= DATE_MAX_S && answer->pace_ms >= 0;
}

void caller_take(struct caller *caller)
{
        size_t length;
        struct why why;
        enum err e = channel_receive(caller->link.channel, &caller->answer, sizeof(caller->answer), &length, &why);
        struct fetch_answer *answer = &caller->answer;
        if (e || !is_sound(caller, length)) {
                child_lost(caller, NULL);
                return;
        }
        answer->text[sizeof(answer->text) - 1] = 0;
        const bool is_of_server = !is_of_mirror(caller);
        if (is_of_server)
                learn_date(caller);
        spend(caller, answer->received);
        caller->free_at_ms = 0;
        caller->idle_at_ms = now_ms(caller) + IDLE_MS;
        caller->state = worker_state_of(&caller->link, &answer->confined);
        if (goes_elsewhere(caller)) {
                send_get(caller, caller->done, caller->user);
                return;
        }
        /* The next one is started afresh: it may open only what was there when it was (platform/confine.h), and resolv.conf or the CA may
         * have been replaced since. */
        const bool failed = is_of_server && has_failed(answer);
        if (answer->err && failed)
                worker_end(&caller->link);
        if (failed)
                pause_grows(caller);
        else if (is_of_server)
                caller->pause_ms = 0;
        learn_ranges(caller, is_of_server);
        finish(caller, (enum err)answer->err, answer);
}

static void send_ask(struct caller *caller, caller_done *done, void *user)
{
        struct why why;
        caller->ask.version = FETCH_VERSION;
        caller->ask.number = ++caller->number;
        caller->done = done;
        caller->user = user;
        caller->is_out = true;
        caller->asked_at_ms = now_ms(caller);
        caller->hangs_at_ms = caller->asked_at_ms + FETCH_MOST_MS;       /* it ends by itself before, or hangs */
        enum err e = caller->link.channel < 0 ? child_begin(caller, &why) : OK;
        if (!e)
                e = channel_send(caller->link.channel, &caller->ask, sizeof(caller->ask), &why);
        if (e)
                child_lost(caller, why.text);
}

void caller_get(struct caller *caller, const struct caller_get *get, caller_done *done, void *user)
{
        caller->ask = (struct fetch_ask){ .reads = FETCH_TO_SPOOL, .is_resumed = get->is_resumed, .bytes_max = get->bytes_max };
        snprintf(caller->ask.path, sizeof(caller->ask.path), "%s", get->path);
        snprintf(caller->ask.spool, sizeof(caller->ask.spool), "%s", get->spool);
        send_get(caller, done, user);
}

void caller_look(struct caller *caller, const char *path, enum fetch_reads reads, caller_done *done, void *user)
{
        caller->ask = (struct fetch_ask){ .reads = (uint8_t)reads };
        snprintf(caller->ask.path, sizeof(caller->ask.path), "%s", path);
        send_ask(caller, done, user);
}

void caller_post(struct caller *caller, const struct caller_post *post, caller_done *done, void *user)
{
        struct clock *clock = caller->setup.clock;
        struct fetch_ask *ask = &caller->ask;
        *ask = (struct fetch_ask){ .reads = (uint8_t)post->reads, .body_length = (uint32_t)strlen(post->body) };
        snprintf(ask->path, sizeof(ask->path), "%s", post->path);
        snprintf(ask->device, sizeof(ask->device), "%s", caller->device);
        snprintf(ask->date, sizeof(ask->date), "%" PRId64, clock->ops->wall_s(clock) + caller->date_offset_s);
        snprintf(ask->body, sizeof(ask->body), "%s", post->body);
        const struct request_facts facts = { "POST", ask->path, ask->date, ask->body, ask->body_length };
        struct proof proof;
        struct why why;
        enum err e = (post->is_signed ? proof_sign : proof_mac)(caller->setup.identity, &facts, &proof, &why);
        if (e) {
                done(user, e, NULL);
                return;
        }
        snprintf(ask->authentication, sizeof(ask->authentication), "%s", proof.header);
        snprintf(ask->proof, sizeof(ask->proof), "%s", proof.value);
        send_ask(caller, done, user);
}

void caller_forget(struct caller *caller, const void *user)
{
        if (caller && caller->is_out && caller->user == user)
                caller->done = NULL;
}
