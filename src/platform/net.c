#include "platform/net.h"

#include "base/mem.h"
#include "platform/file.h"
#include "platform/file_at.h"

#include <assert.h>
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
        CONNECT_MS = 10000,
        STALL_S = 30,
        HEADERS_MAX = 32,      /* of one answer; RFC 9112 has no limit, a server of ours sends under 10 */
};

struct curl_net {
        struct net net;
        CURL *curl;
        bool is_plain_allowed;
        uint32_t connect_ms, stall_s;
        char complaint[CURL_ERROR_SIZE];
};

/* What the callbacks of one exchange share. */
struct exchange {
        struct curl_net *net;
        const struct net_request *request;
        struct net_response *response;
        struct why *why;
        enum err failed;       /* said by a callback; curl itself only knows "aborted by callback" */
        bool is_cut;           /* an error's body was longer than the caller wants to read, who has its status all the same */
        uint64_t received;
        uint64_t at;           /* where the next byte of a download goes */
};

static int status_of(struct exchange *x)
{
        long status = 0;
        curl_easy_getinfo(x->net->curl, CURLINFO_RESPONSE_CODE, &status);
        return (int)status;
}

static enum err write_all(struct exchange *x, const char *bytes, size_t length)
{
        const struct net_download *to = x->request->download;
        if (length > to->bytes_max || x->at > to->bytes_max - length)
                return FAIL(x->why, ERR_LIMIT, "the answer is longer than %llu bytes", (unsigned long long)to->bytes_max);
        if (to->must_go_on && to->from && x->at == 0)
                return FAIL(x->why, ERR_IO, "it does not go on from byte %llu", (unsigned long long)to->from);
        enum err e = x->at == 0 && to->from ? file_at_empty(to->file, x->why) : OK;
        if (e)
                return DURING(x->why, e, "starting the download again");
        e = file_at_write(to->file, x->at, bytes, length, x->why);
        if (e)
                return DURING(x->why, e, "writing the download");
        x->at += length;
        return OK;
}

/* A 200 without a byte starts again too; write_all() never heard of it. */
static enum err end_download(struct exchange *x)
{
        return x->request->download && status_of(x) == 200 && x->at == 0 ? write_all(x, NULL, 0) : OK;
}

/* Of an error's body what there is room for, or nothing. */
static void add_body(struct exchange *x, const char *bytes, size_t length)
{
        struct buf *body = x->response->body;
        bool is_error = status_of(x) >= 300;
        if (is_error && length > body->length_max - body->length) {
                x->is_cut = true;
                return;
        }
        buf_add(body, bytes, length);
        x->failed = buf_check(body, x->why);
        if (x->failed)
                x->failed = DURING(x->why, x->failed, "the answer");
}

static size_t on_body(char *bytes, size_t one, size_t length, void *user)
{
        struct exchange *x = user;
        int status = status_of(x);
        (void)one;
        x->received += length;
        if (x->request->download && (status == 200 || status == 206))
                x->failed = write_all(x, bytes, length);
        else
                add_body(x, bytes, length);
        return x->failed || x->is_cut ? 0 : length;
}

/* The bytes of a 206 begin where we asked, or they would land in the wrong place. */
static enum err check_range(struct exchange *x, const char *line, size_t length)
{
        static const char name[] = "content-range: bytes ";
        unsigned long long from = 0;
        char text[32];
        if (length < sizeof(name) || strncasecmp(line, name, sizeof(name) - 1) != 0 || status_of(x) != 206)
                return OK;
        snprintf(text, sizeof(text), "%.*s", (int)(length - sizeof(name) + 1), line + sizeof(name) - 1);
        if (sscanf(text, "%llu-", &from) != 1 || from != x->request->download->from)
                return FAIL(x->why, ERR_IO, "asked for bytes from %llu, got %.20s", (unsigned long long)x->request->download->from, text);
        return OK;
}

static void keep_wanted(struct net_response *response, const char *line, size_t length)
{
        const char *colon = memchr(line, ':', length);
        if (!colon)
                return;
        const char *value = colon + 1, *end = line + length;
        while (value < end && (*value == ' ' || *value == '\t'))
                value++;
        while (end > value && (end[-1] == '\r' || end[-1] == '\n' || end[-1] == ' '))
                end--;
        for (size_t i = 0; i < response->wanted_count; i++) {
                struct net_wanted *wanted = &response->wanted[i];
                if (strlen(wanted->name) == (size_t)(colon - line) && strncasecmp(wanted->name, line, (size_t)(colon - line)) == 0)
                        snprintf(wanted->value, sizeof(wanted->value), "%.*s", (int)(end - value), value);
        }
}

