#include "wire/routes.h"

#include "support/test.h"

#include <string.h>

struct found {
        enum err e;
        const struct route *route;
        struct route_captures captures;
        char allowed[32];
};

static struct found find(const char *method, const char *path)
{
        struct found found = { .route = NULL };
        struct route_request request = { method, path, strlen(path) };
        found.e = route_find(&request, &found.route, &found.captures, found.allowed, NULL);
        return found;
}

static bool is_capture(const struct found *found, size_t at, const char *text)
{
        return at < found->captures.count && found->captures.items[at].length == strlen(text)
               && memcmp(found->captures.items[at].bytes, text, strlen(text)) == 0;
}

TEST(route_find, finds_each_row_by_its_own_pattern)
{
        for (int i = 0; i < ROUTES; i++) {
                const struct route *route = route_by_id((enum route_id)i);
                char path[200] = "";
                for (const char *from = route->pattern; *from; from++) {
                        const char *end = *from == '{' ? strchr(from, '}') : from;
                        CHECK(end && route->pattern[0] == '/');
                        snprintf(path + strlen(path), sizeof(path) - strlen(path), "%.*s", end == from ? 1 : 4, end == from ? from : "x-9.");
                        from = end;
                }
                struct found found = find(route_method_word(route->method), path);
                CHECK(found.e == OK && found.route == route && found.route->id == (enum route_id)i);
                CHECK(found.allowed[0] == 0 && route_auth_word(route->auth)[0]);
        }
}

TEST(route_find, gives_the_captures_in_order)
{
        struct found found = find("POST", "/api/v1/rollouts/edr-rules/4/hold");
        CHECK(found.e == OK && found.route->id == ROUTE_ROLLOUT_ACT && found.captures.count == 3);
        CHECK(is_capture(&found, 0, "edr-rules") && is_capture(&found, 1, "4") && is_capture(&found, 2, "hold"));
        found = find("POST", "/api/v1/releases/edr-rules/4/evidence");
        CHECK(found.e == OK && found.route->id == ROUTE_EVIDENCE_ADD && found.captures.count == 2);
        found = find("GET", "/v1/tuf/release/1.root.json");
        CHECK(found.e == OK && is_capture(&found, 0, "1.root.json"));
        found = find("GET", "/healthz");
        CHECK(found.e == OK && found.captures.count == 0);
}

TEST(route_find, ends_a_capture_before_the_byte_that_follows_it)
{
        struct found found = find("GET", "/v1/tuf/release/targets/edr-rules/0a.4");
        CHECK(found.e == OK && found.route->id == ROUTE_TARGET_OF_RELEASE && is_capture(&found, 0, "edr-rules") && is_capture(&found, 1, "0a") && is_capture(&found, 2, "4"));
        found = find("GET", "/v1/tuf/director/targets/0a.edr.rules");
        CHECK(found.e == OK && found.route->id == ROUTE_TARGET_OF_DIRECTOR && is_capture(&found, 0, "0a") && is_capture(&found, 1, "edr.rules"));
        static const char *const absent[] = { "0a", "0a.", ".4", "", "0a.4/5" };
        for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++) {
                char path[100];
                snprintf(path, sizeof(path), "/v1/tuf/director/targets/%s", absent[i]);
                CHECK(find("GET", path).e == ERR_NOT_FOUND);
        }
}

TEST(route_find, tells_a_wrong_path_from_a_wrong_method)
{
        struct found found = find("GET", "/v1/enrol");
        CHECK(found.e == ERR_USAGE && strcmp(found.allowed, "POST") == 0 && !found.route);
        found = find("DELETE", "/api/v1/releases");
        CHECK(found.e == ERR_USAGE && strcmp(found.allowed, "POST, GET, HEAD") == 0);
        found = find("", "/healthz");
        CHECK(found.e == ERR_USAGE && strcmp(found.allowed, "GET, HEAD") == 0);
        CHECK(find("HEAD", "/healthz").e == OK && find("HEAD", "/v1/enrol").e == ERR_USAGE && find("get", "/healthz").e == ERR_USAGE);
        static const char *const absent[] = { "", "/", "/v1", "/v1/", "/v1/enrol/", "//v1/enrol", "v1/enrol", "/v1/enrolx", "/v1/enro", "/V1/enrol",
                                              "/api/v1/releases/a", "/api/v1/releases/a/", "/api/v1/releases/a/1/evidence/", "/api/v1/devices/a/b" };
        for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++) {
                found = find("GET", absent[i]);
                CHECK(found.e == ERR_NOT_FOUND && found.allowed[0] == 0);
        }
}

TEST(route_find, lets_no_capture_hold_a_path_or_an_escape)
{
        static const char *const bad[] = { "", ".", "..", "a/b", "%2e%2e", "a%00", "a b", "a?b", "a\\b", "\xC3\xA9", "a\tb", "a;b", "a:b",
                                           "01234567890123456789012345678901234567890123456789012345678901234" };
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                char path[200];
                snprintf(path, sizeof(path), "/v1/artifacts/%s", bad[i]);
                CHECK(find("GET", path).e == ERR_NOT_FOUND);
        }
        CHECK(find("GET", "/v1/artifacts/0123456789012345678901234567890123456789012345678901234567890123").e == OK);
}

TEST(route_find, gives_all_that_is_left_of_a_tiles_path)
{
        struct found found = find("GET", "/v1/log/tile/entries/x001/234.p/5");
        CHECK(found.e == OK && found.route->id == ROUTE_LOG_TILE && found.captures.count == 1 && is_capture(&found, 0, "entries/x001/234.p/5"));
        CHECK(find("POST", "/v1/log/tile/0/000").e == ERR_USAGE && find("HEAD", "/v1/log/tile/0/000").e == OK);
        static const char *const absent[] = { "/v1/log/tile/", "/v1/log/tile", "/v1/log/", "/v1/log/tile/0/%30", "/v1/log/tile/0/0\\0", "/v1/log/tile/0/0 0", "/v1/log/checkpoint/", "/v1/log/proof/",
                                              "/v1/log/proof/a/b", "/v1/log/tile/01234567890123456789012345678901234567890123456789012345678901234" };
        for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
                CHECK(find("GET", absent[i]).e == ERR_NOT_FOUND);
}

TEST(route_find, reads_only_the_length_it_is_given)
{
        struct found found = { .route = NULL };
        struct route_request request = { "GET", "/healthzzz", 8 };
        CHECK(route_find(&request, &found.route, &found.captures, found.allowed, NULL) == OK && found.route->id == ROUTE_HEALTHZ);
        request.path_length = 7;
        CHECK(route_find(&request, &found.route, &found.captures, found.allowed, NULL) == ERR_NOT_FOUND);
        struct route_request with_nul = { "GET", "/healthz\0", 9 };
        CHECK(route_find(&with_nul, &found.route, &found.captures, found.allowed, NULL) == ERR_NOT_FOUND);
}

/* Only what the devices need is open to everybody, and no body is without a ceiling. */
TEST(routes, ask_for_a_key_unless_they_say_why_not)
{
        for (int i = 0; i < ROUTES; i++) {
                const struct route *route = route_by_id((enum route_id)i);
                if (strncmp(route->pattern, "/api/", 5) == 0)
                        CHECK(route->auth == ROUTE_AUTH_KEY);
                if (route->auth == ROUTE_AUTH_NONE)
                        CHECK(route->method == ROUTE_GET);
                CHECK((route->body_max > 0) == (route->method != ROUTE_GET));
        }
}
