#include "server/api/connection.h"

#include "base/mem.h"
#include "server/api/answer.h"
#include "wire/problem.h"

#include <arpa/inet.h>
#include <assert.h>
#include <string.h>

enum {
        SPARE_MAX = 256,                       /* workspaces that are kept: 5 MB */
        KEEP_BYTES = CONNECTION_WINDOW,        /* buffers that grew over this are given back */
        OUT_MAX = 4 * CONNECTION_WINDOW,
        LINGER_BYTES = 1 << 20,                /* after the last answer: so much is thrown away before we hang up */
};

struct connection {
        uv_tcp_t tcp;
        uv_write_t write;
        uv_shutdown_t shutdown;
        struct front *front;
        struct ring all, idle;
        struct tls_session *tls;
        struct workspace *work;
        struct http http;
        struct exchange exchange;
        struct sink *sink;
        struct source *source;
        struct block *block;
        size_t block_at;
        uint64_t answer_left;                  /* bytes of the body that are not in `out` yet */
        size_t sending;                        /* bytes given to the loop */
        enum phase phase;
        int64_t phase_ms;
        uint64_t phase_bytes;
        bool has_exchange, is_last, is_eof, is_running, is_reading, is_closing;
};

static void run(struct connection *connection);

struct workspace *workspace_new(struct front *front)
{
        struct workspace *work = front->spare;
        if (work) {
                front->spare = work->next;
                front->spare_count--;
                return work;
        }
        work = mem_new(1, sizeof(*work));
        if (!work)
                return NULL;
        buf_init(&work->in, OUT_MAX);
        buf_init(&work->out, OUT_MAX);
        buf_init(&work->sending, OUT_MAX);
        return work;
}

static void buf_reset(struct buf *buf)
{
        if (buf->capacity > KEEP_BYTES)
                buf_done(buf);
        else
                buf_clear(buf);
}

void workspace_free(struct front *front, struct workspace *work)
{
        if (!work)
                return;
        buf_reset(&work->in);
        buf_reset(&work->out);
        buf_reset(&work->sending);
        work->in_at = 0;
        if (!front->is_closed && front->spare_count < SPARE_MAX) {
                work->next = front->spare;
                front->spare = work;
                front->spare_count++;
                return;
        }
        buf_done(&work->in);
        buf_done(&work->out);
        buf_done(&work->sending);
        mem_free(work);
}

static void enter(struct connection *connection, enum phase phase)
{
        connection->phase = phase;
        connection->phase_ms = (int64_t)uv_now(connection->front->loop);
        connection->phase_bytes = 0;
        if (phase == PHASE_IDLE)
                ring_add(&connection->front->idle, &connection->idle);
        else
                ring_remove(&connection->idle);
}

/* ---- the end of an exchange, and of a connection ---- */

static void log_exchange(const struct connection *connection)
{
        const struct exchange *exchange = &connection->exchange;
        const struct log *log = connection->front->config.log;
        if (!log || log->least > LOG_LEVEL_DEBUG)
                return;
        char from[INET6_ADDRSTRLEN] = "";
        inet_ntop(AF_INET6, exchange->address, from, sizeof(from));
        const struct http_request *request = exchange->request;
        LOG(log, EVENT_REQUEST, log_text("method", request->method), log_text("path", request->path), log_int("status", exchange->status),
            log_int("bytes", (int64_t)exchange->answer_bytes), log_int("ms", (int64_t)uv_now(connection->front->loop) - exchange->began_ms),
            log_text("client", from), log_text("device", request->device));
}

static void drop_answer(struct connection *connection)
{
        if (connection->source)
                connection->source->ops->close(connection->source);
        connection->source = NULL;
        block_free(connection->block);
        connection->block = NULL;
        connection->answer_left = 0;
}

