#include "server/serve_store.h"

#include "base/mem.h"
#include "platform/clock.h"
#include "platform/link.h"
#include "server/ipc.h"
#include "server/signer/remote.h"
#include "wire/problem.h"

#include <string.h>

enum {
        TICK_MS = 150,
        COMPLAIN_MS = 10000,                   /* the same trouble is logged so often, no more */
        READ_MAX = 2 * LIMIT_PUBLISH_BYTES,
        JOBS_BYTES_MAX = 64 << 10,
        BEHIND_BYTES = 16 << 20,               /* answers that the api has not taken: then no new requests */
};

struct serving {
        int end, deltas;
        struct store *store;
        const struct log *log;
        struct buf in, out, jobs;              /* jobs: for the process that makes deltas */
        uint64_t published;                    /* `changes` of the state that the api has */
        bool has_published;
        int64_t tick_due_ms, complain_ms;
        size_t count;
        uint64_t ids[LIMIT_STORE_BATCH];
        struct store_request requests[LIMIT_STORE_BATCH];
        struct store_answer answers[LIMIT_STORE_BATCH];
};

static int64_t now_ms(void)
{
        return clock_system()->ops->wall_ms(clock_system());
}

static int64_t steady_ms(void)
{
        return clock_system()->ops->steady_ms(clock_system());
}

static void complain(struct serving *serving, enum log_event event, const struct why *why)
{
        if (steady_ms() < serving->complain_ms)
                return;
        serving->complain_ms = steady_ms() + COMPLAIN_MS;
        LOG_WHY(serving->log, event, why);
}

static enum err take_seen(struct serving *serving, const struct ipc_frame *frame, struct why *why)
{
        OWN(arena) struct arena *arena = arena_new(2 * IPC_SEEN_MAX * sizeof(struct store_seen));
        const struct store_seen *seen = NULL;
        size_t count = 0;
        struct why trouble = { 0 };
        if (!arena)
                return FAIL(why, ERR_NOMEM, "out of memory");
        enum err e = ipc_read_seen(frame, arena, &seen, &count, why);
        if (!e && store_seen(serving->store, seen, count, &trouble) != OK)
                complain(serving, EVENT_SEEN_LOST, &trouble);
        return e;
}

static enum err take_frame(struct serving *serving, const struct ipc_frame *frame, struct why *why)
{
        if (frame->kind == IPC_SEEN)
                return take_seen(serving, frame, why);
        enum err e = ipc_read_request(frame, &serving->requests[serving->count], why);
        if (!e)
                serving->ids[serving->count++] = frame->id;
        return e;
}

/* Requests point into `in`, so it stays as it is until they are answered. */
static enum err take_frames(struct serving *serving, size_t *ret_used, struct why *why)
{
        serving->count = 0;
        for (*ret_used = 0; serving->count < LIMIT_STORE_BATCH;) {
                struct ipc_frame frame;
                size_t used = 0;
                enum err e = ipc_cut(buf_text(&serving->in) + *ret_used, serving->in.length - *ret_used, &frame, &used, why);
                if (!e && used)
                        e = take_frame(serving, &frame, why);
                if (e || !used)
                        return e;
                *ret_used += used;
        }
        return OK;
}

/* The newest state, if the api does not have it. */
static enum err publish(struct serving *serving, struct why *why)
{
        const struct store_public *state = store_public_state(serving->store);
        if (serving->has_published && serving->published == state->changes)
                return OK;
        ipc_write_public(&serving->out, state);
        enum err e = buf_check(&serving->out, why);
        if (e)
                return DURING(why, e, "handing on metadata and revocations (at most %d MB together)", LIMIT_PUBLIC_BYTES >> 20);
        serving->has_published = true;
        serving->published = state->changes;
        return OK;
}

/* One that does not fit is answered with what went wrong. */
static void send_answer(struct serving *serving, uint64_t id, const struct store_answer *answer)
{
        struct buf *out = &serving->out;
        ipc_write_answer(out, id, &(struct ipc_answer){ answer->status, answer->retry_after_s, answer->type, { buf_text(&answer->body), answer->body.length } });
        if (!out->failed)
                return;
        enum err e = out->failed == ERR_LIMIT ? ERR_IO : out->failed;
        OWN(buf) struct buf document;
        buf_init(&document, 1024);
        out->failed = OK;
        problem_write(e, NULL, &document);
        ipc_write_answer(out, id, &(struct ipc_answer){ err_info(e)->http, 1, PROBLEM_TYPE, { buf_text(&document), document.length } });
}

