/* Each handler, with each of its allocations failing in turn: the answer is 503 or the right one, and what was refused
 * left nothing behind. */
#include "server/store/inside.h"
#include "server/world.h"

#include "format/hex.h"
#include "support/sweep.h"
#include "support/test.h"

/* `again`: the answer to the same request once it was taken, which a run that came through a failure may be. */
struct question { const char *method, *path, *body; int status, again; };

static int64_t audit_lines(struct world *world)
{
        int64_t count = 0;
        CHECK(db_number(world->store->db, "SELECT count(*) FROM audit", NO_VALUES, 0, &count, NULL) == OK);
        return count;
}

/* Is it taken? `device` NULL: an operator asks. */
static bool ask_once(struct world *world, struct world_device *device, const struct question *question, int right)
{
        int status = device ? world_device_ask(world, device, question->path, question->body) : world_ask(world, question->method, question->path, question->body);
        if (status != right && status != 503)
                printf("# %s: %d %s\n", question->path, status, buf_text(&world->answer.body));
        CHECK(status == right || (status == 503 && world->answer.retry_after_s));
        return status == right;
}

/* Returns how many were taken. */
static int ask_swept(struct world *world, struct world_device *device, const struct question *question)
{
        int taken = 0;
        SWEEP_MEMORY
                taken += ask_once(world, device, question, taken ? question->again : question->status);
        CHECK(taken);
        return taken;
}

static void refuse_swept(struct world *world, const char *path, const char *body, int status)
{
        int64_t lines = audit_lines(world);
        ask_swept(world, NULL, &(struct question){ "POST", path, body, status, status });
        CHECK(audit_lines(world) == lines);
}

/* Memory holds what the disk holds, no more and no less. */
static void check_kept(struct world *world)
{
        OWN(buf) struct buf before;
        buf_init(&before, 1 << 20);
        CHECK(world_ask(world, "GET", "/api/v1/rollouts/edr-rules/1", NULL) == 200);
        buf_add_text(&before, buf_text(&world->answer.body));
        world_crash(world);
        CHECK(world_ask(world, "GET", "/api/v1/rollouts/edr-rules/1", NULL) == 200 && strcmp(buf_text(&before), buf_text(&world->answer.body)) == 0);
}

static const char start_1[] = "{\"stream\":\"edr-rules\",\"counter\":1,\"policy\":{\"budget\":2,\"bake_s\":2,\"gap_s\":3,\"gather_s\":0,\"holdout_ppm\":0,\"controls\":0}}";

/* A release with evidence, and two devices. */
static void prepare(struct world *world, struct world_device devices[2])
{
        world_open_file(world);
        world_enrol(world, &devices[0], "os=debian");
        world_enrol(world, &devices[1], "os=debian");
        CHECK(world_publish(world, 1) == 201);
        world_prove(world, 1);
}

TEST(memory, lacking_loses_no_token_and_no_device)
{
        OWN(world) struct world world = { 0 };
        struct world_device device;
        char body[2048], token[64];
        world_open_file(&world);
        int64_t lines = audit_lines(&world);
        int taken = ask_swept(&world, NULL, &(struct question){ "POST", "/api/v1/tokens", "{\"group\":\"sales\",\"uses\":1,\"expires_s\":3600}", 200, 200 });
        CHECK(audit_lines(&world) == lines + taken);
        snprintf(token, sizeof(token), "%s", world_text(&world, "token"));
        world_device_init(&world, &device);
        snprintf(body, sizeof(body), "%s", world_enrol_body(&world, &device, token, "os=debian"));
        ask_swept(&world, &device, &(struct question){ "POST", "/v1/enrol", body, 200, 200 });
        CHECK(audit_lines(&world) == lines + taken + 1);         /* the token's one use was not spent on a failure */
}

TEST(memory, lacking_publishes_all_or_nothing)
{
        OWN(world) struct world world = { 0 };
        world_open_file(&world);
        const char *body = world_sign(&world, 1);
        int64_t lines = audit_lines(&world);
        ask_swept(&world, NULL, &(struct question){ "POST", "/api/v1/releases", body, 201, 200 });
        CHECK(audit_lines(&world) == lines + 1);
        refuse_swept(&world, "/api/v1/releases", "{\"targets\":{},\"snapshot\":{},\"note\":\"x\",\"dossier\":{}}", 400);
}

/* One word and the other: whichever was not taken, and stayed in memory, would refuse itself the next time. */
static void steer_swept(struct world *world)
{
        static const char body[] = "{\"who\":\"ann\",\"reason\":\"test\"}";
        static const struct question words[] = {
                { "POST", "/api/v1/rollouts/edr-rules/1/hold", body, 200, 200 }, { "POST", "/api/v1/rollouts/edr-rules/1/resume", body, 200, 409 },
        };
        int64_t lines = audit_lines(world);
        int taken = ask_swept(world, NULL, &words[0]), said = 1;
        SWEEP_MEMORY_ONCE {                                      /* enough is left to undo the request alone */
                bool is_taken = ask_once(world, NULL, &words[said], 200);
                taken += is_taken;
                said ^= is_taken;
                sweep_.step += 6;                                /* each replays what came before: every seventh will do */
        }
        CHECK(audit_lines(world) == lines + taken && taken > 1);
}

