#include "server/api/http.h"
#include "support/test.h"

#include <string.h>

#define HOST "Host: a\r\n"
#define GET_LINE "GET / HTTP/1.1\r\n"
#define POST_LINE "POST /v1/checkin HTTP/1.1\r\n"

struct outcome {
        enum http_step step;                   /* GOT_WHOLE, GOT_BAD or WANTS_MORE: how it ended */
        size_t used, body_length;
        bool has_head;
        char body[256];
};

/* In pieces of `portion` bytes, as a socket might bring it. */
static void feed(struct http *http, char *head, const char *bytes, size_t length, size_t portion, struct outcome *outcome)
{
        *outcome = (struct outcome){ .step = HTTP_WANTS_MORE };
        http_begin(http, head);
        while (outcome->used < length || http->state == HTTP_READ_ALL) {
                size_t more = length - outcome->used < portion ? length - outcome->used : portion, used = 0;
                outcome->step = http_take(http, bytes + outcome->used, more, &used);
                outcome->used += used;
                outcome->has_head |= outcome->step == HTTP_GOT_HEAD;
                if (outcome->step == HTTP_GOT_PIECE && outcome->body_length + http->piece_length < sizeof(outcome->body)) {
                        memcpy(outcome->body + outcome->body_length, http->piece, http->piece_length);
                        outcome->body_length += http->piece_length;
                }
                if (outcome->step == HTTP_GOT_WHOLE || outcome->step == HTTP_GOT_BAD)
                        break;
        }
}

static char head[LIMIT_HEADER_BYTES + 1];

