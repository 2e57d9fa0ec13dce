#include "cli/witness_call.h"

#include "platform/net.h"

#include <string.h>

enum {
        CONNECT_MS = 5000, STALL_S = 5,
        CALL_MS = 15000,                 /* a witness needs milliseconds, and a device behind a slow line a few seconds */
        URL_BYTES_MAX = 1024,
};

enum err witness_call_open(struct net **ret_net, struct why *why)
{
        return net_open(&(struct net_config){ .connect_ms = CONNECT_MS, .stall_s = STALL_S, .is_plain_allowed = true }, ret_net, why);
}

enum err witness_call_check(const char *url, struct why *why)
{
        size_t scheme = strncmp(url, "http://", 7) == 0 ? 7 : strncmp(url, "https://", 8) == 0 ? 8 : 0;
        bool is_plain = scheme && url[scheme] && url[scheme] != '/' && strlen(url) <= URL_BYTES_MAX && !strpbrk(url, "@?#\\\"<> ");
        for (const char *c = url; *c; c++)
                is_plain = is_plain && (unsigned char)*c > ' ' && (unsigned char)*c < 0x7f;
        return is_plain ? OK : FAIL(why, ERR_USAGE, "`%.100s` is no address of a witness; write http://HOST[:PORT][/PATH] or https://...", url);
}

enum err witness_call(struct net *net, const char *url, const struct buf *request, int *ret_status, struct buf *answer, struct why *why)
{
        static const struct net_header type = { "Content-Type", "text/plain; charset=utf-8" };
        char whole[URL_BYTES_MAX + 32];
        size_t length = strlen(url);
        while (length && url[length - 1] == '/')
                length--;
        if ((size_t)snprintf(whole, sizeof(whole), "%.*s/add-checkpoint", (int)length, url) >= sizeof(whole))
                return FAIL(why, ERR_USAGE, "an address of more than %d bytes", URL_BYTES_MAX);
        struct net_request asked = { .method = "POST", .url = whole, .headers = &type, .header_count = 1, .body = buf_text(request), .body_length = request->length,
                                     .total_ms = CALL_MS };
        struct net_response response = { .body = answer };
        enum err e = net->ops->exchange(net, &asked, &response, why);
        *ret_status = response.status;
        return e;
}
