#include "server/api/http.h"

#include "server/api/head.h"

#include <assert.h>
#include <string.h>

/* The parser is stopped at the end of a chunk that gave a piece, and of the message: so a call gives at most one piece. The
 * last chunk is empty, and nothing may come after it that would wake the parser again. */
static int on_chunk(llhttp_t *parser)
{
        return ((struct http *)parser->data)->piece_length ? HPE_PAUSED : 0;
}

static int on_end(llhttp_t *parser)
{
        ((struct http *)parser->data)->is_ended = true;
        return HPE_PAUSED;
}

static int on_body(llhttp_t *parser, const char *at, size_t length)
{
        struct http *http = parser->data;
        http->piece = at;
        http->piece_length = length;
        return 0;
}

/* We speak one protocol: a wish to change it is passed over, as RFC 9110 allows. */
static int on_head(llhttp_t *parser)
{
        parser->upgrade = 0;
        return 0;
}

/* Extensions of chunks and headers after them mean nothing to us, and other readers have been fooled with them. */
static int refuse(llhttp_t *parser, const char *at, size_t length)
{
        (void)at;
        struct http *http = parser->data;
        return http->state == HTTP_READS_BODY && length ? HPE_USER : 0;
}

static const llhttp_settings_t settings = {
        .on_headers_complete = on_head,
        .on_body = on_body,
        .on_chunk_complete = on_chunk,
        .on_message_complete = on_end,
        .on_header_field = refuse,
        .on_chunk_extension_name = refuse,
};

void http_begin(struct http *http, char *head)
{
        *http = (struct http){ .head = head };
        llhttp_init(&http->parser, HTTP_REQUEST, &settings);
        http->parser.data = http;
}

static enum http_step bad(struct http *http, int status)
{
        http->state = HTTP_IS_BROKEN;
        http->status = status;
        return HTTP_GOT_BAD;
}

/* What the parser says about how long the body is must be what our own reader says. */
static bool is_agreed(const struct http *http)
{
        const llhttp_t *parser = &http->parser;
        const struct http_request *request = &http->request;
        if (request->is_chunked != ((parser->flags & F_CHUNKED) != 0) && !http->is_ended)
                return false;
        return request->has_body != http->is_ended && (request->is_chunked || http->is_ended || parser->content_length == request->body_length);
}

static enum http_step read_head(struct http *http)
{
        int status = head_read(http->head, http->head_length, &http->request, &http->why);
        if (status)
                return bad(http, status);
        return HTTP_GOT_HEAD;
}

/* The whole head is there. The parser goes first: our reader writes NULs into it. */
static enum http_step parse_head(struct http *http)
{
        enum llhttp_errno e = llhttp_execute(&http->parser, http->head, http->head_length);
        enum http_step step = read_head(http);
        if (step == HTTP_GOT_BAD)
                return step;
        if (e != HPE_OK && e != HPE_PAUSED) {
                (void)FAIL(&http->why, ERR_SYNTAX, "%s", llhttp_get_error_reason(&http->parser));
                return bad(http, e == HPE_INVALID_METHOD ? 501 : 400);
        }
        if (!is_agreed(http)) {
                (void)FAIL(&http->why, ERR_SYNTAX, "the length of the body can be read in two ways");
                return bad(http, 400);
        }
        http->state = http->is_ended ? HTTP_READ_ALL : HTTP_READS_BODY;
        return step;
}

/* Copies up to the end of the head, a line at a time, and stops at the first line that cannot be right. */
static enum http_step collect_head(struct http *http, const char *bytes, size_t length, size_t *ret_used)
{
        for (*ret_used = 0; *ret_used < length;) {
                const char *from = bytes + *ret_used;
                const char *end = memchr(from, '\n', length - *ret_used);
                size_t more = end ? (size_t)(end + 1 - from) : length - *ret_used;
                if (more > LIMIT_HEADER_BYTES - http->head_length) {
                        (void)FAIL(&http->why, ERR_LIMIT, "the headers are longer than %d bytes", LIMIT_HEADER_BYTES);
                        return bad(http, 431);
                }
                memcpy(http->head + http->head_length, from, more);
                http->head_length += more;
                *ret_used += more;
                if (!end)
                        break;
                size_t line = http->line_at;
                http->line_at = http->head_length;
                if (http->head_length - line == 2 && http->head[line] == '\r' && line)
                        return parse_head(http);
                int status = head_line_check(http->head + line, http->head_length - line, line == 0, &http->why);
                if (status)
                        return bad(http, status);
        }
        return HTTP_WANTS_MORE;
}

/* One run of the parser: to the end of the bytes, of a chunk or of the message. */
static bool run_body(struct http *http, const char *bytes, size_t length, size_t *ret_used)
{
        llhttp_resume(&http->parser);
        enum llhttp_errno e = llhttp_execute(&http->parser, bytes, length);
        *ret_used = e == HPE_PAUSED ? (size_t)(llhttp_get_error_pos(&http->parser) - bytes) : length;
        if (e == HPE_OK || e == HPE_PAUSED)
                return true;
        (void)FAIL(&http->why, ERR_SYNTAX, "the body is not as its headers say: %s",
                   e == HPE_USER ? "chunk extensions and trailers are not taken" : llhttp_get_error_reason(&http->parser));
        return false;
}

static enum http_step take_body(struct http *http, const char *bytes, size_t length, size_t *ret_used)
{
        http->piece_length = 0;
        while (*ret_used < length && !http->piece_length && !http->is_ended) {
                size_t used = 0;
                if (!run_body(http, bytes + *ret_used, length - *ret_used, &used))
                        return bad(http, 400);
                *ret_used += used;
        }
        if (http->is_ended)
                http->state = HTTP_READ_ALL;
        if (http->piece_length)
                return HTTP_GOT_PIECE;
        return http->is_ended ? HTTP_GOT_WHOLE : HTTP_WANTS_MORE;
}

enum http_step http_take(struct http *http, const char *bytes, size_t length, size_t *ret_used)
{
        assert(http->head);
        *ret_used = 0;
        switch (http->state) {
        case HTTP_READS_HEAD:
                return collect_head(http, bytes, length, ret_used);
        case HTTP_READS_BODY:
                return take_body(http, bytes, length, ret_used);
        case HTTP_READ_ALL:
                return HTTP_GOT_WHOLE;
        case HTTP_IS_BROKEN:
        default:
                return HTTP_GOT_BAD;
        }
}