/* The service hears of every exchange it was shown: gone() if it owed an answer, done() if not. */
static void end_exchange(struct connection *connection)
{
        if (!connection->has_exchange)
                return;
        struct exchange *exchange = &connection->exchange;
        struct service *service = connection->front->config.service;
        connection->has_exchange = false;
        if (connection->sink)
                connection->sink->ops->gone(connection->sink);
        connection->sink = NULL;
        drop_answer(connection);
        if (exchange->status)
                service->ops->done(service, exchange);
        else
                service->ops->gone(service, exchange);
        log_exchange(connection);
        buf_done(&exchange->body);
}

static void on_closed(uv_handle_t *handle)
{
        struct connection *connection = handle->data;
        tls_session_free(connection->tls);
        workspace_free(connection->front, connection->work);
        mem_free(connection);
}

static void close_connection(struct connection *connection)
{
        if (connection->is_closing)
                return;
        connection->is_closing = true;
        end_exchange(connection);
        ring_remove(&connection->all);
        ring_remove(&connection->idle);
        connection->front->connections--;
        uv_close((uv_handle_t *)&connection->tcp, on_closed);
}

/* ---- sending ---- */

static void on_written(uv_write_t *request, int status)
{
        struct connection *connection = request->handle->data;
        connection->phase_bytes += connection->sending;
        connection->sending = 0;
        buf_reset(&connection->work->sending);
        if (status < 0)
                close_connection(connection);
        else
                run(connection);
}

/* The rest goes through the loop, from a buffer that nobody touches meanwhile. */
static void send_rest(struct connection *connection, struct buf *wire, size_t sent)
{
        struct buf swapped = connection->work->sending;
        connection->work->sending = *wire;
        *wire = swapped;
        wire = &connection->work->sending;
        connection->sending = wire->length - sent;
        uv_buf_t bytes = uv_buf_init(wire->bytes + sent, (unsigned)connection->sending);
        if (uv_write(&connection->write, (uv_stream_t *)&connection->tcp, &bytes, 1, on_written) < 0) {
                connection->sending = 0;
                close_connection(connection);
        }
}

static void send_wire(struct connection *connection, struct buf *wire)
{
        uv_buf_t bytes = uv_buf_init(wire->bytes, (unsigned)wire->length);
        int sent = uv_try_write((uv_stream_t *)&connection->tcp, &bytes, 1);
        if (sent < 0 && sent != UV_EAGAIN) {
                close_connection(connection);
                return;
        }
        connection->phase_bytes += sent > 0 ? (size_t)sent : 0;
        if (sent == (int)wire->length)
                buf_clear(wire);
        else
                send_rest(connection, wire, sent > 0 ? (size_t)sent : 0);
}

/* The next bytes of the answer's body; none: not yet. */
static enum err next_piece(struct connection *connection, const char **ret_bytes, size_t *ret_length)
{
        if (connection->source)
                return connection->source->ops->read(connection->source, ret_bytes, ret_length);
        *ret_bytes = connection->block->bytes + connection->block_at;
        *ret_length = connection->block->length - connection->block_at;
        if (*ret_length > CONNECTION_WINDOW)
                *ret_length = CONNECTION_WINDOW;
        connection->block_at += *ret_length;
        return OK;
}

static void fill_out(struct connection *connection)
{
        struct buf *out = &connection->work->out;
        while (connection->answer_left && out->length < CONNECTION_WINDOW) {
                const char *bytes = NULL;
                size_t length = 0;
                if (next_piece(connection, &bytes, &length) != OK || length > connection->answer_left) {
                        close_connection(connection);     /* the client sees that it is cut short: Content-Length said more */
                        return;
                }
                if (!length)
                        return;
                buf_add(out, bytes, length);
                connection->answer_left -= length;
        }
}

/* What goes over the wire: `out`, or what TLS made of it. NULL: broken. */
static struct buf *encode(struct connection *connection)
{
        struct buf *out = &connection->work->out;
        if (buf_check(out, NULL) != OK)
                return NULL;
        if (!connection->tls)
                return out;
        if (out->length && !tls_write(connection->tls, out->bytes, out->length))
                return NULL;
        buf_clear(out);
        return tls_out(connection->tls);
}

