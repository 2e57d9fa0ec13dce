/* What a check-in and a report cost the store by how many share a transaction: 1, 16 or 256, among 100,000 enrolled devices, in a
 * temporary folder with synchronous=FULL. A report is verified, kept and counted; a check-in only moves a time. */
#include "base/limits.h"
#include "bench/measure.h"
#include "format/hex.h"
#include "server/store/inside.h"
#include "server/world.h"

#include <inttypes.h>
#include <stdio.h>

enum { BATCH_MAX = LIMIT_STORE_BATCH, KNOWN = 100000, KNOWN_IN_SMOKE = 300 };

struct message { char body[400], date[24], signature[REQUEST_SIGNATURE_BYTES]; };

struct bench {
        struct world world;
        struct world_device devices[BATCH_MAX];
        struct message messages[BATCH_MAX];
        struct store_request requests[BATCH_MAX];
        struct store_answer answers[BATCH_MAX];
        struct store_seen seen[BATCH_MAX];
        uint32_t known, at;
};

struct batch { struct bench *bench; size_t count; };

/* In place of the test runner: a helper of the tests found that the world is not as it must be. */
void test_fail(const char *file, int line, const char *claim)
{
        fprintf(stderr, "%s:%d: not so: %s\n", file, line, claim);
        exit(1);
}

static void id_of(uint32_t number, uint8_t id[16])
{
        uint64_t words[2] = { (number + 1) * UINT64_C(0x9E3779B97F4A7C15), (number + 1) * UINT64_C(0xBF58476D1CE4E5B9) };
        memcpy(id, words, sizeof(words));
}

/* Devices that only check in: rows, without the ceremony. */
static bool add_known(struct bench *bench)
{
        static const uint8_t key[32] = { 1 };
        struct db *db = bench->world.store->db;
        enum err e = db_begin(db, NULL);
        for (uint32_t i = 0; i < bench->known && !e; i++) {
                uint8_t id[16];
                id_of(i, id);
                e = db_run(db, "INSERT INTO devices (id, key, platform, ring, agent, device_group, attributes, token, enrolled_at, seen_at)"
                               " VALUES (?1, ?2, 'linux-amd64', 'all', '0.1.0', 'sales', 'os_version=12', 1, ?3, ?3)",
                           VALUES(bind_blob(id, sizeof(id)), bind_blob(key, sizeof(key)), bind_int(WORLD_START_S)), NULL);
        }
        return !e && db_commit(db, NULL) == OK;
}

/* The next devices in a row of all, as far apart as their ids are. */
static bool note_seen(void *user)
{
        struct batch *batch = user;
        struct bench *bench = batch->bench;
        for (size_t i = 0; i < batch->count; i++) {
                uint8_t id[16];
                id_of(bench->at++ % bench->known, id);
                hex_encode(id, sizeof(id), bench->seen[i].id);
                bench->seen[i].at_s = WORLD_START_S + bench->at;
        }
        return true;
}

static bool write_seen(void *user)
{
        struct batch *batch = user;
        return store_seen(batch->bench->world.store, batch->bench->seen, batch->count, NULL) == OK;
}

static bool sign_report(struct bench *bench, size_t at)
{
        struct world_device *device = &bench->devices[at];
        struct message *message = &bench->messages[at];
        int64_t now_s = bench->world.now_ms / 1000;
        snprintf(message->date, sizeof(message->date), "%" PRId64, now_s);
        int length = snprintf(message->body, sizeof(message->body),
                              "{\"seq\":%" PRId64 ",\"stream\":\"edr-rules\",\"counter\":1,\"nonce\":\"00000000000000000000000000000000\",\"outcome\":\"proven\",\"kind\":\"\","
                              "\"detail\":\"\",\"running\":1,\"starts\":1,\"crashes\":0,\"boots\":1,\"fallbacks\":0,\"proven\":1,\"at\":%" PRId64 "}", ++device->seq, now_s);
        struct request_facts facts = { "POST", "/v1/report", message->date, message->body, (size_t)length };
        bench->requests[at] = (struct store_request){ .route = ROUTE_DEVICE_REPORT, .method = "POST", .path = "/v1/report", .device = device->id,
                                                      .date = message->date, .signature = message->signature, .body = { message->body, (size_t)length } };
        return request_sign(&facts, &device->key, message->signature, NULL) == OK;
}

static bool sign_reports(void *user)
{
        struct batch *batch = user;
        bool is_good = true;
        for (size_t i = 0; i < batch->count; i++)
                is_good = sign_report(batch->bench, i) && is_good;
        return is_good;
}

static bool answer_reports(void *user)
{
        struct batch *batch = user;
        struct bench *bench = batch->bench;
        bool is_good = true;
        memset(bench->answers, 0, batch->count * sizeof(bench->answers[0]));
        store_batch(bench->world.store, bench->world.now_ms, bench->requests, batch->count, bench->answers);
        for (size_t i = 0; i < batch->count; i++) {
                is_good = is_good && bench->answers[i].status == 200;
                store_answer_done(&bench->answers[i]);
        }
        return is_good;
}

int main(int argc, char **argv)
{
        static struct bench bench;
        static struct batch one = { &bench, 1 }, some = { &bench, 16 }, many = { &bench, BATCH_MAX };
        static const struct measure_case cases[] = {
                { "checkin_1", NULL, write_seen, note_seen, &one, 1 },          { "checkin_16", "checkin_1", write_seen, note_seen, &some, 16 },
                { "checkin_256", "checkin_1", write_seen, note_seen, &many, BATCH_MAX },
                { "report_1", NULL, answer_reports, sign_reports, &one, 1 },    { "report_16", "report_1", answer_reports, sign_reports, &some, 16 },
                { "report_256", "report_1", answer_reports, sign_reports, &many, BATCH_MAX },
        };
        bool is_smoke = measure_is_smoke(argc, argv);
        world_open_file(&bench.world);
        for (size_t i = 0; i < BATCH_MAX; i++)
                world_enrol(&bench.world, &bench.devices[i], "os_version=12");
        bench.known = is_smoke ? KNOWN_IN_SMOKE : KNOWN;
        int code = add_known(&bench) ? measure_run(&(struct measure){ "store", cases, sizeof(cases) / sizeof(cases[0]), is_smoke }) : 1;
        world_close(&bench.world);
        return code;
}
