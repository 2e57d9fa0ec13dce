#include "cli/api.h"

#include "base/arena.h"
#include "base/limits.h"
#include "base/mem.h"
#include "cli/settings.h"
#include "format/json.h"
#include "platform/disk.h"
#include "platform/file.h"
#include "platform/net.h"

#include <string.h>

enum {
        ANSWER_BYTES_MAX = 16 << 20,     /* a page of devices is under 1 MB, a release with 8,192 files under 2 */
        CALL_MS = 60000,
        PAGE = 500,                      /* asked for at once; the server may give fewer */
        KEY_BYTES_MAX = 512,
        LINE_BYTES_MAX = 200,            /* of an answer that is no problem of ours */
};

struct api {
        struct net *net, *own_net;       /* the same, unless the network is a test's */
        struct arena *arena;
        struct settings settings;
        char authorization[KEY_BYTES_MAX + 16];
};

static enum err read_key(struct api *api, struct why *why)
{
        OWN(buf) struct buf key;
        buf_init(&key, KEY_BYTES_MAX);
        if (!api->settings.key_file)
                return FAIL(why, ERR_USAGE, "no API key; give --key-file FILE or set FIREBREAK_KEY_FILE (the server writes DATA/admin.key)");
        enum err e = file_read(api->settings.key_file, &key, why);
        if (e)
                return DURING(why, e, "the API key");
        size_t length = strcspn(buf_text(&key), "\r\n");
        if (length < 8 || strspn(buf_text(&key) + length, "\r\n") != key.length - length)
                return FAIL(why, ERR_USAGE, "%.150s does not hold an API key: one line is expected", api->settings.key_file);
        snprintf(api->authorization, sizeof(api->authorization), "Bearer %.*s", (int)length, buf_text(&key));
        return OK;
}

/* Plain HTTP would give the key away, and the server speaks none. */
static enum err check_server(const char *server, struct why *why)
{
        if (strncmp(server, "https://", 8) == 0)
                return OK;
        if (strncmp(server, "http://", 7) == 0)
                return FAIL(why, ERR_USAGE, "server `%.100s`: the server speaks HTTPS only; write https://%.100s", server, server + 7);
        return FAIL(why, ERR_USAGE, "server `%.100s` does not begin with https://; write https://HOST:PORT", server);
}

static enum err open_api(struct cli *cli, bool has_key, struct api **ret_api, struct why *why)
{
        OWN(api) struct api *api = mem_new(1, sizeof(*api));
        if (!api)
                return FAIL(why, ERR_NOMEM, "opening the API");
        api->arena = arena_new(LIMIT_YAML_BYTES);
        if (!api->arena)
                return FAIL(why, ERR_NOMEM, "opening the API");
        enum err e = settings_read(cli->args, api->arena, &api->settings, why);
        if (e)
                return e;
        if (!api->settings.server)
                return FAIL(why, ERR_USAGE, "no server; give --server https://HOST:PORT or set FIREBREAK_SERVER");
        e = check_server(api->settings.server, why);
        if (e)
                return e;
        e = has_key ? read_key(api, why) : OK;
        api->net = cli->net;
        if (!e && !api->net) {
                e = net_open(&(struct net_config){ .ca_file = api->settings.ca }, &api->own_net, why);
                api->net = api->own_net;
        }
        if (e)
                return e;
        *ret_api = GIVE(api);
        return OK;
}

enum err api_open(struct cli *cli, struct api **ret_api, struct why *why)
{
        return open_api(cli, true, ret_api, why);
}

enum err api_open_public(struct cli *cli, struct api **ret_api, struct why *why)
{
        return open_api(cli, false, ret_api, why);
}

void api_close(struct api *api)
{
        if (!api)
                return;
        net_close(api->own_net);
        arena_free(api->arena);
        explicit_bzero(api->authorization, sizeof(api->authorization));
        mem_free(api);
}

const char *api_server(const struct api *api)
{
        return api->settings.server;
}

/* The first line of a body that is neither JSON nor a page: whoever is there instead of our server may say why in plain words. */
static const char *first_line(const struct buf *body, char line[static LINE_BYTES_MAX])
{
        const char *text = buf_text(body) + strspn(buf_text(body), " \t\r\n");
        snprintf(line, LINE_BYTES_MAX, "%.*s", (int)strcspn(text, "\r\n"), text);
        return line[0] && !strchr("<{[", line[0]) ? line : NULL;
}

