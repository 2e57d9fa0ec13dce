#include "server/api/store_link.h"

#include "base/mem.h"
#include "platform/link.h"

#include <string.h>

enum {
        SLOTS = LIMIT_STORE_QUEUE + LIMIT_STORE_QUEUE / 4,       /* the last quarter is for what must not be lost */
        READ_MAX = 4 << 20,                                      /* a turn of the loop */
        OUT_MAX = 64 << 20,                                      /* operators' bodies have 4 MB each */
        SEEN_OUT_MAX = 1 << 20,                                  /* last-seen waits until the line is free */
};

struct slot {
        struct exchange *exchange;                               /* NULL: free, or its client left */
        uint32_t turn;                                           /* so that a late answer finds nobody */
        uint32_t next;                                           /* free ones; SLOTS ends */
        bool is_waiting;
};

struct store_link {
        uv_poll_t poll;
        int end;
        const struct store_link_events *events;
        void *user;
        struct buf in, out;
        struct slot slots[SLOTS];
        uint32_t free, waiting;
        bool is_writing, is_lost;
};

static void watch(struct store_link *link);

static void lose(struct store_link *link, const struct why *why)
{
        if (link->is_lost)
                return;
        link->is_lost = true;
        uv_poll_stop(&link->poll);
        link->events->lost(link->user, why);
}

static struct exchange *give_back(struct store_link *link, uint64_t id)
{
        uint32_t index = (uint32_t)id, turn = (uint32_t)(id >> 32);
        if (index >= SLOTS || !link->slots[index].is_waiting || link->slots[index].turn != turn)
                return NULL;
        struct slot *slot = &link->slots[index];
        struct exchange *exchange = slot->exchange;
        *slot = (struct slot){ .turn = turn + 1, .next = link->free };
        link->free = index;
        link->waiting--;
        return exchange;
}

static enum err take_answer(struct store_link *link, const struct ipc_frame *frame, struct why *why)
{
        struct ipc_answer answer;
        enum err e = ipc_read_answer(frame, &answer, why);
        struct exchange *exchange = e ? NULL : give_back(link, frame->id);
        if (!exchange)
                return e;
        exchange->pending = NULL;
        link->events->answer(link->user, exchange, &answer);
        return OK;
}

static enum err take_news(struct store_link *link, const struct ipc_frame *frame, struct why *why)
{
        OWN(arena) struct arena *arena = arena_new(LIMIT_PUBLIC_BYTES);
        struct store_public state;
        if (!arena)
                return FAIL(why, ERR_NOMEM, "out of memory");
        enum err e = ipc_read_public(frame, arena, &state, why);
        if (!e)
                link->events->news(link->user, &state);
        return e;
}

static enum err take_frame(struct store_link *link, const struct ipc_frame *frame, struct why *why)
{
        if (frame->kind == IPC_ANSWER)
                return take_answer(link, frame, why);
        if (frame->kind == IPC_PUBLIC)
                return take_news(link, frame, why);
        return FAIL(why, ERR_SYNTAX, "the store sent a frame that is not its to send");
}

static enum err read_frames(struct store_link *link, struct why *why)
{
        size_t at = 0;
        enum err e = link_read(link->end, &link->in, READ_MAX, why);
        while (!e && at < link->in.length) {
                struct ipc_frame frame;
                size_t used = 0;
                e = ipc_cut(link->in.bytes + at, link->in.length - at, &frame, &used, why);
                if (!e && used)
                        e = take_frame(link, &frame, why);
                if (!used)
                        break;
                at += used;
        }
        if (at) {
                memmove(link->in.bytes, link->in.bytes + at, link->in.length - at);
                link->in.length -= at;
        }
        return e;
}

/* EBADF is how the loop says that the other end closed with something of ours unread. */
static enum err broken(int status, struct why *why)
{
        if (status == UV_EBADF)
                return FAIL(why, ERR_UNAVAILABLE, "the store is gone");
        return FAIL(why, ERR_IO, "the line to the store: %s", uv_strerror(status));
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
        struct store_link *link = poll->data;
        struct why why = { 0 };
        enum err e = status < 0 ? broken(status, &why) : OK;
        if (!e && (events & UV_READABLE))
                e = read_frames(link, &why);
        if (!e && !link->is_lost)
                e = link_write(link->end, &link->out, &why);
        if (e)
                lose(link, &why);
        else
                watch(link);
}

static void watch(struct store_link *link)
{
        bool writes = link->out.length > 0;
        if (link->is_lost || (writes == link->is_writing && uv_is_active((uv_handle_t *)&link->poll)))
                return;
        link->is_writing = writes;
        uv_poll_start(&link->poll, UV_READABLE | (writes ? UV_WRITABLE : 0), on_poll);
}

enum err store_link_open(uv_loop_t *loop, int end, const struct store_link_events *events, void *user, struct store_link **ret_link, struct why *why)
{
        struct store_link *link = mem_new(1, sizeof(*link));
        if (!link)
                return FAIL(why, ERR_NOMEM, "out of memory");
        link->end = end;
        link->events = events;
        link->user = user;
        buf_init(&link->in, LIMIT_PUBLIC_BYTES + 2 * READ_MAX);
        buf_init(&link->out, OUT_MAX);
        for (uint32_t i = 0; i < SLOTS; i++)
                link->slots[i].next = i + 1;
        link->poll.data = link;
        int code = uv_poll_init(loop, &link->poll, end);
        if (code < 0) {
                mem_free(link);
                return FAIL(why, ERR_IO, "the line to the store: %s", uv_strerror(code));
        }
        watch(link);
        *ret_link = link;
        return OK;
}

void store_link_close(struct store_link *link)
{
        link->is_lost = true;
        uv_close((uv_handle_t *)&link->poll, NULL);
}

void store_link_done(struct store_link *link)
{
        if (!link)
                return;
        buf_done(&link->in);
        buf_done(&link->out);
        mem_free(link);
}

static enum err busy(struct why *why)
{
        return FAIL(why, ERR_BUSY, "the server is too busy; ask again in a second");
}

enum err store_link_ask(struct store_link *link, struct exchange *exchange, const struct store_request *request, bool is_urgent, struct why *why)
{
        if (link->is_lost || link->free >= SLOTS || (!is_urgent && link->waiting >= LIMIT_STORE_QUEUE))
                return busy(why);
        uint32_t index = link->free;
        struct slot *slot = &link->slots[index];
        ipc_write_request(&link->out, (uint64_t)slot->turn << 32 | index, request);
        if (link->out.failed) {
                link->out.failed = OK;
                return busy(why);
        }
        link->free = slot->next;
        slot->exchange = exchange;
        slot->is_waiting = true;
        link->waiting++;
        exchange->pending = slot;
        watch(link);
        return OK;
}

void store_link_forget(struct store_link *link, struct exchange *exchange)
{
        (void)link;
        struct slot *slot = exchange->pending;
        if (slot && slot->exchange == exchange)
                slot->exchange = NULL;
        exchange->pending = NULL;
}

bool store_link_seen(struct store_link *link, const struct store_seen *seen, size_t count)
{
        if (link->is_lost || link->out.length > SEEN_OUT_MAX)
                return false;
        ipc_write_seen(&link->out, seen, count);
        bool is_sent = !link->out.failed;
        link->out.failed = OK;
        watch(link);
        return is_sent;
}