static enum err answer_batch(struct serving *serving, struct why *why)
{
        if (!serving->count)
                return OK;
        memset(serving->answers, 0, serving->count * sizeof(serving->answers[0]));
        store_batch(serving->store, now_ms(), serving->requests, serving->count, serving->answers);
        enum err e = publish(serving, why);
        for (size_t i = 0; i < serving->count; i++) {
                if (!e)
                        send_answer(serving, serving->ids[i], &serving->answers[i]);
                store_answer_done(&serving->answers[i]);
        }
        return e ? e : buf_check(&serving->out, why);
}

/* The one that makes deltas takes them when it has time: as many wait here as fit, the others in the database. */
static enum err tell_of_releases(struct serving *serving, struct why *why)
{
        if (serving->deltas < 0)
                return OK;
        enum err e = serving->jobs.length ? OK : store_delta_jobs(serving->store, &serving->jobs, why);
        if (!e && serving->jobs.length)
                e = link_write(serving->deltas, &serving->jobs, why);
        return e == ERR_UNAVAILABLE ? OK : e;          /* it is gone: the supervisor tells of that */
}

static enum err tick(struct serving *serving, struct why *why)
{
        struct why trouble = { 0 };
        if (steady_ms() < serving->tick_due_ms)
                return OK;
        if (store_tick(serving->store, now_ms(), &trouble) != OK)
                complain(serving, EVENT_TICK_FAILED, &trouble);
        if (store_log_tick(serving->store, now_ms(), &trouble) != OK)
                complain(serving, EVENT_LOG_FAILED, &trouble);
        if (tell_of_releases(serving, &trouble) != OK)
                complain(serving, EVENT_DELTA_FAILED, &trouble);
        serving->tick_due_ms = steady_ms() + TICK_MS;
        return publish(serving, why);
}

/* Whether more whole frames wait is not known before they are cut: so after a full batch it does not sleep. */
static enum err receive(struct serving *serving, bool is_full, struct why *why)
{
        bool is_behind = serving->out.length > BEHIND_BYTES;
        int64_t left = serving->tick_due_ms - steady_ms();
        if (is_behind)
                return link_wait(serving->end, true, TICK_MS, why);
        enum err e = link_wait(serving->end, serving->out.length > 0, is_full || left < 0 ? 0 : left, why);
        size_t room = serving->in.length < READ_MAX ? READ_MAX - serving->in.length : 0;
        return e || !room ? e : link_read(serving->end, &serving->in, room, why);
}

static enum err serve_once(struct serving *serving, bool *is_full, struct why *why)
{
        size_t used = 0;
        enum err e = receive(serving, *is_full, why);
        if (!e)
                e = take_frames(serving, &used, why);
        if (!e)
                e = answer_batch(serving, why);
        if (e)
                return e;
        *is_full = serving->count == LIMIT_STORE_BATCH;
        if (used)
                memmove(serving->in.bytes, serving->in.bytes + used, serving->in.length - used);
        serving->in.length -= used;
        e = tick(serving, why);
        return e ? e : link_write(serving->end, &serving->out, why);
}

OWN_DEFINE(serving, struct serving *, mem_free)

enum err store_serve(const struct store_service *service, struct why *why)
{
        OWN(serving) struct serving *serving = mem_new(1, sizeof(*serving));
        if (!serving)
                return FAIL(why, ERR_NOMEM, "out of memory");
        serving->end = service->end;
        serving->deltas = service->deltas;
        serving->store = service->store;
        serving->log = service->log;
        buf_init(&serving->in, 2 * READ_MAX);
        buf_init(&serving->out, 2u * LIMIT_PUBLIC_BYTES);
        buf_init(&serving->jobs, JOBS_BYTES_MAX);
        bool is_full = false;
        enum err e = OK;
        while (!e && !signer_remote_is_deaf(service->signer))
                e = serve_once(serving, &is_full, why);
        if (!e)
                e = FAIL(why, ERR_IO, "the signer has not answered for %d s: start the server again", LIMIT_SIGNER_MS / 1000);
        buf_done(&serving->in);
        buf_done(&serving->out);
        buf_done(&serving->jobs);
        return e == ERR_UNAVAILABLE ? OK : e;
}
