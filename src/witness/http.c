#include "witness/http.h"

#include "base/mem.h"
#include "platform/listen.h"

#include <errno.h>
#include <microhttpd.h>
#include <string.h>

enum { IDLE_S = 10, CONNECTION_BYTES = 16 << 10, CONNECTIONS_OF_ONE = 32 };

struct http {
        struct MHD_Daemon *daemon;
        const struct service *service;
        const struct log *log;
};

/* One request, from its head to its answer. */
struct exchange {
        struct buf body;
};

static enum MHD_Result send_reply(struct MHD_Connection *connection, const struct reply *reply)
{
        struct MHD_Response *response = MHD_create_response_from_buffer(reply->body.length, (void *)buf_text(&reply->body), MHD_RESPMEM_MUST_COPY);
        if (!response)
                return MHD_NO;
        enum MHD_Result done = MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply->type);
        if (done == MHD_YES)
                done = MHD_queue_response(connection, (unsigned)reply->status, response);
        MHD_destroy_response(response);
        return done;
}

static enum MHD_Result send_text(struct MHD_Connection *connection, int status, const char *text)
{
        OWN(buf) struct buf body;
        buf_init(&body, REPLY_BYTES_MAX);
        buf_add_text(&body, text);
        const struct reply reply = { .status = status, .type = "text/plain; charset=utf-8", .body = body };
        return send_reply(connection, &reply);
}

/* Of what anybody may send, one line only for whoever looks for a fault. A 422 has the log's own signature. */
static void tell(const struct http *http, enum err e, const struct reply *reply, const struct why *why)
{
        enum log_event event = e != ERR_REFUSED ? EVENT_WITNESS_TROUBLE : reply->status == 422 ? EVENT_NOT_COSIGNED : EVENT_REQUEST;
        if (!e)
                LOG(http->log, EVENT_COSIGNED, log_text("origin", reply->origin), log_int("size", (int64_t)reply->size));
        else
                LOG_WHY(http->log, event, why, log_int("status", reply->status), log_text("origin", reply->origin), log_int("size", (int64_t)reply->size));
}

static enum MHD_Result add_checkpoint(const struct http *http, struct MHD_Connection *connection, const struct buf *body)
{
        OWN(buf) struct buf text;
        struct why why;
        struct reply reply = { .status = 500 };
        buf_init(&reply.body, REPLY_BYTES_MAX);
        enum err e = service_add_checkpoint(http->service, &(struct line){ buf_text(body), body->length }, &reply, &why);
        text = reply.body;
        tell(http, e, &reply, &why);
        return send_reply(connection, &reply);
}

static enum MHD_Result checkpoint(const struct http *http, struct MHD_Connection *connection, const char *url)
{
        OWN(buf) struct buf text;
        struct why why;
        struct reply reply = { .status = 500 };
        char name[LEDGER_NAME_MAX];
        snprintf(name, sizeof(name), "%.64s", url + 1);
        buf_init(&reply.body, REPLY_BYTES_MAX);
        enum err e = service_checkpoint(http->service, name, &reply, &why);
        text = reply.body;
        if (e && e != ERR_NOT_FOUND)
                tell(http, e, &reply, &why);
        return send_reply(connection, &reply);
}

static bool is_checkpoint(const char *url)
{
        return strlen(url) == LEDGER_NAME_MAX + strlen("/checkpoint") && strcmp(url + LEDGER_NAME_MAX, "/checkpoint") == 0;
}

static enum MHD_Result route(const struct http *http, struct MHD_Connection *connection, const char *method, const char *url, const struct buf *body)
{
        bool is_get = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
        if (strcmp(url, "/add-checkpoint") == 0)
                return strcmp(method, "POST") == 0 ? add_checkpoint(http, connection, body) : send_text(connection, 405, "POST only\n");
        if (is_checkpoint(url))
                return is_get ? checkpoint(http, connection, url) : send_text(connection, 405, "GET only\n");
        return send_text(connection, 404, "a witness has /add-checkpoint and /HASH/checkpoint\n");
}

/* A body that says it is too large is not waited for. */
static bool is_too_large(struct MHD_Connection *connection)
{
        const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
        return length && strtoull(length, NULL, 10) > WITNESS_REQUEST_MAX;
}

static enum MHD_Result answer(void *user, struct MHD_Connection *connection, const char *url, const char *method, const char *version,
                              const char *upload, size_t *upload_length, void **state)
{
        struct exchange *exchange = *state;
        (void)version;
        if (!exchange) {
                if (is_too_large(connection))
                        return send_text(connection, 413, "the request is too large\n");
                *state = exchange = mem_new(1, sizeof(*exchange));
                if (exchange)
                        buf_init(&exchange->body, WITNESS_REQUEST_MAX);
                return exchange ? MHD_YES : MHD_NO;
        }
        if (!*upload_length)
                return route(user, connection, method, url, &exchange->body);
        buf_add(&exchange->body, upload, *upload_length);
        *upload_length = 0;
        return exchange->body.failed ? MHD_NO : MHD_YES;         /* one in chunks that is too large is cut off */
}

static void forget(void *user, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode code)
{
        struct exchange *exchange = *state;
        (void)user;
        (void)connection;
        (void)code;
        if (exchange)
                buf_done(&exchange->body);
        mem_free(exchange);
        *state = NULL;
}

enum err http_open(int take_socket, const struct service *service, const struct log *log, struct http **ret_http, struct why *why)
{
        OWN(http) struct http *http = mem_new(1, sizeof(*http));
        if (!http) {
                listen_close(take_socket);
                return FAIL(why, ERR_NOMEM, "no memory for HTTP");
        }
        http->service = service;
        http->log = log;
        http->daemon = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, answer, http, MHD_OPTION_LISTEN_SOCKET, take_socket,
                                        MHD_OPTION_NOTIFY_COMPLETED, forget, NULL, MHD_OPTION_CONNECTION_LIMIT, (unsigned)LIMIT_WITNESS_CONNECTIONS,
                                        MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)CONNECTIONS_OF_ONE, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S,
                                        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
        if (!http->daemon) {
                listen_close(take_socket);
                return FAIL(why, ERR_IO, "libmicrohttpd does not start: %s", strerror(errno));
        }
        *ret_http = GIVE(http);
        return OK;
}

enum err http_run(struct http *http, int wait_ms, struct why *why)
{
        if (MHD_run_wait(http->daemon, wait_ms) != MHD_YES && errno != EINTR)
                return FAIL(why, ERR_IO, "waiting for requests: %s", strerror(errno));
        return OK;
}

void http_close(struct http *http)
{
        if (!http)
                return;
        if (http->daemon)
                MHD_stop_daemon(http->daemon);
        mem_free(http);
}