/* Sends what can be sent now. */
static void flush(struct connection *connection)
{
        while (connection->work && !connection->sending && !connection->is_closing) {
                fill_out(connection);
                if (connection->is_closing)
                        return;
                struct buf *wire = encode(connection);
                if (!wire)
                        close_connection(connection);
                if (!wire || !wire->length)
                        return;
                send_wire(connection, wire);
        }
}

static void on_shutdown(uv_shutdown_t *request, int status)
{
        struct connection *connection = request->handle->data;
        if (status < 0 || connection->is_eof)
                close_connection(connection);
}

/* Hang up so that the last answer arrives: what the client still sends is thrown away for a moment. */
static void linger(struct connection *connection)
{
        enter(connection, PHASE_LINGER);
        if (connection->tls)
                tls_goodbye(connection->tls);
        flush(connection);
        if (!connection->is_closing && uv_shutdown(&connection->shutdown, (uv_stream_t *)&connection->tcp, on_shutdown) < 0)
                close_connection(connection);
}

static void next_request(struct connection *connection)
{
        http_begin(&connection->http, connection->work->head);
        enter(connection, PHASE_IDLE);
}

/* True: the answer has left. */
static bool send_answer(struct connection *connection)
{
        flush(connection);
        if (connection->is_closing || connection->sending || connection->answer_left)
                return false;
        end_exchange(connection);
        if (connection->is_last)
                linger(connection);
        else
                next_request(connection);
        return true;
}

/* ---- answers, as the service gives them ---- */

static struct connection *of(struct exchange *exchange)
{
        return RING_OWNER(exchange, struct connection, exchange);
}

bool exchange_stays_open(const struct exchange *exchange)
{
        const struct connection *connection = RING_OWNER(exchange, const struct connection, exchange);
        return exchange->request->keeps_alive && connection->http.state == HTTP_READ_ALL && !connection->front->is_draining;
}

static void start_answer(struct connection *connection, int status, uint64_t length)
{
        struct exchange *exchange = &connection->exchange;
        assert(connection->has_exchange && !exchange->status);
        connection->sink = NULL;
        exchange->status = status;
        exchange->answer_bytes = length;
        enter(connection, PHASE_ANSWER);
}

void exchange_answer(struct exchange *exchange, const struct answer *answer)
{
        struct connection *connection = of(exchange);
        connection->is_last = answer->closes || !exchange_stays_open(exchange);
        start_answer(connection, answer->status, answer->length);
        answer_head_write(answer, front_date(connection->front), connection->is_last, &connection->work->out);
        connection->block = answer->take_block;
        connection->block_at = 0;
        connection->source = answer->take_source;
        connection->answer_left = answer->take_block || answer->take_source ? answer->length : 0;
        if (exchange->request->is_head)
                drop_answer(connection);
        else if (answer->bytes)
                buf_add(&connection->work->out, answer->bytes, answer->length);
        run(connection);
}

void exchange_answer_ready(struct exchange *exchange, int status, const char *bytes, size_t length)
{
        struct connection *connection = of(exchange);
        assert(exchange_stays_open(exchange));
        connection->is_last = false;
        start_answer(connection, status, length);
        buf_add(&connection->work->out, bytes, length);
        run(connection);
}

static void answer_problem(struct exchange *exchange, int status, const struct buf *document)
{
        exchange_answer(exchange, &(struct answer){
                .status = status, .type = PROBLEM_TYPE, .bytes = buf_text(document), .length = document->length,
                .retry_after_s = status == 503 || status == 429 ? 1 : 0 });
}

void exchange_fail(struct exchange *exchange, enum err e, const struct why *why)
{
        OWN(buf) struct buf document;
        buf_init(&document, 4096);
        problem_write(e, why, &document);
        answer_problem(exchange, err_info(e)->http, &document);
}

void exchange_refuse(struct exchange *exchange, int status, enum err e, const char *detail)
{
        OWN(buf) struct buf document;
        buf_init(&document, 4096);
        problem_write_status(status, e, detail, &document);
        answer_problem(exchange, status, &document);
}

/* ---- taking requests in ---- */

