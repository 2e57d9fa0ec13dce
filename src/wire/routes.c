#include "wire/routes.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct route routes[ROUTES] = {
#define ROUTE(id, method, pattern, auth, body) { ROUTE_##id, ROUTE_##method, pattern, ROUTE_AUTH_##auth, body },
#include "wire/routes.def"
#undef ROUTE
};

static const char *const method_words[ROUTE_METHODS] = { [ROUTE_GET] = "GET", [ROUTE_PUT] = "PUT", [ROUTE_POST] = "POST" };

const char *route_method_word(enum route_method method)
{
        assert(method < ROUTE_METHODS);
        return method_words[method];
}

const char *route_auth_word(enum route_auth auth)
{
        static const char *const words[] = {
                [ROUTE_AUTH_NONE] = "none", [ROUTE_AUTH_MAC] = "mac", [ROUTE_AUTH_SIGNATURE] = "signature",
                [ROUTE_AUTH_TOKEN_SIGNATURE] = "token and signature", [ROUTE_AUTH_KEY] = "key",
        };
        return words[auth];
}

const struct route *route_by_id(enum route_id id)
{
        assert(id < ROUTES);
        return &routes[id];
}

static bool is_plain(char c)
{
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c && strchr("._+-", c));
}

/* The bytes that a capture takes from here, up to the pattern's next byte; 0 when none may stand here. */
static size_t capture_length(const char *path, size_t left, char end, bool takes_slashes)
{
        size_t length = 0;
        while (length < left && (is_plain(path[length]) || (takes_slashes && path[length] == '/')) && path[length] != end)
                length++;
        if (length > LIMIT_NAME_BYTES || (length == 1 && path[0] == '.') || (length == 2 && path[0] == '.' && path[1] == '.'))
                return 0;
        return length;
}

static bool matches(const char *pattern, const struct route_request *request, struct route_captures *captures)
{
        size_t at = 0;
        captures->count = 0;
        while (*pattern) {
                if (*pattern != '{') {
                        if (at == request->path_length || request->path[at++] != *pattern++)
                                return false;
                        continue;
                }
                pattern = strchr(pattern, '}') + 1;
                size_t length = capture_length(request->path + at, request->path_length - at, *pattern, pattern[-2] == '.');
                if (!length)
                        return false;
                captures->items[captures->count].bytes = request->path + at;
                captures->items[captures->count++].length = length;
                at += length;
        }
        return at == request->path_length;
}

static bool has_method(const struct route *route, const char *method)
{
        return strcmp(method_words[route->method], method) == 0 || (route->method == ROUTE_GET && strcmp(method, "HEAD") == 0);
}

static void add_allowed(const struct route *route, char allowed[32])
{
        size_t length = strlen(allowed);
        snprintf(allowed + length, 32 - length, "%s%s", length ? ", " : "", route->method == ROUTE_GET ? "GET, HEAD" : method_words[route->method]);
}

enum err route_find(const struct route_request *request, const struct route **ret_route, struct route_captures *ret_captures,
                    char ret_allowed[32], struct why *why)
{
        ret_allowed[0] = 0;
        for (size_t i = 0; i < ROUTES; i++) {
                struct route_captures captures;
                if (!matches(routes[i].pattern, request, &captures))
                        continue;
                if (has_method(&routes[i], request->method)) {
                        ret_allowed[0] = 0;
                        *ret_route = &routes[i];
                        *ret_captures = captures;
                        return OK;
                }
                add_allowed(&routes[i], ret_allowed);
        }
        if (ret_allowed[0])
                return FAIL(why, ERR_USAGE, "this path takes %s only", ret_allowed);
        return FAIL(why, ERR_NOT_FOUND, "no such path; docs/guide/formats.md lists them");
}
