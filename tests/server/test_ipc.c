#include "server/ipc.h"

#include "support/sweep.h"
#include "support/test.h"

#include <string.h>

static const struct store_request question = {
        .method = "POST", .path = "/api/v1/rollouts/edr-rules/4/hold", .query = "a=b", .device = "00", .date = "5", .authorization = "Bearer x",
        .body = { "{\0}", 3 },
};

static struct ipc_frame cut(const struct buf *bytes)
{
        struct ipc_frame frame;
        size_t used = 0;
        CHECK(ipc_cut(bytes->bytes, bytes->length, &frame, &used, NULL) == OK && used == bytes->length);
        return frame;
}

TEST(ipc, carries_a_request_and_routes_it_again)
{
        OWN(buf) struct buf bytes;
        struct store_request got;
        buf_init(&bytes, 4096);
        ipc_write_request(&bytes, 77, &question);
        struct ipc_frame frame = cut(&bytes);
        CHECK(frame.kind == IPC_REQUEST && frame.id == 77);
        CHECK(ipc_read_request(&frame, &got, NULL) == OK);
        CHECK(got.route == ROUTE_ROLLOUT_ACT && got.captures.count == 3);
        CHECK(strcmp(got.method, "POST") == 0 && strcmp(got.path, question.path) == 0 && strcmp(got.query, "a=b") == 0);
        CHECK(strcmp(got.device, "00") == 0 && strcmp(got.date, "5") == 0 && !got.signature && strcmp(got.authorization, "Bearer x") == 0);
        CHECK(got.body.length == 3 && memcmp(got.body.bytes, "{\0}", 3) == 0);
}

TEST(ipc, carries_answers_seen_devices_and_public_state)
{
        static const char revoked[2][33] = { "000102030405060708090a0b0c0d0e0f", "ff0102030405060708090a0b0c0d0e0f" };
        const struct store_file files[] = { { "director", "timestamp.json", "{}", 2 }, { "release", "1.root.json", "", 0 } };
        const struct store_public state = { 3, 9, 60000, revoked, 2, files, 2 };
        const struct store_seen seen[] = { { "000102030405060708090a0b0c0d0e0f", 5 }, { "ff0102030405060708090a0b0c0d0e0f", 6 } };
        OWN(buf) struct buf bytes;
        OWN(arena) struct arena *arena = arena_new(1 << 20);
        buf_init(&bytes, 4096);

        ipc_write_answer(&bytes, 5, &(struct ipc_answer){ 409, 2, "text/plain", { "no\0", 3 } });
        struct ipc_frame frame = cut(&bytes);
        struct ipc_answer answer;
        CHECK(ipc_read_answer(&frame, &answer, NULL) == OK);
        CHECK(answer.status == 409 && answer.retry_after_s == 2 && strcmp(answer.type, "text/plain") == 0 && answer.body.length == 3);

        buf_clear(&bytes);
        ipc_write_seen(&bytes, seen, 2);
        frame = cut(&bytes);
        const struct store_seen *list = NULL;
        size_t count = 0;
        CHECK(ipc_read_seen(&frame, arena, &list, &count, NULL) == OK);
        CHECK(count == 2 && strcmp(list[1].id, seen[1].id) == 0 && list[1].at_s == 6);

        buf_clear(&bytes);
        ipc_write_public(&bytes, &state);
        frame = cut(&bytes);
        struct store_public got;
        CHECK(ipc_read_public(&frame, arena, &got, NULL) == OK);
        CHECK(got.changes == 3 && got.epoch == 9 && got.pace_ms == 60000 && got.revoked_count == 2 && strcmp(got.revoked[1], revoked[1]) == 0);
        CHECK(got.file_count == 2 && strcmp(got.files[0].name, "timestamp.json") == 0 && got.files[0].length == 2 && got.files[1].length == 0);
}

TEST(ipc, reads_lists_whole_or_says_that_memory_is_out)
{
        static const char revoked[1][33] = { "000102030405060708090a0b0c0d0e0f" };
        const struct store_file files[] = { { "director", "timestamp.json", "{}", 2 } };
        const struct store_public state = { 3, 9, 60000, revoked, 1, files, 1 };
        const struct store_seen seen[] = { { "000102030405060708090a0b0c0d0e0f", 5 } };
        OWN(buf) struct buf public_bytes, seen_bytes;
        buf_init(&public_bytes, 4096);
        buf_init(&seen_bytes, 4096);
        ipc_write_public(&public_bytes, &state);
        ipc_write_seen(&seen_bytes, seen, 1);
        struct ipc_frame public_frame = cut(&public_bytes), seen_frame = cut(&seen_bytes);
        SWEEP_MEMORY {
                OWN(arena) struct arena *arena = arena_new(1 << 20);
                const struct store_seen *list = NULL;
                struct store_public got = { 0 };
                size_t count = 0;
                enum err e = arena ? ipc_read_public(&public_frame, arena, &got, NULL) : ERR_NOMEM;
                CHECK(e == ERR_NOMEM || (e == OK && got.file_count == 1 && got.revoked_count == 1));
                e = arena ? ipc_read_seen(&seen_frame, arena, &list, &count, NULL) : ERR_NOMEM;
                CHECK(e == ERR_NOMEM || (e == OK && count == 1));
        }
}