static const struct { const char *what, *bytes; int status; } refused[] = {
        { "both lengths", POST_LINE HOST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400 },
        { "both lengths, other order", POST_LINE HOST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400 },
        { "two Content-Length, equal", POST_LINE HOST "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", 400 },
        { "two Content-Length, different", POST_LINE HOST "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx", 400 },
        { "a list of Content-Length", POST_LINE HOST "Content-Length: 1, 1\r\n\r\nx", 400 },
        { "Content-Length with a sign", POST_LINE HOST "Content-Length: +1\r\n\r\nx", 400 },
        { "Content-Length below zero", POST_LINE HOST "Content-Length: -1\r\n\r\nx", 400 },
        { "Content-Length in hex", POST_LINE HOST "Content-Length: 0x1\r\n\r\nx", 400 },
        { "Content-Length with a space in it", POST_LINE HOST "Content-Length: 1 1\r\n\r\nx", 400 },
        { "Content-Length that overflows", POST_LINE HOST "Content-Length: 18446744073709551617\r\n\r\nx", 400 },
        { "empty Content-Length", POST_LINE HOST "Content-Length:\r\n\r\n", 400 },
        { "another Transfer-Encoding", POST_LINE HOST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501 },
        { "Transfer-Encoding identity", POST_LINE HOST "Transfer-Encoding: identity\r\n\r\n", 501 },
        { "Transfer-Encoding in disguise", POST_LINE HOST "Transfer-Encoding: \x0b""chunked\r\n\r\n0\r\n\r\n", 400 },
        { "two Transfer-Encoding", POST_LINE HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400 },
        { "space before the colon", POST_LINE HOST "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400 },
        { "no Host", GET_LINE "\r\n", 400 },
        { "empty Host", GET_LINE "Host:\r\n\r\n", 400 },
        { "Host with a space", GET_LINE "Host: a b\r\n\r\n", 400 },
        { "Host with a user", GET_LINE "Host: b@a\r\n\r\n", 400 },
        { "Host with a path", GET_LINE "Host: a/b\r\n\r\n", 400 },
        { "Host with a second name", GET_LINE "Host: a,b\r\n\r\n", 400 },
        { "two Host", GET_LINE HOST "Host: b\r\n\r\n", 400 },
        { "folded header", GET_LINE HOST "X: 1\r\n 2\r\n\r\n", 400 },
        { "folded first header", GET_LINE " Host: a\r\n\r\n", 400 },
        { "bare LF after the first line", "GET / HTTP/1.1\nHost: a\r\n\r\n", 400 },
        { "bare LF after a header", GET_LINE "Host: a\n\r\n", 400 },
        { "bare LF at the end", GET_LINE HOST "\n", 400 },
        { "bare CR in a value", GET_LINE "Host: a\rX: b\r\n\r\n", 400 },
        { "empty line first", "\r\n" GET_LINE HOST "\r\n", 400 },
        { "control character in a value", GET_LINE "Host: a\x01\r\n\r\n", 400 },
        { "tab in the first line", "GET\t/\tHTTP/1.1\r\n" HOST "\r\n", 400 },
        { "two spaces in the first line", "GET  / HTTP/1.1\r\n" HOST "\r\n", 400 },
        { "space in the path", "GET /a b HTTP/1.1\r\n" HOST "\r\n", 400 },
        { "beyond ASCII in the path", "GET /\xc3\xa4 HTTP/1.1\r\n" HOST "\r\n", 400 },
        { "absolute form", "GET http://a/ HTTP/1.1\r\n" HOST "\r\n", 400 },
        { "authority form", "CONNECT a:443 HTTP/1.1\r\n" HOST "\r\n", 400 },
        { "asterisk form", "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", 400 },
        { "fragment", "GET /a#b HTTP/1.1\r\n" HOST "\r\n", 400 },
        { "no header name", GET_LINE HOST ": x\r\n\r\n", 400 },
        { "no colon", GET_LINE HOST "x\r\n\r\n", 400 },
        { "header name with a space", GET_LINE HOST "a b: x\r\n\r\n", 400 },
        { "HTTP/1.0", "GET / HTTP/1.0\r\n" HOST "\r\n", 505 },
        { "HTTP/2.0", "GET / HTTP/2.0\r\n" HOST "\r\n", 505 },
        { "HTTP/0.9", "GET /\r\n\r\n", 400 },
        { "lower-case version", "GET / http/1.1\r\n" HOST "\r\n", 400 },
        { "unknown method", "BREW / HTTP/1.1\r\n" HOST "\r\n", 501 },
        { "lower-case method", "get / HTTP/1.1\r\n" HOST "\r\n", 501 },
        { "unknown Expect", POST_LINE HOST "Expect: cake\r\nContent-Length: 1\r\n\r\nx", 417 },
        { "chunk size in disguise", POST_LINE HOST "Transfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n", 400 },
        { "chunk extension", POST_LINE HOST "Transfer-Encoding: chunked\r\n\r\n1;a=b\r\na\r\n0\r\n\r\n", 400 },
        { "chunk with bare LF", POST_LINE HOST "Transfer-Encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n", 400 },
        { "chunk without its end", POST_LINE HOST "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n", 400 },
        { "chunk size that overflows", POST_LINE HOST "Transfer-Encoding: chunked\r\n\r\n11111111111111111\r\na\r\n0\r\n\r\n", 400 },
        { "negative chunk size", POST_LINE HOST "Transfer-Encoding: chunked\r\n\r\n-1\r\na\r\n0\r\n\r\n", 400 },
        { "trailer", POST_LINE HOST "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX: y\r\n\r\n", 400 },
};

TEST(http, refuses_what_could_be_read_in_two_ways)
{
        static const size_t portions[] = { 1, 7, 4096 };
        for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
                for (size_t p = 0; p < sizeof(portions) / sizeof(portions[0]); p++) {
                        struct http http;
                        struct outcome outcome;
                        feed(&http, head, refused[i].bytes, strlen(refused[i].bytes), portions[p], &outcome);
                        if (outcome.step != HTTP_GOT_BAD || http.status != refused[i].status)
                                printf("# %s: step %d, status %d, %s\n", refused[i].what, outcome.step, http.status, http.why.text);
                        CHECK(outcome.step == HTTP_GOT_BAD);
                        CHECK(http.status == refused[i].status);
                        CHECK(http.why.text[0]);
                }
}

TEST(http, refuses_a_nul_wherever_it_stands)
{
        static const char good[] = GET_LINE HOST "X: y\r\n\r\n";
        for (size_t at = 0; at < sizeof(good) - 1; at++) {
                char bytes[sizeof(good)];
                memcpy(bytes, good, sizeof(good));
                bytes[at] = 0;
                struct http http;
                struct outcome outcome;
                feed(&http, head, bytes, sizeof(good) - 1, 4096, &outcome);
                CHECK(outcome.step == HTTP_GOT_BAD || (outcome.step == HTTP_WANTS_MORE && !outcome.has_head));
        }
}

TEST(http, reads_a_request_however_it_is_cut)
{
        static const char bytes[] = "POST /v1/checkin?a=b&c HTTP/1.1\r\nhost: example:8443\r\nFIREBREAK-DEVICE:\t0123 \r\nFirebreak-Date: 5\r\n"
                                    "Firebreak-Mac: ab\r\nX-Other: \xc3\xa4\r\nContent-Length: 4\r\n\r\nbodyGET /";
        for (size_t portion = 1; portion < sizeof(bytes); portion++) {
                struct http http;
                struct outcome outcome;
                feed(&http, head, bytes, sizeof(bytes) - 1, portion, &outcome);
                CHECK(outcome.step == HTTP_GOT_WHOLE && outcome.has_head);
                CHECK(outcome.used == sizeof(bytes) - 1 - strlen("GET /"));
                CHECK(outcome.body_length == 4 && memcmp(outcome.body, "body", 4) == 0);
                const struct http_request *request = &http.request;
                CHECK(strcmp(request->method, "POST") == 0 && strcmp(request->path, "/v1/checkin") == 0);
                CHECK(strcmp(request->query, "a=b&c") == 0 && strcmp(request->host, "example:8443") == 0);
                CHECK(strcmp(request->device, "0123") == 0 && strcmp(request->date, "5") == 0 && strcmp(request->mac, "ab") == 0);
                CHECK(request->keeps_alive && request->has_body && !request->is_head && !request->is_chunked);
                CHECK(request->body_length == 4 && !request->range && !request->authorization);
        }
}

TEST(http, joins_chunks_however_they_are_cut)
{
        static const char bytes[] = "PUT /x HTTP/1.1\r\n" HOST "Transfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n0a\r\n0123456789\r\n0\r\n\r\nrest";
        const size_t whole = sizeof(bytes) - 1 - strlen("rest");
        for (size_t portion = 1; portion < 2 * sizeof(bytes); portion++) {
                struct http http;
                struct outcome outcome;
                bool is_last = portion >= sizeof(bytes);               /* nothing comes after it: it must end all the same */
                feed(&http, head, bytes, is_last ? whole : sizeof(bytes) - 1, is_last ? portion - sizeof(bytes) + 1 : portion, &outcome);
                CHECK(outcome.step == HTTP_GOT_WHOLE);
                CHECK(outcome.used == whole);
                CHECK(outcome.body_length == 13 && memcmp(outcome.body, "abc0123456789", 13) == 0);
                CHECK(http.request.is_chunked && http.request.has_body);
        }
}

TEST(http, knows_when_a_client_wants_to_part_or_to_wait)
{
        static const struct { const char *headers; bool keeps_alive, wants_continue; } cases[] = {
                { "Connection: close\r\nContent-Length: 1\r\n", false, false },
                { "Connection: keep-alive, CLOSE\r\nContent-Length: 1\r\n", false, false },
                { "Connection: closed\r\nContent-Length: 1\r\n", true, false },
                { "Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n", true, false },
                { "Expect: 100-Continue\r\nContent-Length: 1\r\n", true, true },
                { "Expect: 100-continue\r\nContent-Length: 0\r\n", true, false },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                char bytes[256];
                int length = snprintf(bytes, sizeof(bytes), "PUT /x HTTP/1.1\r\n" HOST "%s\r\nx", cases[i].headers);
                struct http http;
                struct outcome outcome;
                feed(&http, head, bytes, (size_t)length, 4096, &outcome);
                CHECK(outcome.step == HTTP_GOT_WHOLE);
                CHECK(http.request.keeps_alive == cases[i].keeps_alive && http.request.wants_continue == cases[i].wants_continue);
        }
}

TEST(http, ends_a_head_that_grows_without_end)
{
        struct http http;
        size_t used = 0;
        http_begin(&http, head);
        enum http_step step = http_take(&http, GET_LINE HOST "X: ", strlen(GET_LINE HOST "X: "), &used);
        for (int i = 0; i <= LIMIT_HEADER_BYTES && step == HTTP_WANTS_MORE; i++)
                step = http_take(&http, "x", 1, &used);
        CHECK(step == HTTP_GOT_BAD && http.status == 431);

        http_begin(&http, head);
        step = http_take(&http, GET_LINE HOST, strlen(GET_LINE HOST), &used);
        for (int i = 0; i < LIMIT_HEADERS && step == HTTP_WANTS_MORE; i++)
                step = http_take(&http, "A: b\r\n", 6, &used);
        step = http_take(&http, "\r\n", 2, &used);
        CHECK(step == HTTP_GOT_BAD && http.status == 431);
}

TEST(http, ends_a_path_that_is_too_long)
{
        char bytes[LIMIT_TARGET_BYTES + 100];
        memset(bytes, 'a', sizeof(bytes));
        memcpy(bytes, "GET /", 5);
        memcpy(bytes + 5 + LIMIT_TARGET_BYTES, " HTTP/1.1\r\nHost: a\r\n\r\n", 23);
        struct http http;
        struct outcome outcome;
        feed(&http, head, bytes, strlen(bytes), 4096, &outcome);
        CHECK(outcome.step == HTTP_GOT_BAD && http.status == 414);
}

TEST(http, asks_for_nothing_more_after_it_refused)
{
        struct http http;
        struct outcome outcome;
        feed(&http, head, " BAD\r\n", 6, 4096, &outcome);
        CHECK(outcome.step == HTTP_GOT_BAD);
        size_t used = 9;
        CHECK(http_take(&http, GET_LINE HOST "\r\n", 10, &used) == HTTP_GOT_BAD && used == 0);
}