TEST(memory, lacking_starts_one_rollout_and_steers_it)
{
        OWN(world) struct world world = { 0 };
        struct world_device devices[2];
        prepare(&world, devices);
        int64_t lines = audit_lines(&world);
        ask_swept(&world, NULL, &(struct question){ "POST", "/api/v1/rollouts", start_1, 201, 409 });
        CHECK(audit_lines(&world) == lines + 1);
        steer_swept(&world);
        refuse_swept(&world, "/api/v1/rollouts/edr-rules/1/hold", "{\"who\":\"a b\",\"reason\":\"test\"}", 400);
        refuse_swept(&world, "/api/v1/releases/edr-rules/1/evidence", "{\"payload\":\"\"}", 400);
        CHECK(world_ask(&world, "GET", "/api/v1/rollouts/edr-rules/1", NULL) == 200 && world_int(&world, "exposed") == 0);
        check_kept(&world);
}

static const char *lease_body(const struct world *world, const struct world_device *device)
{
        static char body[512];
        char target[65];
        hex_encode(world->target, 32, target);
        snprintf(body, sizeof(body), "{\"stream\":\"edr-rules\",\"counter\":1,\"target\":\"%s\",\"running\":0,\"nonce\":\"%s\"}", target, device->nonce);
        return body;
}

static const char *report_body(const struct world *world, struct world_device *device)
{
        static char body[512];
        snprintf(body, sizeof(body), "{\"seq\":%lld,\"stream\":\"edr-rules\",\"counter\":1,\"nonce\":\"%s\",\"outcome\":\"harmed\",\"kind\":\"crash\",\"detail\":\"\",\"running\":0,"
                 "\"starts\":1,\"crashes\":1,\"boots\":1,\"fallbacks\":0,\"proven\":0,\"at\":%lld}", (long long)++device->seq, device->nonce, (long long)world->now_ms / 1000);
        return body;
}

static int64_t inputs(struct world *world, const char *what)
{
        int64_t count = 0;
        CHECK(db_number(world->store->db, "SELECT count(*) FROM rollout_inputs WHERE what = ?", VALUES(bind_text(what)), 0, &count, NULL) == OK);
        return count;
}

static bool shows(struct world *world, int64_t exposed, int64_t harmed)
{
        return world_ask(world, "GET", "/api/v1/rollouts/edr-rules/1", NULL) == 200 && world_int(world, "exposed") == exposed && world_int(world, "harmed") == harmed;
}

/* What a rollout was told in a request that failed must not stay in memory. */
TEST(memory, lacking_counts_each_exposure_and_each_harm_once)
{
        OWN(world) struct world world = { 0 };
        struct world_device devices[2];
        prepare(&world, devices);
        CHECK(world_ask(&world, "POST", "/api/v1/rollouts", start_1) == 201);
        CHECK(world_lease(&world, &devices[0], 1, true) == 202 && world_lease(&world, &devices[1], 1, true) == 202);
        world_tick(&world, 100);
        CHECK(shows(&world, 2, 0));
        ask_swept(&world, &devices[0], &(struct question){ "POST", "/v1/lease", lease_body(&world, &devices[0]), 200, 200 });
        CHECK(shows(&world, 2, 0) && inputs(&world, "granted") == 1);
        ask_swept(&world, &devices[0], &(struct question){ "POST", "/v1/report", report_body(&world, &devices[0]), 200, 200 });
        CHECK(shows(&world, 2, 1) && inputs(&world, "report") == 1);
        world.now_ms += 60000;                                   /* the other never came for its own */
        SWEEP_MEMORY {
                enum err e = store_tick(world.store, world.now_ms, NULL);
                CHECK(e == OK || e == ERR_NOMEM);
        }
        CHECK(shows(&world, 1, 1));
        check_kept(&world);
}

static void check_whole(struct world *world, const char *path, const char *whole)
{
        int status = world_ask(world, "GET", path, NULL);
        CHECK((status == 200 && strcmp(whole, buf_text(&world->answer.body)) == 0) || status == 503);
}

TEST(memory, lacking_shows_the_whole_or_nothing)
{
        static const char *const paths[] = { "/api/v1/status", "/api/v1/releases?limit=1", "/api/v1/releases/edr-rules/1", "/api/v1/rollouts", "/api/v1/rollouts/edr-rules/1",
                                             "/api/v1/devices?limit=1", "/metrics", "/readyz" };
        OWN(world) struct world world = { 0 };
        struct world_device devices[2];
        prepare(&world, devices);
        CHECK(world_ask(&world, "POST", "/api/v1/rollouts", start_1) == 201);
        for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
                static char whole[1 << 16];
                CHECK(world_ask(&world, "GET", paths[i], NULL) == 200);
                snprintf(whole, sizeof(whole), "%s", buf_text(&world.answer.body));
                SWEEP_MEMORY
                        check_whole(&world, paths[i], whole);
                SWEEP_MEMORY_ONCE
                        check_whole(&world, paths[i], whole);
        }
}