static void start_body(struct connection *connection)
{
        enter(connection, PHASE_BODY);
        if (connection->http.request.wants_continue)
                buf_add_text(&connection->work->out, "HTTP/1.1 100 Continue\r\n\r\n");
        flush(connection);
}

void exchange_collect(struct exchange *exchange, size_t body_max)
{
        buf_init(&exchange->body, body_max);
        if (exchange->request->body_length > body_max || (exchange->request->has_body && !body_max))
                exchange_refuse(exchange, 413, ERR_LIMIT, "the body is larger than this path takes");
        else
                start_body(of(exchange));
}

void exchange_stream(struct exchange *exchange, struct sink *sink)
{
        of(exchange)->sink = sink;
        start_body(of(exchange));
}

void exchange_resume(struct exchange *exchange)
{
        struct connection *connection = of(exchange);
        if (connection->phase == PHASE_SERVICE && connection->sink)
                enter(connection, PHASE_BODY);
        run(connection);
}

static void start_exchange(struct connection *connection)
{
        struct exchange *exchange = &connection->exchange;
        exchange->request = &connection->http.request;
        exchange->began_ms = (int64_t)uv_now(connection->front->loop);
        exchange->status = 0;
        exchange->route = NULL;
        exchange->pending = NULL;
        buf_init(&exchange->body, 0);
        connection->has_exchange = true;
        enter(connection, PHASE_SERVICE);
}

/* An answer of the connection's own, after which it ends. */
static void refuse(struct connection *connection, int status, enum err e, const char *detail)
{
        if (connection->has_exchange && connection->exchange.status) {
                close_connection(connection);
                return;
        }
        end_exchange(connection);
        start_exchange(connection);
        connection->http.state = HTTP_IS_BROKEN;
        exchange_refuse(&connection->exchange, status, e, detail);
}

static void take_piece(struct connection *connection)
{
        const struct http *http = &connection->http;
        struct exchange *exchange = &connection->exchange;
        if (connection->sink) {
                if (!connection->sink->ops->take(connection->sink, http->piece, http->piece_length) && connection->phase == PHASE_BODY)
                        enter(connection, PHASE_SERVICE);
                return;
        }
        buf_add(&exchange->body, http->piece, http->piece_length);
        enum err e = buf_check(&exchange->body, NULL);
        if (e)
                refuse(connection, err_info(e)->http, e, e == ERR_LIMIT ? "the body is larger than this path takes" : err_info(e)->text);
}

static void take_end(struct connection *connection)
{
        struct service *service = connection->front->config.service;
        struct sink *sink = connection->sink;
        enter(connection, PHASE_SERVICE);
        if (sink)
                sink->ops->end(sink);
        else
                service->ops->whole(service, &connection->exchange);
}

static void take_step(struct connection *connection, enum http_step step)
{
        struct service *service = connection->front->config.service;
        switch (step) {
        case HTTP_GOT_HEAD:
                start_exchange(connection);
                service->ops->head(service, &connection->exchange);
                break;
        case HTTP_GOT_PIECE:
                take_piece(connection);
                break;
        case HTTP_GOT_WHOLE:
                take_end(connection);
                break;
        case HTTP_GOT_BAD:
                refuse(connection, connection->http.status, connection->http.why.err, connection->http.why.text);
                break;
        case HTTP_WANTS_MORE:
        default:
                break;
        }
}

/* More plain text in `in`, which is used up. */
static bool decrypt(struct connection *connection)
{
        struct buf *in = &connection->work->in;
        buf_clear(in);
        connection->work->in_at = 0;
        if (!connection->tls)
                return false;
        enum tls_step step = tls_read(connection->tls, in);
        if (connection->phase == PHASE_HANDSHAKE && tls_is_ready(connection->tls))
                enter(connection, PHASE_IDLE);
        flush(connection);
        if (step == TLS_BROKEN)
                close_connection(connection);
        if (step == TLS_END)
                connection->is_eof = true;
        return step == TLS_READ && !connection->is_closing;
}