/* Called for each header line, the status line first; 100-continue has lines of its own before. */
static size_t on_header(char *line, size_t one, size_t length, void *user)
{
        struct exchange *x = user;
        (void)one;
        if (length > 5 && memcmp(line, "HTTP/", 5) == 0) {
                for (size_t i = 0; i < x->response->wanted_count; i++)
                        x->response->wanted[i].value[0] = '\0';
                x->at = x->request->download && status_of(x) == 206 ? x->request->download->from : 0;
        } else {
                keep_wanted(x->response, line, length);
                if (x->request->download)
                        x->failed = check_range(x, line, length);
        }
        return x->failed ? 0 : length;
}

static size_t on_upload(char *bytes, size_t one, size_t length, void *user)
{
        struct exchange *x = user;
        const struct net_upload *upload = x->request->upload;
        size_t got = 0;
        x->failed = upload->read(upload->user, bytes, one * length, &got, x->why);
        return x->failed ? CURL_READFUNC_ABORT : got;
}

static int on_progress(void *user, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up)
{
        struct exchange *x = user;
        const struct net_request *request = x->request;
        if (request->upload)
                request->progress(request->progress_user, (uint64_t)up, (uint64_t)up_total);
        else
                request->progress(request->progress_user, (uint64_t)down, (uint64_t)down_total);
        return 0;
}

static const struct {
        CURLcode code;
        enum err err;
} codes[] = {
        { CURLE_OUT_OF_MEMORY, ERR_NOMEM },
        { CURLE_URL_MALFORMAT, ERR_USAGE },
        { CURLE_UNSUPPORTED_PROTOCOL, ERR_USAGE },
        { CURLE_PEER_FAILED_VERIFICATION, ERR_UNTRUSTED },
        { CURLE_SSL_CACERT_BADFILE, ERR_USAGE },
        { CURLE_SSL_CONNECT_ERROR, ERR_UNAVAILABLE },
        { CURLE_COULDNT_CONNECT, ERR_UNAVAILABLE },
        { CURLE_COULDNT_RESOLVE_HOST, ERR_UNAVAILABLE },
        { CURLE_COULDNT_RESOLVE_PROXY, ERR_UNAVAILABLE },
        { CURLE_GOT_NOTHING, ERR_UNAVAILABLE },
        { CURLE_OPERATION_TIMEDOUT, ERR_TIMEOUT },
};

static enum err failed_by_curl(struct exchange *x, CURLcode code)
{
        if (x->failed)
                return DURING(x->why, x->failed, "%s %.160s", x->request->method, x->request->url);
        enum err e = ERR_IO;
        for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
                if (codes[i].code == code)
                        e = codes[i].err;
        const char *complaint = x->net->complaint[0] ? x->net->complaint : curl_easy_strerror(code);
        return FAIL(x->why, e, "%s %.160s: %s", x->request->method, x->request->url, complaint);
}

/* NULL: the whole file. */
static const char *range_of(const struct net_download *to, char *text, size_t length)
{
        if (!to || (!to->from && !to->part_max))
                return NULL;
        const unsigned long long from = to->from;
        if (to->part_max && to->part_max - 1 <= UINT64_MAX - to->from)
                snprintf(text, length, "%llu-%llu", from, from + to->part_max - 1);
        else
                snprintf(text, length, "%llu-", from);
        return text;
}

static void set_body(CURL *curl, struct exchange *x)
{
        const struct net_request *request = x->request;
        if (request->upload) {
                curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
                curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_upload);
                curl_easy_setopt(curl, CURLOPT_READDATA, x);
                curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)request->upload->length);
        } else if (request->body || strcmp(request->method, "POST") == 0) {
                curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_length);
                curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body ? request->body : "");
        } else if (strcmp(request->method, "HEAD") == 0) {
                curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
        }
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
        /* Not CURLOPT_RESUME_FROM: that makes an error of a 200. The text is copied. */
        char range[48];
        curl_easy_setopt(curl, CURLOPT_RANGE, range_of(request->download, range, sizeof(range)));
}

static void set_callbacks(CURL *curl, struct exchange *x)
{
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
        curl_easy_setopt(curl, CURLOPT_WRITEDATA, x);
        curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
        curl_easy_setopt(curl, CURLOPT_HEADERDATA, x);
        curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)x->request->total_ms);
        curl_easy_setopt(curl, CURLOPT_NOPROGRESS, x->request->progress ? 0L : 1L);
        curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
        curl_easy_setopt(curl, CURLOPT_XFERINFODATA, x);
}

/* Of what one exchange set, so that the next begins as net_open() left it; the connections stay. */
static void set_back(CURL *curl)
{
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, NULL);
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, NULL);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, NULL);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)-1);
        curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)-1);
        curl_easy_setopt(curl, CURLOPT_RANGE, NULL);
        curl_easy_setopt(curl, CURLOPT_UPLOAD, 0L);
        curl_easy_setopt(curl, CURLOPT_NOBODY, 0L);
        curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
}

static void slist_release(struct curl_slist **list)
{
        curl_slist_free_all(*list);
}