static enum err refused(const struct api *api, const struct net_response *response, struct why *why)
{
        OWN(json) struct json *problem = NULL;
        if (json_parse(buf_text(response->body), response->body->length, ANSWER_BYTES_MAX, &problem, NULL) != OK)
                problem = NULL;
        enum err e = err_from_http(json_text(json_get(problem, "code")), response->status);
        const char *detail = json_text(json_get(problem, "detail"));
        if (response->status == 401 && api->authorization[0])
                return FAIL(why, e, "the server does not know the key in %.120s", api->settings.key_file);
        char line[LINE_BYTES_MAX];
        if (!detail && first_line(response->body, line))
                return FAIL(why, e, "%.100s answered with status %d: %s", api->settings.server, response->status, line);
        if (!detail)
                return FAIL(why, e, "%.100s answered with status %d and no reason", api->settings.server, response->status);
        return FAIL(why, e, "%s", detail);
}

struct exchange {
        const char *path, *type;         /* of what is sent; NULL: JSON */
        struct net_request request;
        struct buf *body;                /* of the answer */
        int status;
};

/* `path` below the server's root. OK when there was an answer. */
static enum err exchange(struct api *api, struct exchange *x, struct why *why)
{
        char url[2048];
        struct net_header headers[3] = { { "Content-Type", x->type ? x->type : "application/json" } };
        size_t count = 1;
        size_t length = strlen(api->settings.server);
        while (length && api->settings.server[length - 1] == '/')
                length--;
        if ((size_t)snprintf(url, sizeof(url), "%.*s%s", (int)length, api->settings.server, x->path) >= sizeof(url))
                return FAIL(why, ERR_USAGE, "the address is longer than %zu bytes", sizeof(url));
        if (api->authorization[0])
                headers[count++] = (struct net_header){ "Authorization", api->authorization };
        if (x->request.header_count)
                headers[count++] = x->request.headers[0];
        x->request.url = url;
        x->request.headers = headers;
        x->request.header_count = count;
        struct net_response response = { .body = x->body };
        enum err e = api->net->ops->exchange(api->net, &x->request, &response, why);
        x->status = response.status;
        if (e == ERR_UNTRUSTED && !api->settings.ca)
                return DURING(why, e, "give --ca FILE or set FIREBREAK_CA (the server writes DATA/tls/cert.pem)");
        return e;
}

/* Ours is always an object with something in it. */
static enum err read_answer(const struct api *api, const struct buf *bytes, struct json **ret_answer, struct why *why)
{
        OWN(json) struct json *answer = NULL;
        enum err e = json_parse(buf_text(bytes), bytes->length, ANSWER_BYTES_MAX, &answer, why);
        if (!e && (json_type(answer) != JSON_OBJECT || !json_count(answer)))
                e = FAIL(why, ERR_SYNTAX, "it says nothing; is that a Firebreak server?");
        if (e)
                return DURING(why, e, "the answer of %.80s", api->settings.server);
        *ret_answer = GIVE(answer);
        return OK;
}

enum err api_ask(struct api *api, const char *path, const struct api_call *call, struct json **ret_answer, struct why *why)
{
        char whole[1024];
        OWN(buf) struct buf sent, answer;
        buf_init(&sent, LIMIT_REQUEST_BYTES * 4);
        buf_init(&answer, ANSWER_BYTES_MAX);
        enum err e = call->body ? json_write(call->body, 0, &sent, why) : OK;
        if (e)
                return e;
        snprintf(whole, sizeof(whole), "/api/v1%s", path);
        struct exchange x = { .path = whole, .body = &answer };
        x.request = (struct net_request){ .method = call->method, .total_ms = CALL_MS, .body = call->body ? buf_text(&sent) : NULL,
                                          .body_length = sent.length };
        e = exchange(api, &x, why);
        if (e)
                return e;
        if (x.status < 200 || x.status > 299) {
                struct net_response response = { .status = x.status, .body = &answer };
                return refused(api, &response, why);
        }
        return read_answer(api, &answer, ret_answer, why);
}

enum err api_get(struct api *api, const char *path, struct json **ret_answer, struct why *why)
{
        return api_ask(api, path, &(struct api_call){ .method = "GET" }, ret_answer, why);
}

enum err api_ask_text(struct api *api, const struct api_text *text, struct buf *into, struct why *why)
{
        struct exchange x = { .path = text->path, .type = "text/plain; charset=utf-8", .body = into };
        x.request = (struct net_request){ .method = text->body ? "POST" : "GET", .total_ms = CALL_MS, .body = text->body ? buf_text(text->body) : NULL,
                                          .body_length = text->body ? text->body->length : 0 };
        enum err e = exchange(api, &x, why);
        if (!e && (x.status < 200 || x.status > 299)) {
                struct net_response response = { .status = x.status, .body = into };
                e = refused(api, &response, why);
        }
        if (e)
                buf_clear(into);
        return e;
}

