#include "server/rig.h"

#include "format/hex.h"
#include "support/test.h"
#include "trust/sha.h"
#include "wire/device.h"

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct rig_options plain = { .is_plain = true };

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define KEY "Authorization: Bearer " RIG_KEY "\r\n"

static void hear(int client, struct rig_answer *answer)
{
        CHECK(rig_hear(client, answer));
}

static struct rig_answer *new_answer(struct rig_answer *answer)
{
        *answer = (struct rig_answer){ 0 };
        buf_init(&answer->body, 64 << 20);
        return answer;
}

static void put_artifact(const struct rig *rig, const char *bytes, size_t length, char sha[65])
{
        uint8_t digest[32];
        char request[512];
        struct rig_answer answer;
        sha256(bytes, length, digest);
        hex_encode(digest, 32, sha);
        int client = rig_connect(rig);
        snprintf(request, sizeof(request), "PUT /api/v1/artifacts/%s HTTP/1.1\r\nHost: a\r\n" KEY "Content-Length: %zu\r\n\r\n", sha, length);
        rig_say(client, request);
        rig_send(client, bytes, length);
        hear(client, new_answer(&answer));
        CHECK(answer.status == 201);
        buf_done(&answer.body);
        close(client);
}

TEST(http_server, answers_what_needs_no_store_and_ends_cleanly)
{
        struct rig rig;
        rig_start(&rig, &plain);
        CHECK(rig_ask(&rig, GET("/healthz")) == 200);
        CHECK(rig_ask(&rig, "HEAD /healthz HTTP/1.1\r\nHost: a\r\n\r\n") == 200);
        CHECK(rig_ask(&rig, GET("/nothing")) == 404);
        CHECK(rig_ask(&rig, GET("/v1/checkin")) == 405);
        CHECK(rig_ask(&rig, "DELETE /healthz HTTP/1.1\r\nHost: a\r\n\r\n") == 405);
        CHECK(rig_ask(&rig, GET("/api/v1/status")) == 401);
        CHECK(rig_ask(&rig, "GET /api/v1/status HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer fba_tesu\r\n\r\n") == 401);
        CHECK(rig_ask(&rig, "GET /api/v1/status HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer fba_tes\r\n\r\n") == 401);
        CHECK(rig_ask(&rig, GET("/v1/artifacts/../../admin.key")) == 404);
        CHECK(rig_ask(&rig, GET("/v1/notes/../../admin.key")) == 404);
        CHECK(rig_ask(&rig, GET("/v1/tuf/release/..")) == 404);
        CHECK(rig_stop(&rig) == 0);
}