/* True: something was taken, go on. */
static bool take_input(struct connection *connection)
{
        struct workspace *work = connection->work;
        if (!work)
                return false;
        bool has_input = work->in_at < work->in.length || connection->http.state == HTTP_READ_ALL;
        if (!has_input && !decrypt(connection)) {
                if (connection->is_eof)
                        close_connection(connection);
                return false;
        }
        if (connection->phase == PHASE_IDLE)
                enter(connection, PHASE_HEAD);
        size_t used = 0;
        enum http_step step = http_take(&connection->http, buf_text(&work->in) + work->in_at, work->in.length - work->in_at, &used);
        work->in_at += used;
        connection->phase_bytes += used;
        take_step(connection, step);
        return true;
}

static bool step(struct connection *connection)
{
        switch (connection->phase) {
        case PHASE_HANDSHAKE:
        case PHASE_IDLE:
        case PHASE_HEAD:
        case PHASE_BODY:
                return take_input(connection);
        case PHASE_ANSWER:
                return send_answer(connection);
        case PHASE_SERVICE:
        case PHASE_LINGER:
        case PHASES:
        default:
                return false;
        }
}

/* ---- the socket ---- */

static void on_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
        (void)wanted;
        struct connection *connection = handle->data;
        *buf = uv_buf_init(connection->front->received, sizeof(connection->front->received));
}

static void on_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *buf);

/* While an exchange is served, the socket is read only until the client has sent something ahead. */
static void adjust_reading(struct connection *connection)
{
        const struct workspace *work = connection->work;
        size_t ahead = (work ? work->in.length - work->in_at : 0) + (connection->tls ? tls_unread(connection->tls) : 0);
        bool waits = connection->phase == PHASE_SERVICE || connection->phase == PHASE_ANSWER;
        bool reads = !connection->is_eof && (!waits || !ahead);
        if (reads && !connection->is_reading)
                uv_read_start((uv_stream_t *)&connection->tcp, on_alloc, on_read);
        if (!reads && connection->is_reading)
                uv_read_stop((uv_stream_t *)&connection->tcp);
        connection->is_reading = reads;
}

static void run(struct connection *connection)
{
        if (connection->is_running || connection->is_closing)
                return;
        connection->is_running = true;
        while (!connection->is_closing && step(connection))
                ;
        connection->is_running = false;
        if (connection->is_closing)
                return;
        flush(connection);
        if (connection->is_closing)
                return;
        if (connection->phase == PHASE_IDLE && !connection->sending) {
                workspace_free(connection->front, connection->work);
                connection->work = NULL;
                if (connection->tls)
                        buf_done(tls_out(connection->tls));
        }
        if (connection->phase == PHASE_IDLE && connection->front->is_draining)
                close_connection(connection);
        else
                adjust_reading(connection);
}

static bool has_workspace(struct connection *connection)
{
        if (connection->work)
                return true;
        connection->work = workspace_new(connection->front);
        if (connection->work)
                http_begin(&connection->http, connection->work->head);
        return connection->work != NULL;
}

static void receive(struct connection *connection, const char *bytes, size_t length)
{
        bool is_kept = has_workspace(connection);
        if (is_kept && connection->tls)
                is_kept = tls_receive(connection->tls, bytes, length);
        else if (is_kept) {
                buf_add(&connection->work->in, bytes, length);
                is_kept = buf_check(&connection->work->in, NULL) == OK;
        }
        if (is_kept)
                run(connection);
        else
                close_connection(connection);
}

static void on_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *buf)
{
        struct connection *connection = stream->data;
        bool lingers = connection->phase == PHASE_LINGER;
        connection->phase_bytes += lingers && length > 0 ? (size_t)length : 0;
        if (lingers && (length < 0 || connection->phase_bytes > LINGER_BYTES)) {
                close_connection(connection);
        } else if (length == UV_EOF) {
                connection->is_eof = true;
                if (!has_workspace(connection))
                        close_connection(connection);
                run(connection);
        } else if (length < 0) {
                close_connection(connection);
        } else if (length > 0 && !lingers) {
                receive(connection, buf->base, (size_t)length);
        }
}

