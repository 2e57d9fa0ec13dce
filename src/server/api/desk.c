#include "server/api/desk.h"

#include "platform/clock.h"
#include "server/api/front.h"
#include "wire/device.h"
#include "wire/problem.h"

#include <openssl/crypto.h>
#include <string.h>

enum { SMALL_BYTES = 8 << 10 };                /* answers that are copied, not shared */

typedef void step(struct desk *desk, struct exchange *exchange);

static int64_t now_s(void)
{
        return clock_system()->ops->wall_s(clock_system());
}

/* ---- what is answered here ---- */

static void checkin_head(struct desk *desk, struct exchange *exchange)
{
        struct why why = { 0 };
        (void)desk;
        enum err e = checkin_check_head(exchange->request, now_s(), &why);
        if (e)
                exchange_fail(exchange, e, &why);
        else
                exchange_collect(exchange, exchange->route->body_max);
}

static void checkin_whole(struct desk *desk, struct exchange *exchange)
{
        checkin_answer(&desk->checkin, exchange, now_s(), front_date(desk->front));
}

static void answer_metadata(struct desk *desk, struct exchange *exchange, const char *repository)
{
        const char *name = exchange->captures.items[0].bytes;
        const struct cache_file *file = cache_find(desk->cache, repository, name, exchange->captures.items[0].length);
        if (!file) {
                exchange_refuse(exchange, 404, ERR_NOT_FOUND, "there is no such metadata file");
                return;
        }
        char headers[160];
        bool is_known = etag_is_in(exchange->request->if_none_match, file->etag);
        /* A file with a version in its name never changes. */
        bool is_fixed = name[0] >= '0' && name[0] <= '9';
        snprintf(headers, sizeof(headers), "ETag: %s\r\nCache-Control: %s\r\n", file->etag, is_fixed ? "public, max-age=31536000, immutable" : "no-cache");
        if (is_known)
                exchange_answer(exchange, &(struct answer){ .status = 304, .headers = headers });
        else
                exchange_answer(exchange, &(struct answer){ .status = 200, .type = "application/json", .headers = headers,
                                                            .length = file->content->length, .take_block = block_share(file->content) });
}

static void release_whole(struct desk *desk, struct exchange *exchange)
{
        answer_metadata(desk, exchange, "release");
}

static void director_whole(struct desk *desk, struct exchange *exchange)
{
        answer_metadata(desk, exchange, "director");
}

static void get_whole(struct desk *desk, struct exchange *exchange)
{
        artifact_download(&desk->artifacts, exchange);
}

static void delta_whole(struct desk *desk, struct exchange *exchange)
{
        delta_download(&desk->artifacts, exchange);
}

static void log_whole(struct desk *desk, struct exchange *exchange)
{
        log_files_download(&desk->log_files, exchange);
}

static void put_head(struct desk *desk, struct exchange *exchange)
{
        artifact_upload(&desk->artifacts, exchange);
}

static void health_whole(struct desk *desk, struct exchange *exchange)
{
        (void)desk;
        exchange_answer(exchange, &(struct answer){ .status = 200, .type = "text/plain", .headers = "Cache-Control: no-store\r\n", .bytes = "ok\n", .length = 3 });
}

static void enrol_head(struct desk *desk, struct exchange *exchange)
{
        if (rate_take(&desk->enrol, exchange->address, exchange->began_ms))
                exchange_collect(exchange, exchange->route->body_max);
        else
                exchange_refuse(exchange, 429, ERR_BUSY, "too many enrolments from this address; try again in a second");
}

/* ---- what the store answers ---- */

/* A report of harm is what the server is for: it is taken even when others are turned away. */
static bool is_urgent(const struct exchange *exchange)
{
        struct wire_report report;
        return exchange->route->id == ROUTE_DEVICE_REPORT && wire_report_read(buf_text(&exchange->body), exchange->body.length, &report, NULL) == OK &&
               strcmp(report.outcome, wire_outcome_word(WIRE_HARMED)) == 0;
}

static void ask_store(struct desk *desk, struct exchange *exchange)
{
        const struct http_request *from = exchange->request;
        const struct store_request request = {
                .route = exchange->route->id, .captures = exchange->captures, .method = from->method, .path = from->path, .query = from->query,
                .device = from->device, .date = from->date, .signature = from->signature, .authorization = from->authorization,
                .body = { buf_text(&exchange->body), exchange->body.length },
        };
        enum err e = store_link_ask(desk->link, exchange, &request, false, NULL);
        if (e && is_urgent(exchange))
                e = store_link_ask(desk->link, exchange, &request, true, NULL);
        if (!e)
                return;
        desk->turned_away++;
        exchange_refuse(exchange, 503, ERR_BUSY, "the server is too busy; ask again in a second");
}