TEST(ipc, carries_wishes_and_signatures)
{
        OWN(buf) struct buf bytes;
        uint8_t signature[64];
        enum signer_form form = SIGNER_LEASE;
        struct store_text wish;
        struct ipc_signed answer;
        memset(signature, 5, sizeof(signature));
        buf_init(&bytes, 4096);
        ipc_write_sign(&bytes, SIGNER_DIRECTOR_TIMESTAMP, "{}", 2);
        struct ipc_frame frame = cut(&bytes);
        CHECK(ipc_read_sign(&frame, &form, &wish, NULL) == OK && form == SIGNER_DIRECTOR_TIMESTAMP && wish.length == 2);
        buf_clear(&bytes);
        ipc_write_signed(&bytes, &(struct ipc_signed){ OK, NULL, signature });
        frame = cut(&bytes);
        CHECK(ipc_read_signed(&frame, &answer, NULL) == OK && !answer.failed && memcmp(answer.signature, signature, 64) == 0);
        buf_clear(&bytes);
        ipc_write_signed(&bytes, &(struct ipc_signed){ ERR_REFUSED, "no", signature });
        frame = cut(&bytes);
        CHECK(ipc_read_signed(&frame, &answer, NULL) == OK && answer.failed == ERR_REFUSED && strcmp(answer.text, "no") == 0);
}

TEST(ipc, waits_for_the_whole_of_a_frame)
{
        OWN(buf) struct buf bytes;
        buf_init(&bytes, 4096);
        ipc_write_request(&bytes, 1, &question);
        for (size_t length = 0; length < bytes.length; length++) {
                struct ipc_frame frame;
                size_t used = 9;
                CHECK(ipc_cut(bytes.bytes, length, &frame, &used, NULL) == OK && used == 0);
        }
}

TEST(ipc, refuses_a_frame_that_is_cut_or_goes_on)
{
        OWN(buf) struct buf bytes;
        buf_init(&bytes, 4096);
        ipc_write_request(&bytes, 1, &question);
        struct ipc_frame frame = cut(&bytes);
        size_t length = frame.length;
        for (frame.length = 0; frame.length < length; frame.length++) {
                struct store_request got;
                CHECK(ipc_read_request(&frame, &got, NULL) == ERR_SYNTAX);
        }
        struct ipc_frame other = cut(&bytes);
        struct ipc_answer answer;
        struct ipc_signed signature;
        CHECK(ipc_read_answer(&other, &answer, NULL) == ERR_SYNTAX && ipc_read_signed(&other, &signature, NULL) == ERR_SYNTAX);
}

TEST(ipc, refuses_a_request_for_no_route)
{
        OWN(buf) struct buf bytes;
        struct store_request request = question, got;
        buf_init(&bytes, 4096);
        request.path = "/api/v1/everything";
        ipc_write_request(&bytes, 1, &request);
        struct ipc_frame frame = cut(&bytes);
        CHECK(ipc_read_request(&frame, &got, NULL) == ERR_SYNTAX);
}

TEST(ipc, ends_a_stream_that_is_none_of_ours)
{
        static const struct { const char bytes[17]; enum err e; } cases[] = {
                { "\0\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0", ERR_SYNTAX },              /* another version */
                { "\0\0\0\0\1\0\x63\0\0\0\0\0\0\0\0\0", ERR_SYNTAX },            /* no such kind */
                { "\xff\xff\xff\x7f\1\0\0\0\0\0\0\0\0\0\0\0", ERR_LIMIT },       /* 2 GB */
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct ipc_frame frame;
                size_t used = 0;
                CHECK(ipc_cut(cases[i].bytes, 16, &frame, &used, NULL) == cases[i].e && used == 0);
        }
}

TEST(ipc, writes_a_frame_whole_or_not_at_all)
{
        OWN(buf) struct buf whole, bytes;
        buf_init(&whole, 4096);
        ipc_write_request(&whole, 1, &question);
        for (size_t most = 1; most < whole.length; most++) {
                buf_init(&bytes, most);
                ipc_write_request(&bytes, 1, &question);
                CHECK(bytes.length == 0 && bytes.failed == ERR_LIMIT);
                buf_done(&bytes);
        }
}