static void learn_address(struct connection *connection)
{
        struct sockaddr_storage peer;
        int length = sizeof(peer);
        uint8_t *address = connection->exchange.address;
        if (uv_tcp_getpeername(&connection->tcp, (struct sockaddr *)&peer, &length) < 0)
                return;
        if (peer.ss_family == AF_INET6) {
                memcpy(address, &((struct sockaddr_in6 *)&peer)->sin6_addr, 16);
                return;
        }
        address[10] = address[11] = 0xFF;
        memcpy(address + 12, &((struct sockaddr_in *)&peer)->sin_addr, 4);
}

static bool start(struct connection *connection)
{
        struct front *front = connection->front;
        if (uv_accept((uv_stream_t *)&front->listener, (uv_stream_t *)&connection->tcp) < 0)
                return false;
        uv_tcp_nodelay(&connection->tcp, 1);
        learn_address(connection);
        if (front->config.tls && !(connection->tls = tls_session_new(front->config.tls)))
                return false;
        enter(connection, connection->tls ? PHASE_HANDSHAKE : PHASE_IDLE);
        return true;
}

void connection_accept(struct front *front)
{
        struct connection *connection = mem_new(1, sizeof(*connection));
        if (!connection || uv_tcp_init(front->loop, &connection->tcp) < 0) {
                front->shed++;                        /* the loop offers it again */
                mem_free(connection);
                return;
        }
        connection->front = front;
        connection->tcp.data = connection;
        ring_init(&connection->all);
        ring_init(&connection->idle);
        ring_add(&front->all, &connection->all);
        front->connections++;
        if (front->connections > front->config.connections_max)
                connection_shed(front);
        bool is_started = start(connection), is_full = front->connections > front->config.connections_max;
        front->shed += !is_started;
        if (is_started && !is_full)
                run(connection);
        else
                close_connection(connection);
}

/* Who has been here longest without a request: whoever only opens connections must not keep out those who ask. */
static struct connection *slowest(struct front *front)
{
        for (struct ring *at = front->all.after; at != front->all.before; at = at->after) {      /* not the newest */
                struct connection *connection = RING_OWNER(at, struct connection, all);
                bool has_asked = connection->phase != PHASE_HANDSHAKE && connection->phase != PHASE_HEAD;
                if (!has_asked && !connection->is_closing)
                        return connection;
        }
        return NULL;
}

void connection_shed(struct front *front)
{
        front->shed++;
        struct connection *connection = ring_is_empty(&front->idle) ? slowest(front) : RING_OWNER(front->idle.after, struct connection, idle);
        if (connection)
                close_connection(connection);
}

/* ---- the clock ---- */

static const char *const late_texts[PHASES] = {
        [PHASE_HEAD] = "the request did not arrive in time", [PHASE_BODY] = "the body did not arrive in time",
        [PHASE_SERVICE] = "the server is too busy; ask again later",
};

static void end_overdue(struct connection *connection)
{
        if (connection->phase == PHASE_SERVICE)
                refuse(connection, 503, ERR_UNAVAILABLE, late_texts[PHASE_SERVICE]);
        else if (late_texts[connection->phase])
                refuse(connection, 408, ERR_TIMEOUT, late_texts[connection->phase]);
        else
                close_connection(connection);
}

void connection_sweep(struct front *front)
{
        int64_t now = (int64_t)uv_now(front->loop);
        for (struct ring *at = front->all.after, *next; at != &front->all; at = next) {
                next = at->after;
                struct connection *connection = RING_OWNER(at, struct connection, all);
                const struct patience *patience = &front->config.patience[connection->phase];
                int64_t bought = patience->bytes_per_ms ? (int64_t)connection->phase_bytes / patience->bytes_per_ms : 0;
                if (now - connection->phase_ms > patience->grace_ms + bought)
                        end_overdue(connection);
        }
}

void connection_close_idle(struct front *front)
{
        while (!ring_is_empty(&front->idle))
                close_connection(RING_OWNER(front->idle.after, struct connection, idle));
}

void connection_close_all(struct front *front)
{
        while (!ring_is_empty(&front->all))
                close_connection(RING_OWNER(front->all.after, struct connection, all));
}