void desk_deliver(struct desk *desk, struct exchange *exchange, const struct ipc_answer *from)
{
        (void)desk;
        struct answer answer = {
                .status = from->status, .type = from->type, .headers = "Cache-Control: no-store\r\n", .retry_after_s = from->retry_after_s,
                .length = from->body.length,
        };
        if (from->body.length <= SMALL_BYTES)
                answer.bytes = from->body.bytes;
        else
                answer.take_block = block_new(from->body.bytes, from->body.length);
        if (!answer.bytes && !answer.take_block && answer.length)
                exchange_fail(exchange, ERR_NOMEM, NULL);
        else
                exchange_answer(exchange, &answer);
}

/* ---- which is which ---- */

/* head NULL: take the body, then `whole`. whole NULL: ask the store. */
static const struct { step *head, *whole; } steps[ROUTES] = {
        [ROUTE_DEVICE_CHECKIN] = { checkin_head, checkin_whole },
        [ROUTE_DEVICE_ENROL] = { enrol_head, NULL },
        [ROUTE_TUF_RELEASE] = { NULL, release_whole },
        [ROUTE_TUF_DIRECTOR] = { NULL, director_whole },
        [ROUTE_TARGET_OF_RELEASE] = { NULL, get_whole },
        [ROUTE_TARGET_OF_DIRECTOR] = { NULL, get_whole },
        [ROUTE_ARTIFACT_GET] = { NULL, get_whole },
        [ROUTE_NOTE_GET] = { NULL, get_whole },
        [ROUTE_DELTA_GET] = { NULL, delta_whole },
        [ROUTE_LOG_CHECKPOINT] = { NULL, log_whole },
        [ROUTE_LOG_TILE] = { NULL, log_whole },
        [ROUTE_LOG_PROOF] = { NULL, log_whole },
        [ROUTE_APPROVAL_GET] = { NULL, log_whole },
        [ROUTE_ARTIFACT_PUT] = { put_head, NULL },
        [ROUTE_HEALTHZ] = { NULL, health_whole },
};

/* In a time that does not tell how much of the key was right. */
static bool has_key(const struct desk *desk, const struct http_request *request)
{
        static const char scheme[] = "Bearer ";
        const char *text = request->authorization;
        size_t length = strlen(desk->admin_key);
        return text && strncmp(text, scheme, sizeof(scheme) - 1) == 0 && strlen(text) == sizeof(scheme) - 1 + length &&
               CRYPTO_memcmp(text + sizeof(scheme) - 1, desk->admin_key, length) == 0;
}

static bool is_route_found(struct exchange *exchange)
{
        struct why why = { 0 };
        char allowed[32], headers[64];
        const struct http_request *request = exchange->request;
        const struct route_request asked = { request->method, request->path, strlen(request->path) };
        enum err e = route_find(&asked, &exchange->route, &exchange->captures, allowed, &why);
        if (!e)
                return true;
        exchange->route = NULL;
        if (e == ERR_USAGE) {
                OWN(buf) struct buf document;
                buf_init(&document, 1024);
                problem_write_status(405, e, why.text, &document);
                snprintf(headers, sizeof(headers), "Allow: %s\r\n", allowed);
                exchange_answer(exchange, &(struct answer){ .status = 405, .type = PROBLEM_TYPE, .headers = headers, .bytes = buf_text(&document),
                                                            .length = document.length });
                return false;
        }
        exchange_fail(exchange, e, &why);
        return false;
}

static void on_head(struct service *service, struct exchange *exchange)
{
        struct desk *desk = (struct desk *)service;
        if (!is_route_found(exchange))
                return;
        const struct route *route = exchange->route;
        if (route->auth == ROUTE_AUTH_KEY && !has_key(desk, exchange->request))
                exchange_refuse(exchange, 401, ERR_UNAUTHORIZED, "Authorization: Bearer KEY is missing or wrong; the key is in the server's admin.key");
        else if (steps[route->id].head)
                steps[route->id].head(desk, exchange);
        else
                exchange_collect(exchange, route->body_max);
}

static void on_whole(struct service *service, struct exchange *exchange)
{
        struct desk *desk = (struct desk *)service;
        step *whole = steps[exchange->route->id].whole;
        if (whole)
                whole(desk, exchange);
        else
                ask_store(desk, exchange);
}

static void on_gone(struct service *service, struct exchange *exchange)
{
        struct desk *desk = (struct desk *)service;
        step *whole = exchange->route ? steps[exchange->route->id].whole : NULL;
        if (whole == get_whole || whole == delta_whole || whole == log_whole)
                download_gone(exchange);
        else
                store_link_forget(desk->link, exchange);
}

static void on_done(struct service *service, struct exchange *exchange)
{
        (void)service;
        (void)exchange;
}

static const struct service_ops ops = { on_head, on_whole, on_gone, on_done };

void desk_init(struct desk *desk, const struct desk_config *config)
{
        *desk = (struct desk){ .service = { &ops }, .cache = config->cache, .admin_key = config->admin_key };
        checkin_init(&desk->checkin, config->secret, config->cache);
        rate_init(&desk->enrol, LIMIT_ENROL_BURST, LIMIT_ENROL_PER_S, config->seed);
}

void desk_done(struct desk *desk)
{
        checkin_done(&desk->checkin);
}
