/* http.h - HTTP/1.1 requests out of bytes: strict, without sockets, one request at a time.
 *
 *      http_begin(&http, head);                      a new request; `head` is the caller's memory
 *      switch (http_take(&http, bytes, length, &used)) ...
 *
 * Two readers must agree on each head: our own, which knows one spelling of everything (CR LF, no folding, one Host, at most
 * one Content-Length, never with Transfer-Encoding), and llhttp, which also cuts the body out. What only one of them takes is
 * refused: that is how requests are smuggled. After HTTP_GOT_BAD the connection can only be closed.
 *
 * Knows nothing of routes, timeouts or answers: see connection.h, service.h. */
#pragma once

#include "base/err.h"
#include "base/limits.h"

#include <llhttp/llhttp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Texts end with NUL and live in the head's memory until the next http_begin(). Headers that were not sent are NULL. */
struct http_request {
        const char *method, *path, *query;     /* origin-form, as sent; `query` without the question mark */
        const char *host, *content_length, *transfer_encoding, *expect, *connection;
        const char *authorization, *device, *date, *mac, *signature;
        const char *range, *if_range, *if_none_match;
        bool is_head, keeps_alive;
        bool has_body;                         /* more than nothing follows the head */
        bool is_chunked;                       /* then the length is not known before the end */
        bool wants_continue;                   /* the client waits for a 100 before it sends the body */
        uint64_t body_length;
};

enum http_step {
        HTTP_WANTS_MORE,                             /* all bytes are used; bring more */
        HTTP_GOT_HEAD,                             /* once a request: `request` can be read */
        HTTP_GOT_PIECE,                            /* some of the body: `piece`, in the bytes that were given */
        HTTP_GOT_WHOLE,                            /* once a request: it has ended; http_begin() the next one */
        HTTP_GOT_BAD,                              /* `status` and `why` say what to answer */
};

enum http_state { HTTP_READS_HEAD, HTTP_READS_BODY, HTTP_READ_ALL, HTTP_IS_BROKEN };

struct http {
        llhttp_t parser;
        struct http_request request;
        enum http_state state;
        char *head;                            /* borrowed: LIMIT_HEADER_BYTES + 1 */
        size_t head_length, line_at;
        bool is_ended;                         /* the parser saw the end of the message */
        const char *piece;
        size_t piece_length;
        int status;
        struct why why;
};

void http_begin(struct http *http, char *head);
enum http_step http_take(struct http *http, const char *bytes, size_t length, size_t *ret_used);
/* Nothing of a request has come yet. */
static inline bool http_is_idle(const struct http *http) { return http->state == HTTP_READS_HEAD && http->head_length == 0; }