static enum err add_header(struct curl_slist **list, const char *name, const char *value, struct why *why)
{
        char line[2048];
        if (strpbrk(name, "\r\n:") || strpbrk(value, "\r\n"))
                return FAIL(why, ERR_USAGE, "a line end inside header %.40s", name);
        if ((size_t)snprintf(line, sizeof(line), "%s: %s", name, value) >= sizeof(line))
                return FAIL(why, ERR_LIMIT, "header %.40s is longer than %zu bytes", name, sizeof(line));
        struct curl_slist *longer = curl_slist_append(*list, line);
        if (!longer)
                return FAIL(why, ERR_NOMEM, "request headers");
        *list = longer;
        return OK;
}

static enum err make_headers(const struct net_request *request, struct curl_slist **list, struct why *why)
{
        if (request->header_count > HEADERS_MAX)
                return FAIL(why, ERR_LIMIT, "%zu request headers, at most %d", request->header_count, HEADERS_MAX);
        enum err e = OK;
        for (size_t i = 0; !e && i < request->header_count; i++)
                e = add_header(list, request->headers[i].name, request->headers[i].value, why);
        /* curl would wait a second for a 100-continue that few servers send. */
        struct curl_slist *longer = e ? NULL : curl_slist_append(*list, "Expect:");
        if (!e && !longer)
                return FAIL(why, ERR_NOMEM, "request headers");
        if (longer)
                *list = longer;
        return e;
}

static enum err curl_exchange(struct net *base, const struct net_request *request, struct net_response *response, struct why *why)
{
        struct curl_net *net = (struct curl_net *)base;
        struct exchange x = { .net = net, .request = request, .response = response, .why = why };
        OWN(slist) struct curl_slist *headers = NULL;
        enum err e = make_headers(request, &headers, why);
        if (e)
                return e;

        response->status = 0;
        response->file_length = response->received = 0;
        for (size_t i = 0; i < response->wanted_count; i++)
                response->wanted[i].value[0] = '\0';
        net->complaint[0] = '\0';
        curl_easy_setopt(net->curl, CURLOPT_HTTPHEADER, headers);
        curl_easy_setopt(net->curl, CURLOPT_URL, request->url);
        set_callbacks(net->curl, &x);
        set_body(net->curl, &x);
        CURLcode code = curl_easy_perform(net->curl);
        set_back(net->curl);

        response->status = status_of(&x);
        response->file_length = x.at;
        response->received = x.received;
        if (code != CURLE_OK && !x.is_cut)
                return failed_by_curl(&x, code);
        return end_download(&x);
}

static const struct net_ops curl_ops = { .exchange = curl_exchange };

static bool set_options(struct curl_net *net, const struct net_config *config)
{
        CURL *curl = net->curl;
        CURLcode bad = CURLE_OK;
        bad |= curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, net->complaint);
        bad |= curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, config->is_plain_allowed ? "http,https" : "https");
        bad |= curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
        bad |= curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
        bad |= curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
        bad |= curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
        bad |= curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
        bad |= curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)(config->connect_ms ? config->connect_ms : CONNECT_MS));
        bad |= curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
        bad |= curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)(config->stall_s ? config->stall_s : STALL_S));
        bad |= curl_easy_setopt(curl, CURLOPT_USERAGENT, config->agent ? config->agent : "firebreak/" FIREBREAK_VERSION);
        if (config->is_direct)
                bad |= curl_easy_setopt(curl, CURLOPT_PROXY, "");
        if (config->ca) {
                struct curl_blob blob = { .data = config->ca->bytes, .len = config->ca->length, .flags = CURL_BLOB_COPY };
                bad |= curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &blob);
                bad |= curl_easy_setopt(curl, CURLOPT_CAINFO, NULL);
                bad |= curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
        } else if (config->ca_file) {
                bad |= curl_easy_setopt(curl, CURLOPT_CAINFO, config->ca_file);
                bad |= curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
        }
        return bad == CURLE_OK;
}

enum err net_open(const struct net_config *config, struct net **ret_net, struct why *why)
{
        if (config->ca_file && !file_can_be_read(config->ca_file))
                return FAIL(why, ERR_NOT_FOUND, "CA file %.150s: it is not there, or not ours to read", config->ca_file);
        if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
                return FAIL(why, ERR_NOMEM, "starting libcurl");
        OWN(net) struct net *net = mem_new(1, sizeof(struct curl_net));
        if (!net)
                return FAIL(why, ERR_NOMEM, "opening the network");
        struct curl_net *curl_net = (struct curl_net *)net;
        net->ops = &curl_ops;
        curl_net->curl = curl_easy_init();
        if (!curl_net->curl || !set_options(curl_net, config))
                return FAIL(why, ERR_NOMEM, "setting up libcurl");
        *ret_net = GIVE(net);
        return OK;
}

void net_close(struct net *net)
{
        if (!net)
                return;
        assert(net->ops == &curl_ops);
        curl_easy_cleanup(((struct curl_net *)net)->curl);
        mem_free(net);
}