TEST(http_server, refuses_over_the_wire_what_could_be_smuggled)
{
        static const struct { const char *bytes; int status; } cases[] = {
                { "POST /v1/checkin HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
                { "POST /v1/checkin HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", 400 },
                { "GET /healthz HTTP/1.1\nHost: a\n\n", 400 },
                { "GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400 },
                { "GET http://a/healthz HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
                { "GET /healthz HTTP/1.0\r\nHost: a\r\n\r\n", 505 },
                { "BREW /healthz HTTP/1.1\r\nHost: a\r\n\r\n", 501 },
                { "\x16\x03\x01\x02\n", 400 },
        };
        struct rig rig;
        rig_start(&rig, &plain);
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct rig_answer answer;
                char value[256];
                int client = rig_connect(&rig);
                rig_say(client, cases[i].bytes);
                hear(client, new_answer(&answer));
                CHECK(answer.status == cases[i].status);
                CHECK(strcmp(rig_header(&answer, "Connection", value), "close") == 0);
                CHECK(strstr(buf_text(&answer.body), "\"detail\":"));
                CHECK(rig_is_ended(client));   /* nothing after it: the second request was never seen */
                buf_done(&answer.body);
                close(client);
        }
        CHECK(rig_stop(&rig) == 0);
}

TEST(http_server, answers_pipelined_requests_in_order)
{
        struct rig rig;
        struct rig_answer answer;
        uint64_t id = 0;
        rig_start(&rig, &plain);
        int client = rig_connect(&rig);
        rig_say(client, GET("/healthz") "GET /api/v1/status HTTP/1.1\r\nHost: a\r\n" KEY "\r\n" GET("/v1/tuf/release/1.root.json") GET("/nothing") GET("/healthz"));
        struct store_request request = rig_take(&rig, &id);
        CHECK(request.route == ROUTE_STATUS);
        rig_reply(&rig, id, 200, "{\"from\":\"store\"}");
        new_answer(&answer);
        static const struct { int status; const char *body; } wanted[] = {
                { 200, "ok\n" }, { 200, "{\"from\":\"store\"}" }, { 200, RIG_ROOT_JSON }, { 404, NULL }, { 200, "ok\n" },
        };
        for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
                hear(client, &answer);
                CHECK(answer.status == wanted[i].status);
                CHECK(!wanted[i].body || strcmp(buf_text(&answer.body), wanted[i].body) == 0);
        }
        buf_done(&answer.body);
        close(client);
        CHECK(rig_stop(&rig) == 0);
}

TEST(http_server, answers_a_client_that_has_said_all_and_waits)
{
        struct rig rig;
        struct rig_answer answer;
        rig_start(&rig, &plain);
        int client = rig_connect(&rig);
        rig_say(client, GET("/healthz") GET("/v1/tuf/director/timestamp.json"));
        shutdown(client, SHUT_WR);
        hear(client, new_answer(&answer));
        hear(client, &answer);
        CHECK(strcmp(buf_text(&answer.body), "{}") == 0);
        CHECK(rig_is_ended(client));
        buf_done(&answer.body);
        close(client);
        CHECK(rig_stop(&rig) == 0);
}

TEST(http_server, hands_requests_to_the_store_as_they_came)
{
        struct rig rig;
        struct rig_answer answer;
        uint64_t id = 0;
        rig_start(&rig, &plain);
        int client = rig_connect(&rig);
        rig_say(client, "POST /api/v1/rollouts/edr-rules/4/hold?x=1 HTTP/1.1\r\nHost: a\r\n" KEY "Firebreak-Date: 5\r\nFirebreak-Signature: c2ln\r\nContent-Length: 2\r\n\r\n{}");
        struct store_request request = rig_take(&rig, &id);
        CHECK(request.route == ROUTE_ROLLOUT_ACT && request.captures.count == 3);
        CHECK(memcmp(request.captures.items[2].bytes, "hold", 4) == 0);
        CHECK(strcmp(request.method, "POST") == 0 && strcmp(request.path, "/api/v1/rollouts/edr-rules/4/hold") == 0 && strcmp(request.query, "x=1") == 0);
        CHECK(strcmp(request.authorization, "Bearer " RIG_KEY) == 0 && strcmp(request.date, "5") == 0 && strcmp(request.signature, "c2ln") == 0);
        CHECK(!request.device && request.body.length == 2 && memcmp(request.body.bytes, "{}", 2) == 0);
        rig_reply(&rig, id, 409, "{\"code\":\"REFUSED\"}");
        hear(client, new_answer(&answer));
        CHECK(answer.status == 409 && strcmp(buf_text(&answer.body), "{\"code\":\"REFUSED\"}") == 0);
        buf_done(&answer.body);
        close(client);
        CHECK(rig_stop(&rig) == 0);
}

TEST(http_server, forgets_a_client_that_left_before_its_answer)
{
        struct rig rig;
        uint64_t id = 0;
        rig_start(&rig, &plain);
        for (int i = 0; i < 3; i++) {
                int client = rig_connect(&rig);
                rig_say(client, "GET /api/v1/status HTTP/1.1\r\nHost: a\r\n" KEY "\r\n");
                (void)rig_take(&rig, &id);
                struct linger now = { .l_onoff = 1, .l_linger = 0 };
                setsockopt(client, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
                close(client);
                rig_reply(&rig, id, 200, "{}");
                rig_reply(&rig, id, 200, "{}");        /* an answer that nobody asked for finds nobody */
        }
        CHECK(rig_ask(&rig, GET("/healthz")) == 200);
        CHECK(rig_stop(&rig) == 0);
}

static int checkin(const struct rig *rig, const char *device, const char *body, struct wire_pace *pace)
{
        char request[1024];
        struct rig_answer answer;
        rig_checkin(rig, device, body, request);
        int client = rig_connect(rig);
        rig_say(client, request);
        hear(client, new_answer(&answer));
        if (answer.status == 200)
                CHECK(wire_pace_read(buf_text(&answer.body), answer.body.length, pace, NULL) == OK);
        int status = answer.status;
        buf_done(&answer.body);
        close(client);
        return status;
}

TEST(http_server, answers_checkins_from_memory_and_tells_the_store_who_was_seen)
{
        struct rig rig;
        struct wire_pace pace;
        struct store_seen seen[4];
        rig_start(&rig, &plain);
        CHECK(checkin(&rig, RIG_DEVICE, "{\"epoch\":7,\"busy\":0}", &pace) == 200);
        CHECK(pace.epoch == 7 && pace.pace_ms == 300000 && pace.now > 1700000000);
        CHECK(rig_take_seen(&rig, seen, 4) == 1 && strcmp(seen[0].id, RIG_DEVICE) == 0 && seen[0].at_s > 1700000000);
        CHECK(checkin(&rig, RIG_DEVICE, "{\"epoch\":7,\"busy\":1}", &pace) == 200);
        CHECK(pace.pace_ms == 30000);

        rig_publish(&rig, 2, 8);
        for (int i = 0; i < 10000 && pace.epoch != 8; i++)
                CHECK(checkin(&rig, RIG_DEVICE, "{\"epoch\":7,\"busy\":0}", &pace) == 200);
        CHECK(pace.epoch == 8);
        CHECK(rig_stop(&rig) == 0);
}

TEST(http_server, answers_many_checkins_on_one_connection)
{
        struct rig rig;
        struct rig_answer answer;
        char request[1024];
        rig_start(&rig, &plain);
        rig_checkin(&rig, RIG_DEVICE, "{\"epoch\":7,\"busy\":0}", request);
        int client = rig_connect(&rig);
        new_answer(&answer);
        for (int i = 0; i < 200; i++) {
                rig_say(client, request);
                hear(client, &answer);
                CHECK(answer.status == 200);
        }
        buf_done(&answer.body);
        close(client);
        CHECK(rig_stop(&rig) == 0);
}

TEST(http_server, turns_away_checkins_that_are_not_a_devices_own)
{
        struct rig rig;
        struct wire_pace pace;
        char request[1024];
        rig_start(&rig, &plain);
        CHECK(checkin(&rig, RIG_REVOKED, "{\"epoch\":7,\"busy\":0}", &pace) == 403);
        CHECK(checkin(&rig, RIG_DEVICE, "{\"epoch\":7}", &pace) == 400);
        CHECK(checkin(&rig, RIG_DEVICE, "{\"epoch\":7,\"busy\":0,\"more\":1}", &pace) == 400);
        CHECK(checkin(&rig, RIG_DEVICE, "", &pace) == 400);
        rig_checkin(&rig, RIG_DEVICE, "{\"epoch\":7,\"busy\":0}", request);
        strstr(request, "epoch\":7")[7] = '8';                         /* another body under the same MAC */
        CHECK(rig_ask(&rig, request) == 401);
        rig_checkin(&rig, RIG_DEVICE, "{\"epoch\":7,\"busy\":0}", request);
        strstr(request, "Firebreak-Device: 0")[18] = '1';              /* another device */
        CHECK(rig_ask(&rig, request) == 401);
        CHECK(rig_ask(&rig, "POST /v1/checkin HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n") == 401);
        CHECK(rig_ask(&rig, "POST /v1/checkin HTTP/1.1\r\nHost: a\r\nFirebreak-Device: " RIG_DEVICE "\r\nFirebreak-Date: 5\r\nFirebreak-Mac: 00\r\n\r\n") == 403);
        CHECK(rig_ask(&rig, "POST /v1/checkin HTTP/1.1\r\nHost: a\r\nFirebreak-Device: " RIG_DEVICE "\r\nFirebreak-Date: -5\r\nFirebreak-Mac: 00\r\n\r\n") == 400);
        CHECK(rig_stop(&rig) == 0);
}

TEST(http_server, keeps_bodies_below_the_ceiling_of_their_route)
{
        struct rig rig;
        struct rig_answer answer;
        char bytes[LIMIT_DEVICE_REQUEST_BYTES + 512];
        rig_start(&rig, &plain);
        CHECK(rig_ask(&rig, "POST /v1/enrol HTTP/1.1\r\nHost: a\r\nContent-Length: 4097\r\n\r\n") == 413);
        CHECK(rig_ask(&rig, "GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx") == 413);
        CHECK(rig_ask(&rig, "POST /api/v1/releases HTTP/1.1\r\nHost: a\r\n" KEY "Content-Length: 999999999999\r\n\r\n") == 413);
        int client = rig_connect(&rig);
        int length = snprintf(bytes, sizeof(bytes), "POST /v1/enrol HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1010\r\n");
        memset(bytes + length, 'x', 0x1010);
        rig_send(client, bytes, (size_t)length + 0x1010);              /* no length told beforehand */
        hear(client, new_answer(&answer));
        CHECK(answer.status == 413);
        buf_done(&answer.body);
        close(client);
        CHECK(rig_stop(&rig) == 0);
}

TEST(http_server, waits_with_100_before_it_takes_a_body)
{
        struct rig rig;
        struct rig_answer answer;
        uint64_t id = 0;
        rig_start(&rig, &plain);
        int client = rig_connect(&rig);
        rig_say(client, "POST /api/v1/tokens HTTP/1.1\r\nHost: a\r\n" KEY "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
        CHECK(rig_hear_head(client, new_answer(&answer)) && answer.status == 100);
        rig_say(client, "{}");
        (void)rig_take(&rig, &id);
        rig_reply(&rig, id, 200, "{}");
        hear(client, &answer);
        CHECK(answer.status == 200);
        close(client);
        /* Who is refused is not asked for the body. */
        client = rig_connect(&rig);
        rig_say(client, "POST /api/v1/tokens HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
        hear(client, &answer);
        CHECK(answer.status == 401);
        buf_done(&answer.body);
        close(client);
        CHECK(rig_stop(&rig) == 0);
}

TEST(http_server, serves_metadata_with_tags)
{
        struct rig rig;
        struct rig_answer answer;
        char request[512], tag[256];
        rig_start(&rig, &plain);
        int client = rig_connect(&rig);
        rig_say(client, GET("/v1/tuf/release/5.targets.json"));
        hear(client, new_answer(&answer));
        CHECK(answer.status == 200 && answer.body.length == 300000 && answer.body.bytes[299999] == 'x');
        CHECK(strlen(rig_header(&answer, "ETag", tag)) == 66);
        snprintf(request, sizeof(request), "GET /v1/tuf/release/5.targets.json HTTP/1.1\r\nHost: a\r\nIf-None-Match: W/%s, \"x\"\r\n\r\n", tag);
        rig_say(client, request);
        CHECK(rig_hear_head(client, &answer) && answer.status == 304);
        rig_say(client, GET("/v1/tuf/director/5.targets.json"));
        hear(client, &answer);
        CHECK(answer.status == 404);
        buf_done(&answer.body);
        close(client);
        CHECK(rig_stop(&rig) == 0);
}

static void ask_artifact(int client, const char *sha, const char *headers, struct rig_answer *answer)
{
        char request[512];
        snprintf(request, sizeof(request), "GET /v1/artifacts/%s HTTP/1.1\r\nHost: a\r\n%s\r\n", sha, headers);
        rig_say(client, request);
        if (strstr(headers, "If-None-Match"))
                CHECK(rig_hear_head(client, answer));
        else
                hear(client, answer);
}

/* As a TUF client asks for the target of a repository with consistent snapshots. */
/* The director's targets are artifacts; a release's is a file of its own, beside the note, and no artifact. */
TEST(http_server, gives_a_file_under_the_name_of_a_target)
{
        static const char text[] = "5e78863ea2b06fcfaecf8d7a6ba1b5d4bb57c7c4a9a32bd1d3a4e6b3ac4b1a5c";
        static const struct { const char *form; int status; const char *name; } cases[] = {
                { "GET /v1/tuf/release/targets/edr-rules/%s.4 HTTP/1.1\r\nHost: a\r\n\r\n", 200, text }, { "GET /v1/tuf/director/targets/%s.edr-rules HTTP/1.1\r\nHost: a\r\n\r\n", 200, NULL },
                { "GET /v1/notes/%s HTTP/1.1\r\nHost: a\r\n\r\n", 200, text }, { "GET /v1/artifacts/%s HTTP/1.1\r\nHost: a\r\n\r\n", 404, text },
                { "GET /v1/tuf/release/targets/edr-rules/%s.4 HTTP/1.1\r\nHost: a\r\n\r\n", 404, NULL }, { "GET /v1/notes/%s HTTP/1.1\r\nHost: a\r\n\r\n", 404, NULL },
                { "GET /v1/tuf/director/targets/%.63s.edr-rules HTTP/1.1\r\nHost: a\r\n\r\n", 404, NULL }, { "GET /v1/tuf/director/targets/%s HTTP/1.1\r\nHost: a\r\n\r\n", 404, NULL },
        };
        struct rig rig;
        char sha[65], path[80];
        rig_start(&rig, &plain);
        CHECK(rig.artifacts->ops->make_folder(rig.artifacts, "5e", NULL) == OK);
        for (size_t i = 0; i < 2; i++) {
                snprintf(path, sizeof(path), "5e/%s.%s", text, i ? "note" : "text");
                CHECK(rig.artifacts->ops->replace(rig.artifacts, path, "abc", 3, NULL) == OK);
        }
        put_artifact(&rig, "abc", 3, sha);
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct rig_answer answer;
                char request[256];
                int client = rig_connect(&rig);
                snprintf(request, sizeof(request), cases[i].form, cases[i].name ? cases[i].name : sha);
                rig_say(client, request);
                hear(client, new_answer(&answer));
                CHECK(answer.status == cases[i].status && (answer.status != 200 || strcmp(buf_text(&answer.body), "abc") == 0));
                buf_done(&answer.body);
                close(client);
        }
        CHECK(rig_stop(&rig) == 0);
}

TEST(http_server, gives_an_artifact_whole_or_in_part)
{
        static char content[200000];
        struct rig rig;
        struct rig_answer answer;
        char sha[65], value[256], headers[256];
        for (size_t i = 0; i < sizeof(content); i++)
                content[i] = (char)(i * 7 + i / 251);
        rig_start(&rig, &plain);
        put_artifact(&rig, content, sizeof(content), sha);
        int client = rig_connect(&rig);
        ask_artifact(client, sha, "", new_answer(&answer));
        CHECK(answer.status == 200 && answer.body.length == sizeof(content) && memcmp(answer.body.bytes, content, sizeof(content)) == 0);
        CHECK(strstr(rig_header(&answer, "Cache-Control", value), "immutable"));
        static const struct { const char *range; size_t from, count; const char *told; } parts[] = {
                { "bytes=0-0", 0, 1, "bytes 0-0/200000" },           { "bytes=100000-", 100000, 100000, "bytes 100000-199999/200000" },
                { "bytes=-5", 199995, 5, "bytes 199995-199999/200000" }, { "bytes=199999-999999", 199999, 1, "bytes 199999-199999/200000" },
        };
        for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
                snprintf(headers, sizeof(headers), "Range: %s\r\n", parts[i].range);
                ask_artifact(client, sha, headers, &answer);
                CHECK(answer.status == 206 && answer.body.length == parts[i].count);
                CHECK(memcmp(answer.body.bytes, content + parts[i].from, parts[i].count) == 0);
                CHECK(strcmp(rig_header(&answer, "Content-Range", value), parts[i].told) == 0);
        }
        ask_artifact(client, sha, "Range: bytes=200000-\r\n", &answer);
        CHECK(answer.status == 416 && strcmp(rig_header(&answer, "Content-Range", value), "bytes */200000") == 0);
        ask_artifact(client, sha, "Range: bytes=0-1,5-6\r\n", &answer);
        CHECK(answer.status == 200 && answer.body.length == sizeof(content));
        ask_artifact(client, sha, "Range: bytes=0-1\r\nIf-Range: \"other\"\r\n", &answer);
        CHECK(answer.status == 200 && answer.body.length == sizeof(content));
        snprintf(headers, sizeof(headers), "If-None-Match: \"%s\"\r\n", sha);
        ask_artifact(client, sha, headers, &answer);
        CHECK(answer.status == 304);
        ask_artifact(client, "0000000000000000000000000000000000000000000000000000000000000000", "", &answer);
        CHECK(answer.status == 404);
        ask_artifact(client, "abc", "", &answer);
        CHECK(answer.status == 404);
        buf_done(&answer.body);
        close(client);
        CHECK(rig_stop(&rig) == 0);
}

static enum err count_one(void *user, const char *name, enum disk_kind kind, uint64_t length, struct why *why)
{
        (void)name;
        (void)kind;
        (void)length;
        (void)why;
        ++*(size_t *)user;
        return OK;
}

static size_t count_files(struct disk *disk, const char *folder)
{
        size_t count = 0;
        CHECK(disk->ops->list(disk, folder, count_one, &count, NULL) == OK);
        return count;
}

TEST(http_server, keeps_an_upload_only_if_its_bytes_are_what_its_name_says)
{
        struct rig rig;
        struct rig_answer answer;
        char sha[65];
        rig_start(&rig, &plain);
        CHECK(rig_ask(&rig, "PUT /api/v1/artifacts/0000000000000000000000000000000000000000000000000000000000000000 HTTP/1.1\r\nHost: a\r\n" KEY
                            "Content-Length: 3\r\n\r\nabc") == 400);
        CHECK(rig_ask(&rig, "PUT /api/v1/artifacts/abc HTTP/1.1\r\nHost: a\r\n" KEY "Content-Length: 3\r\n\r\nabc") == 404);
        CHECK(rig_ask(&rig, "PUT /api/v1/artifacts/abc HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc") == 401);
        CHECK(count_files(rig.artifacts, "") == 1);                    /* incoming/ */
        put_artifact(&rig, "abc", 3, sha);
        put_artifact(&rig, "", 0, sha);
        /* In chunks, and again: there already. */
        int client = rig_connect(&rig);
        rig_say(client, "PUT /api/v1/artifacts/ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad HTTP/1.1\r\nHost: a\r\n" KEY
                        "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n");
        hear(client, new_answer(&answer));
        CHECK(answer.status == 200);
        rig_say(client, "PUT /api/v1/artifacts/ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad HTTP/1.1\r\nHost: a\r\n" KEY
                        "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n");
        hear(client, &answer);
        CHECK(answer.status == 200);
        buf_done(&answer.body);
        close(client);
        CHECK(count_files(rig.artifacts, "incoming") == 0);
        CHECK(rig_stop(&rig) == 0);
}

TEST(http_server, takes_a_large_upload_in_portions)
{
        static char content[5 << 20];
        struct rig rig;
        struct rig_answer answer;
        char sha[65];
        for (size_t i = 0; i < sizeof(content); i++)
                content[i] = (char)(i ^ i >> 8);
        rig_start(&rig, &plain);
        put_artifact(&rig, content, sizeof(content), sha);
        int client = rig_connect(&rig);
        ask_artifact(client, sha, "", new_answer(&answer));
        CHECK(answer.body.length == sizeof(content) && memcmp(answer.body.bytes, content, sizeof(content)) == 0);
        buf_done(&answer.body);
        close(client);
        CHECK(rig_stop(&rig) == 0);
}

TEST(http_server, leaves_nothing_of_an_upload_that_broke_off)
{
        static char content[1 << 20];
        struct rig rig;
        rig_start(&rig, &plain);
        for (size_t cut = 0; cut <= sizeof(content) - 1; cut += sizeof(content) / 4) {
                int client = rig_connect(&rig);
                rig_say(client, "PUT /api/v1/artifacts/ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad HTTP/1.1\r\nHost: a\r\n" KEY
                                "Content-Length: 1048576\r\n\r\n");
                rig_send(client, content, cut);
                close(client);
        }
        CHECK(rig_ask(&rig, GET("/healthz")) == 200);
        struct disk *disk = rig.artifacts;
        size_t left = 1;
        for (int i = 0; i < 6000 && left; i++) {
                left = count_files(disk, "incoming");
                usleep(10000);
        }
        CHECK(left == 0);
        CHECK(rig_stop(&rig) == 0);
}

/* Short patience, so that a test need not wait long; what is checked is that the end comes, not when. */
static const struct patience hurried[PHASES] = {
        [PHASE_HANDSHAKE] = { 300, 0 }, [PHASE_IDLE] = { 300, 0 },   [PHASE_HEAD] = { 300, 0 },   [PHASE_BODY] = { 300, 1000 },
        [PHASE_SERVICE] = { 300, 0 },   [PHASE_ANSWER] = { 300, 1000 }, [PHASE_LINGER] = { 300, 0 },
};

TEST(http_server, ends_clients_that_are_slow_on_purpose)
{
        static const struct { const char *bytes; int status; } cases[] = {
                { "", 0 },                                              /* says nothing */
                { "GET /hea", 408 },                                    /* never ends its head */
                { "GET /healthz HTTP/1.1\r\nHost: a\r\n", 408 },
                { "POST /v1/enrol HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc", 408 },
        };
        struct rig rig;
        rig_start(&rig, &(struct rig_options){ .is_plain = true, .patience = hurried });
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
                CHECK(rig_ask(&rig, cases[i].bytes) == cases[i].status);
        CHECK(rig_stop(&rig) == 0);
}

TEST(http_server, does_not_wait_for_the_store_for_ever)
{
        struct rig rig;
        struct rig_answer answer;
        char value[256];
        uint64_t id = 0;
        rig_start(&rig, &(struct rig_options){ .is_plain = true, .patience = hurried });
        int client = rig_connect(&rig);
        rig_say(client, "GET /api/v1/status HTTP/1.1\r\nHost: a\r\n" KEY "\r\n");
        (void)rig_take(&rig, &id);
        hear(client, new_answer(&answer));
        CHECK(answer.status == 503 && rig_header(&answer, "Retry-After", value));
        rig_reply(&rig, id, 200, "{}");                                /* too late: nobody is there */
        CHECK(rig_ask(&rig, GET("/healthz")) == 200);
        buf_done(&answer.body);
        close(client);
        CHECK(rig_stop(&rig) == 0);
}

TEST(http_server, hangs_up_on_a_client_that_does_not_read)
{
        struct rig rig;
        rig_start(&rig, &(struct rig_options){ .is_plain = true, .patience = hurried });
        int client = rig_connect(&rig), small = 4096;
        setsockopt(client, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
        for (int i = 0; i < 200; i++)                                   /* 60 MB of answers */
                rig_say(client, GET("/v1/tuf/release/5.targets.json"));
        /* It is hung up on while most of that is still to come; whoever waits finds the end. */
        char bytes[65536];
        uint64_t total = 0;
        usleep(3000000);
        for (ssize_t got; (got = recv(client, bytes, sizeof(bytes), 0)) > 0;)
                total += (uint64_t)got;
        CHECK(total < 200u * 300000u);
        close(client);
        CHECK(rig_ask(&rig, GET("/healthz")) == 200);
        CHECK(rig_stop(&rig) == 0);
}

TEST(http_server, makes_room_by_ending_who_idles_longest)
{
        struct rig rig;
        struct rig_answer answer;
        rig_start(&rig, &(struct rig_options){ .is_plain = true, .connections_max = 4 });
        int clients[5];
        new_answer(&answer);
        for (int i = 0; i < 5; i++) {
                clients[i] = rig_connect(&rig);
                rig_say(clients[i], GET("/healthz"));
                hear(clients[i], &answer);
                CHECK(answer.status == 200);
        }
        CHECK(rig_is_ended(clients[0]));
        rig_say(clients[1], GET("/healthz"));
        hear(clients[1], &answer);
        CHECK(answer.status == 200);
        for (int i = 0; i < 5; i++)
                close(clients[i]);
        buf_done(&answer.body);
        CHECK(rig_stop(&rig) == 0);
}

TEST(http_server, does_not_start_where_clients_would_be_dropped_for_want_of_files)
{
        struct rig rig;
        rig_start(&rig, &(struct rig_options){ .is_plain = true, .is_quiet = true, .files_max = 100 });
        CHECK(rig_end(&rig) == err_info(ERR_REFUSED)->exit);
}

/* Connections that never ask for anything, as many as there may be. */
TEST(http_server, makes_room_by_ending_who_does_not_come_to_the_point)
{
        struct rig rig;
        rig_start(&rig, &(struct rig_options){ .is_plain = true, .connections_max = 4 });
        int silent[4];
        for (int i = 0; i < 4; i++) {
                silent[i] = rig_connect(&rig);
                rig_say(silent[i], "GET /heal");
        }
        for (int i = 0; i < 4; i++)
                CHECK(rig_ask(&rig, GET("/healthz")) == 200);
        for (int i = 0; i < 4; i++)
                close(silent[i]);
        CHECK(rig_stop(&rig) == 0);
}

TEST(http_server, turns_away_a_crowd_but_hears_of_harm)
{
        static const char ordinary[] = "GET /api/v1/status HTTP/1.1\r\nHost: a\r\n" KEY "\r\n";
        static const char harm[] = "{\"seq\":1,\"stream\":\"s\",\"counter\":4,\"nonce\":\"00000000000000000000000000000000\",\"outcome\":\"harmed\",\"kind\":\"crash\","
                                   "\"detail\":\"signal 11\",\"running\":2,\"starts\":1,\"crashes\":1,\"boots\":0,\"fallbacks\":1,\"proven\":0,\"at\":1784432230}";
        static int clients[LIMIT_STORE_QUEUE];
        struct rig rig;
        char request[1024];
        rig_start(&rig, &plain);
        size_t count = 0;
        while (count < LIMIT_STORE_QUEUE) {                             /* as many as fit, each waiting for the store */
                clients[count] = rig_connect(&rig);
                rig_say(clients[count++], ordinary);
        }
        int status = 0;
        for (int i = 0; i < 1000 && status != 503; i++) {
                struct rig_answer answer;
                int client = rig_connect(&rig);
                struct timeval soon = { .tv_usec = 200000 };
                setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon));
                rig_say(client, ordinary);
                status = rig_hear(client, new_answer(&answer)) ? answer.status : 0;
                buf_done(&answer.body);
                close(client);
        }
        CHECK(status == 503);
        snprintf(request, sizeof(request), "POST /v1/report HTTP/1.1\r\nHost: a\r\nFirebreak-Device: " RIG_DEVICE "\r\nContent-Length: %zu\r\n\r\n%s", strlen(harm), harm);
        int client = rig_connect(&rig);
        rig_say(client, request);
        uint64_t id = 0;
        struct store_request taken = { .route = ROUTE_STATUS };
        while (taken.route != ROUTE_DEVICE_REPORT)
                taken = rig_take(&rig, &id);
        struct rig_answer answer;
        rig_reply(&rig, id, 200, "{\"ack\":1}");
        hear(client, new_answer(&answer));
        CHECK(answer.status == 200);
        buf_done(&answer.body);
        close(client);
        for (size_t i = 0; i < count; i++)
                close(clients[i]);
        CHECK(rig_stop(&rig) == 0);
}

TEST(http_server, finishes_what_was_begun_when_told_to_end)
{
        struct rig rig;
        struct rig_answer answer;
        char value[256];
        uint64_t id = 0;
        rig_start(&rig, &plain);
        int idle = rig_connect(&rig), client = rig_connect(&rig);
        rig_say(client, "GET /api/v1/status HTTP/1.1\r\nHost: a\r\n" KEY "\r\n");
        (void)rig_take(&rig, &id);
        CHECK(kill(rig.pid, SIGTERM) == 0);
        CHECK(rig_is_ended(idle));
        rig_reply(&rig, id, 200, "{}");
        hear(client, new_answer(&answer));
        CHECK(answer.status == 200 && strcmp(rig_header(&answer, "Connection", value), "close") == 0);
        buf_done(&answer.body);
        close(idle);
        close(client);
        CHECK(rig_stop(&rig) == 0);
}

TEST(http_server, ends_when_the_store_is_gone)
{
        struct rig rig;
        rig_start(&rig, &plain);
        shutdown(rig.store, SHUT_RDWR);
        CHECK(rig_stop(&rig) != 0);
}
