/* routes.h - which request is meant: method and path to a row of routes.def. */
#pragma once

#include "base/err.h"
#include "base/limits.h"

#include <stddef.h>

enum route_id {
#define ROUTE(id, method, pattern, auth, body) ROUTE_##id,
#include "wire/routes.def"
#undef ROUTE
        ROUTES,
};

enum route_method { ROUTE_GET, ROUTE_PUT, ROUTE_POST, ROUTE_METHODS };
enum route_auth { ROUTE_AUTH_NONE, ROUTE_AUTH_MAC, ROUTE_AUTH_SIGNATURE, ROUTE_AUTH_TOKEN_SIGNATURE, ROUTE_AUTH_KEY };

struct route {
        enum route_id id;
        enum route_method method;
        const char *pattern;
        enum route_auth auth;
        size_t body_max;
};

enum { ROUTE_CAPTURES_MAX = 3 };

/* What {name} stands for in the path, in the pattern's order: 1 to LIMIT_NAME_BYTES bytes of [A-Za-z0-9._+-], so that it
 * needs no decoding; not `.` or `..`. Of {name...} also slashes: whoever takes it checks its parts. Borrowed from the path, not ended by NUL. */
struct route_captures {
        size_t count;
        struct { const char *bytes; size_t length; } items[ROUTE_CAPTURES_MAX];
};

/* `path` without the query, as it was sent. ERR_NOT_FOUND (404): no row has the path; ERR_USAGE: a row has it with other
 * methods, which `ret_allowed` then lists as the Allow header of a 405 wants ("GET, POST"), else it is "". HEAD is GET. */
struct route_request {
        const char *method, *path;
        size_t path_length;
};
MUST_CHECK enum err route_find(const struct route_request *request, const struct route **ret_route,
                               struct route_captures *ret_captures, char ret_allowed[32], struct why *why);

const struct route *route_by_id(enum route_id id);
const char *route_method_word(enum route_method method);
const char *route_auth_word(enum route_auth auth);
