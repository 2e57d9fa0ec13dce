/* "METHOD PATH": captures lie inside the path, are short and hold no slash, but for what is left of a tile's path. */
#include "wire/routes.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
        char method[8] = "", allowed[32];
        const uint8_t *space = memchr(bytes, ' ', length < sizeof(method) ? length : sizeof(method));
        if (!space)
                return 0;
        memcpy(method, bytes, (size_t)(space - bytes));
        struct route_request request = { method, (const char *)space + 1, length - (size_t)(space - bytes) - 1 };
        const struct route *route = NULL;
        struct route_captures captures;
        if (route_find(&request, &route, &captures, allowed, NULL) != OK)
                return 0;
        assert(route && captures.count <= ROUTE_CAPTURES_MAX);
        for (size_t i = 0; i < captures.count; i++) {
                assert(captures.items[i].bytes >= request.path && captures.items[i].length >= 1 && captures.items[i].length <= LIMIT_NAME_BYTES);
                assert(captures.items[i].bytes + captures.items[i].length <= request.path + request.path_length);
                assert((route->id == ROUTE_LOG_TILE || !memchr(captures.items[i].bytes, '/', captures.items[i].length)) && !memchr(captures.items[i].bytes, '%', captures.items[i].length));
        }
        return 0;
}