/* Cursors are the server's; only such as need no escaping in a query are sent back. */
static bool cursor_is_good(const char *cursor)
{
        static const char good[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~-/:";
        return cursor[0] && strlen(cursor) < 512 && strspn(cursor, good) == strlen(cursor);
}

static void take_page(const struct json *page, struct api_list *list, struct json *items)
{
        for (size_t i = 0; i < json_count(page); i++)
                if ((int64_t)json_count(items) < list->most)
                        json_add(items, json_copy(json_at(page, i)));
                else
                        list->has_more = true;
}

enum err api_list(struct api *api, struct api_list *list, struct json **ret_items, struct why *why)
{
        OWN(json) struct json *items = json_new_array();
        char cursor[512] = "";
        do {
                OWN(json) struct json *page = NULL;
                char query[1024];
                int64_t left = list->most - (int64_t)json_count(items);
                snprintf(query, sizeof(query), "%s?limit=%lld%s%s", list->path, (long long)(left < PAGE ? left : PAGE), cursor[0] ? "&cursor=" : "", cursor);
                enum err e = api_get(api, query, &page, why);
                if (e)
                        return e;
                const struct json *found = json_get(page, "items");
                if (!found || json_type(found) != JSON_ARRAY)
                        return FAIL(why, ERR_SYNTAX, "the server's list has no items");
                take_page(found, list, items);
                const char *next = json_text(json_get(page, "next"));
                if (next && !cursor_is_good(next))
                        return FAIL(why, ERR_SYNTAX, "the server's list goes on at a strange place");
                if (next && (strcmp(next, cursor) == 0 || json_count(found) == 0))
                        return FAIL(why, ERR_SYNTAX, "the server's list does not end");
                snprintf(cursor, sizeof(cursor), "%s", next ? next : "");
                list->has_more |= cursor[0] && (int64_t)json_count(items) >= list->most;
        } while (cursor[0] && (int64_t)json_count(items) < list->most && json_is_whole(items));
        if (!json_is_whole(items))
                return FAIL(why, ERR_NOMEM, "the list");
        *ret_items = GIVE(items);
        return OK;
}

enum err api_has_artifact(struct api *api, const char *sha256, bool *ret_has, struct why *why)
{
        char path[128];
        OWN(buf) struct buf answer;
        buf_init(&answer, ANSWER_BYTES_MAX);
        snprintf(path, sizeof(path), "/v1/artifacts/%.64s", sha256);
        /* One byte tells; an empty artifact has no first byte and answers 416. */
        struct net_header range = { "Range", "bytes=0-0" };
        struct exchange x = { .path = path, .body = &answer };
        x.request = (struct net_request){ .method = "GET", .headers = &range, .header_count = 1, .total_ms = CALL_MS };
        enum err e = exchange(api, &x, why);
        if (e)
                return e;
        *ret_has = x.status == 206 || x.status == 200 || x.status == 416;
        if (!*ret_has && x.status != 404) {
                struct net_response response = { .status = x.status, .body = &answer };
                return refused(api, &response, why);
        }
        return OK;
}

struct source {
        struct disk *disk;
        int file;
};

static enum err read_source(void *user, void *bytes, size_t bytes_max, size_t *ret_length, struct why *why)
{
        struct source *source = user;
        return source->disk->ops->file_read(source->disk, source->file, bytes, bytes_max, ret_length, why);
}

static enum err put_open_file(struct api *api, const struct api_artifact *artifact, const struct net_upload *upload, struct why *why)
{
        char path[128];
        OWN(buf) struct buf answer;
        buf_init(&answer, ANSWER_BYTES_MAX);
        snprintf(path, sizeof(path), "/api/v1/artifacts/%.64s", artifact->sha256);
        struct exchange x = { .path = path, .body = &answer };
        x.request = (struct net_request){ .method = "PUT", .upload = upload, .progress = artifact->progress, .progress_user = artifact->user };
        enum err e = exchange(api, &x, why);
        if (!e && (x.status < 200 || x.status > 299)) {
                struct net_response response = { .status = x.status, .body = &answer };
                e = refused(api, &response, why);
        }
        return e;
}

enum err api_put_artifact(struct api *api, const struct api_artifact *artifact, struct why *why)
{
        struct source source = { .disk = artifact->disk };
        uint64_t length = 0;
        enum err e = artifact->disk->ops->open(artifact->disk, artifact->path, &source.file, &length, why);
        if (!e) {
                e = put_open_file(api, artifact, &(struct net_upload){ .length = length, .read = read_source, .user = &source }, why);
                artifact->disk->ops->file_close(artifact->disk, source.file);
        }
        return e ? DURING(why, e, "uploading %.100s", artifact->path) : OK;
}
