#include "server/api/head.h"

#include "server/api/http.h"

#include <string.h>
#include <strings.h>

/* RFC 9110, 5.6.2. */
static bool is_token(char c)
{
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static int refuse(struct why *why, int status, const char *text)
{
        (void)FAIL(why, ERR_SYNTAX, "%s", text);
        return status;
}

/* Visible bytes, spaces, and in headers tabs and what is beyond ASCII. */
static bool is_clean(const char *line, size_t length, bool is_first)
{
        for (size_t i = 0; i < length; i++) {
                unsigned char c = (unsigned char)line[i];
                bool is_good = c >= 0x80 || c == '\t' ? !is_first : c >= ' ' && c != 0x7F;
                if (!is_good)
                        return false;
        }
        return true;
}

static int check_header(const char *line, size_t length, struct why *why)
{
        size_t name = 0;
        while (name < length && is_token(line[name]))
                name++;
        if (name == 0 && length && (line[0] == ' ' || line[0] == '\t'))
                return refuse(why, 400, "a header that goes on in the next line (folding) is not taken");
        if (name == 0 || name == length || line[name] != ':')
                return refuse(why, 400, "a header is NAME: VALUE, without space before the colon");
        return 0;
}

int head_line_check(const char *line, size_t length, bool is_first, struct why *why)
{
        if (length < 2 || line[length - 2] != '\r')
                return refuse(why, 400, "a line of the head ends with CR LF, nothing less");
        length -= 2;
        if (!is_clean(line, length, is_first))
                return refuse(why, 400, "a control character stands in the head");
        if (!is_first)
                return check_header(line, length, why);
        if (!length || !is_token(line[0]))
                return refuse(why, 400, "a request begins with its method");
        return length > LIMIT_TARGET_BYTES + 32 ? refuse(why, 414, "the path is too long") : 0;
}

/* Cuts `text` at the next `separator`; NULL when there is none. */
static char *cut(char *text, char separator)
{
        char *at = strchr(text, separator);
        if (at)
                *at++ = 0;
        return at;
}

static int read_target(char *target, struct http_request *request, struct why *why)
{
        if (target[0] != '/')
                return refuse(why, 400, "ask by path (GET /...), not by whole address: this is no proxy");
        if (strlen(target) > LIMIT_TARGET_BYTES)
                return refuse(why, 414, "the path is too long");
        if (strchr(target, '#'))
                return refuse(why, 400, "a path has no fragment");
        request->path = target;
        request->query = cut(target, '?');
        return 0;
}

static int read_first_line(char *line, struct http_request *request, struct why *why)
{
        char *target = cut(line, ' '), *version = target ? cut(target, ' ') : NULL;
        if (!version || strchr(version, ' '))
                return refuse(why, 400, "the first line is METHOD PATH HTTP/1.1");
        if (strcmp(version, "HTTP/1.1") != 0)
                return refuse(why, strncmp(version, "HTTP/", 5) == 0 ? 505 : 400, "this server speaks HTTP/1.1 only");
        request->method = line;
        request->is_head = strcmp(line, "HEAD") == 0;
        return read_target(target, request, why);
}

static const struct header {
        const char *name;
        size_t offset;
} headers[] = {
#define HEADER(name, field) { name, offsetof(struct http_request, field) }
        HEADER("Host", host),
        HEADER("Content-Length", content_length),
        HEADER("Transfer-Encoding", transfer_encoding),
        HEADER("Expect", expect),
        HEADER("Connection", connection),
        HEADER("Authorization", authorization),
        HEADER("Firebreak-Device", device),
        HEADER("Firebreak-Date", date),
        HEADER("Firebreak-Mac", mac),
        HEADER("Firebreak-Signature", signature),
        HEADER("Range", range),
        HEADER("If-Range", if_range),
        HEADER("If-None-Match", if_none_match),
#undef HEADER
};

/* A header that we read may stand once: two readers could take a different one of two. */
static int keep_header(const char *name, const char *value, struct http_request *request, struct why *why)
{
        for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
                if (strcasecmp(name, headers[i].name) != 0)
                        continue;
                const char **field = (const char **)((char *)request + headers[i].offset);
                if (*field) {
                        (void)FAIL(why, ERR_SYNTAX, "%s is given twice", headers[i].name);
                        return 400;
                }
                *field = value;
        }
        return 0;
}

static int read_header(char *line, struct http_request *request, struct why *why)
{
        char *value = cut(line, ':');
        value += strspn(value, " \t");
        size_t length = strlen(value);
        while (length && (value[length - 1] == ' ' || value[length - 1] == '\t'))
                value[--length] = 0;
        return keep_header(line, value, request, why);
}

static int read_length(const char *text, uint64_t *ret_length, struct why *why)
{
        size_t digits = strspn(text, "0123456789");
        if (!digits || text[digits] || digits > 18)
                return refuse(why, 400, "Content-Length is a number");
        for (*ret_length = 0; *text; text++)
                *ret_length = *ret_length * 10 + (uint64_t)(*text - '0');
        return 0;
}

static int read_framing(struct http_request *request, struct why *why)
{
        if (request->transfer_encoding && request->content_length)
                return refuse(why, 400, "Content-Length and Transfer-Encoding together: which of them holds cannot be known");
        if (request->transfer_encoding && strcasecmp(request->transfer_encoding, "chunked") != 0)
                return refuse(why, 501, "Transfer-Encoding is chunked or not there");
        request->is_chunked = request->transfer_encoding != NULL;
        int status = request->content_length ? read_length(request->content_length, &request->body_length, why) : 0;
        request->has_body = request->is_chunked || request->body_length;
        return status;
}

/* A list such as `keep-alive, Upgrade`. */
static bool list_has(const char *list, const char *word)
{
        size_t length = strlen(word);
        for (; list && *list; list += strcspn(list, ","), list += *list == ',') {
                list += strspn(list, " \t");
                size_t end = strcspn(list, ", \t");
                if (end == length && strncasecmp(list, word, length) == 0)
                        return true;
        }
        return false;
}

/* RFC 9112, 3.2 wants a 400 for what is no HOST or HOST:PORT: a proxy that read another one out of it would send us its requests. */
static bool is_host(const char *host)
{
        return !host[strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]")];
}

static int read_wishes(struct http_request *request, struct why *why)
{
        if (!request->host || !*request->host)
                return refuse(why, 400, "Host is missing");
        if (!is_host(request->host))
                return refuse(why, 400, "Host is a name or an address, and a port");
        if (request->expect && strcasecmp(request->expect, "100-continue") != 0)
                return refuse(why, 417, "Expect is 100-continue or not there");
        request->wants_continue = request->expect && request->has_body;
        request->keeps_alive = !list_has(request->connection, "close");
        return 0;
}

int head_read(char *head, size_t length, struct http_request *request, struct why *why)
{
        unsigned count = 0;
        int status = 0;
        for (char *line = head, *end = head + length - 2; line < end && !status;) {
                char *line_end = memchr(line, '\r', (size_t)(end - line));
                *line_end = 0;
                if (count > LIMIT_HEADERS)
                        return refuse(why, 431, "there are too many headers");
                status = count++ ? read_header(line, request, why) : read_first_line(line, request, why);
                line = line_end + 2;
        }
        if (!status)
                status = read_framing(request, why);
        return status ? status : read_wishes(request, why);
}
