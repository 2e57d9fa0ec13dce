#include "server/api/front.h"

#include "base/mem.h"
#include "platform/clock.h"
#include "server/api/answer.h"
#include "server/api/connection.h"

enum {
        SWEEP_MS = 250,
        BACKLOG = 1024,
};

/* 4 bytes a ms is a modem: whoever is slower wants to hold us up. */
const struct patience front_patience[PHASES] = {
        [PHASE_HANDSHAKE] = { 10000, 0 }, [PHASE_IDLE] = { 60000, 0 },    [PHASE_HEAD] = { 10000, 0 },  [PHASE_BODY] = { 10000, 4 },
        [PHASE_SERVICE] = { 30000, 0 },   [PHASE_ANSWER] = { 20000, 4 }, [PHASE_LINGER] = { 2000, 0 },
};

const char *front_date(struct front *front)
{
        int64_t now = clock_system()->ops->wall_s(clock_system());
        if (now != front->date_s)
                answer_date(now, front->date);
        front->date_s = now;
        return front->date;
}

static void on_connection(uv_stream_t *listener, int status)
{
        struct front *front = listener->data;
        if (status == 0)
                connection_accept(front);
        else
                front->shed++;
}

static void on_sweep(uv_timer_t *timer)
{
        struct front *front = timer->data;
        uint64_t shed = front->shed;
        connection_sweep(front);
        if (shed && front->config.log)
                LOG(front->config.log, EVENT_CROWDED, log_int("closed", (int64_t)shed), log_int("connections", front->connections));
        front->shed -= shed;
}

static enum err uv_fail(int code, const char *doing, struct why *why)
{
        return FAIL(why, code == UV_ENOMEM ? ERR_NOMEM : ERR_IO, "%s: %s", doing, uv_strerror(code));
}

enum err front_open(struct front *front, uv_loop_t *loop, const struct front_config *config, struct why *why)
{
        *front = (struct front){ .config = *config, .loop = loop, .date_s = -1 };
        if (!front->config.patience)
                front->config.patience = front_patience;
        ring_init(&front->all);
        ring_init(&front->idle);
        front->listener.data = front->sweep.data = front;
        int e = uv_tcp_init(loop, &front->listener);
        if (!e)
                e = uv_timer_init(loop, &front->sweep);
        if (!e)
                e = uv_timer_start(&front->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
        if (!e)
                e = uv_tcp_open(&front->listener, config->listener);
        if (!e)
                e = uv_listen((uv_stream_t *)&front->listener, BACKLOG, on_connection);
        return e ? uv_fail(e, "listening", why) : OK;
}

void front_drain(struct front *front)
{
        if (front->is_draining)
                return;
        front->is_draining = true;
        uv_close((uv_handle_t *)&front->listener, NULL);
        connection_close_idle(front);
}

void front_close(struct front *front)
{
        front_drain(front);
        if (front->is_closed)
                return;
        front->is_closed = true;
        connection_close_all(front);
        uv_close((uv_handle_t *)&front->sweep, NULL);
}

void front_done(struct front *front)
{
        while (front->spare) {
                struct workspace *work = front->spare;
                front->spare = work->next;
                workspace_free(front, work);
        }
}
