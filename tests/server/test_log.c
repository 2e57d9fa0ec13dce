/* What is done goes into the log, once and in order, and everybody can see it. */
#include "server/log_view.h"

#include "evidence/record.h"
#include "support/sweep.h"
#include "support/test.h"
#include "trust/sha.h"

static const char start_1[] = "{\"stream\":\"edr-rules\",\"counter\":1,\"policy\":{\"gather_s\":0,\"holdout_ppm\":0,\"controls\":0}%s}";

TEST(log, begins_with_the_roots_and_anchors)
{
        OWN(world) struct world world = { .has_log = true };
        world_open(&world);
        log_tick(&world);
        CHECK(view_head(&world, NULL).size == 4);
        const struct { const char *name; const struct buf *file; } files[] = {
                { "release.root.json", &world.release_root }, { "release.anchor", &world.anchor }, { "director.root.json", &world.director_root }, { "director.anchor", &world.director_anchor },
        };
        for (size_t i = 0; i < 4; i++) {
                struct logged logged = { .kind = LOGGED_ROOT, .number = 1 };
                snprintf(logged.name, sizeof(logged.name), "%s", files[i].name);
                sha256(files[i].file->bytes, files[i].file->length, logged.digest);
                CHECK(view_find(&world, &logged) == (int64_t)i);
        }
        log_tick(&world);
        CHECK(log_count(&world, "SELECT count(*) FROM log_heads") == 1);
}

TEST(log, has_a_release_and_its_evidence_once_however_often_they_are_sent)
{
        OWN(world) struct world world = { .has_log = true };
        world_open(&world);
        char body[1 << 17];
        snprintf(body, sizeof(body), "%s", world_sign(&world, 1));
        CHECK(world_ask(&world, "POST", "/api/v1/releases", body) == 201 && world_ask(&world, "POST", "/api/v1/releases", body) == 200);
        CHECK(world_evidence(&world, 1, "S1", RECORD_PASS, false) == 201 && world_evidence(&world, 1, "S1", RECORD_PASS, false) == 201);
        log_tick(&world);
        CHECK(view_head(&world, NULL).size == 6);
        const struct logged release = view_release(&world, 1, world.target);
        CHECK(view_find(&world, &release) == 4 && view_proof(&world, &release, 0) == OK);
        OWN(query) struct query *q = NULL;
        struct logged evidence = { .kind = LOGGED_EVIDENCE, .name = "edr-rules", .number = 1 };
        bool has = false;
        size_t length = 0;
        CHECK(db_query(world.store->db, "SELECT envelope FROM evidence", NO_VALUES, &q, NULL) == OK && query_next(q, &has, NULL) == OK && has);
        const void *envelope = query_blob(q, 0, &length);
        sha256(envelope, length, evidence.digest);
        CHECK(view_find(&world, &evidence) == 5);
}

static struct logged override_of(const char *people_and_reason)
{
        struct logged logged = { .kind = LOGGED_OVERRIDE, .name = "edr-rules", .number = 1 };
        sha256(people_and_reason, strlen(people_and_reason), logged.digest);
        return logged;
}

TEST(log, has_who_passed_over_the_rules_and_why)
{
        OWN(world) struct world world = { .has_log = true };
        struct world_device device;
        char body[512];
        world_open(&world);
        world_enrol(&world, &device, "os=debian");
        CHECK(world_publish(&world, 1) == 201);
        snprintf(body, sizeof(body), start_1, "");
        CHECK(world_ask(&world, "POST", "/api/v1/rollouts", body) == 409);
        snprintf(body, sizeof(body), start_1, ",\"override\":{\"people\":[\"ann\",\"bob\"],\"reason\":\"an attack goes round\"}");
        CHECK(world_ask(&world, "POST", "/api/v1/rollouts", body) == 201);
        CHECK(world_ask(&world, "POST", "/api/v1/rollouts/edr-rules/1/hold", "{\"who\":\"ann\",\"reason\":\"test\"}") == 200);
        CHECK(world_ask(&world, "POST", "/api/v1/rollouts/edr-rules/1/override", "{\"who\":\"bob\",\"second\":\"ann\",\"reason\":\"it is fine\"}") == 200);
        CHECK(world_ask(&world, "POST", "/api/v1/rollouts/edr-rules/1/override", "{\"who\":\"bob\",\"second\":\"ann\",\"reason\":\"it is fine\"}") == 409);
        log_tick(&world);
        CHECK(view_head(&world, NULL).size == 7);
        const struct logged start = override_of("ann\nbob\nan attack goes round"), later = override_of("bob\nann\nit is fine");
        CHECK(view_find(&world, &start) == 5 && view_find(&world, &later) == 6);
}

TEST(log, grows_through_full_and_partial_tiles_and_every_head_stays_true)
{
        OWN(world) struct world world = { .has_log = true };
        struct tree_head heads[8];
        struct logged first;
        size_t count = 0;
        world_open(&world);
        CHECK(world_publish(&world, 1) == 201);
        first = view_release(&world, 1, world.target);
        static const unsigned steps[] = { 1, 200, 55, 1, 600, 3000 };
        for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
                CHECK(db_begin(world.store->db, NULL) == OK);
                for (unsigned k = 0; k < steps[i]; k++) {
                        struct logged logged = { .kind = LOGGED_EVIDENCE, .name = "filler", .number = (uint64_t)i * 10000 + k };
                        CHECK(rows_add(world.store->db, &logged, world.now_ms, NULL) == OK);
                }
                CHECK(db_commit(world.store->db, NULL) == OK);
                log_tick(&world);
                if (steps[i] < LIMIT_LOG_BATCH)
                        heads[count++] = view_head(&world, NULL);
        }
        for (int i = 0; i < 4; i++)
                log_tick(&world);                /* no more at once than a batch, and the rest soon after */
        CHECK(view_head(&world, NULL).size == (uint64_t)log_count(&world, "SELECT count(*) FROM log_entries"));
        for (size_t i = 0; i < count; i++)       /* also what was partial is still there for whoever has an old checkpoint */
                view_entries(&world, &heads[i], NULL, NULL);
        CHECK(world_publish(&world, 2) == 201);
        log_tick(&world);
        const struct logged second = view_release(&world, 2, world.target);
        CHECK(view_find(&world, &second) == (int64_t)view_head(&world, NULL).size - 1 && view_find(&world, &first) == 4);
        CHECK(view_proof(&world, &second, 0) == OK && view_proof(&world, &first, 0) == OK);
}

TEST(log, that_comes_later_begins_with_all_that_was)
{
        OWN(world) struct world world = { 0 };
        struct why why = { 0 };
        world_open_file(&world);
        CHECK(world_publish(&world, 1) == 201);
        world_prove(&world, 1);
        CHECK(store_log_tick(world.store, world.now_ms, NULL) == OK && !view_head(&world, NULL).size);
        CHECK(world_ask(&world, "POST", "/api/v1/log/cosignatures", "x") == 404 && world_ask(&world, "GET", "/api/v1/status", NULL) == 200);
        CHECK(json_type(json_get(world.json, "log")) == JSON_NULL);
        world.has_log = true;
        CHECK(world_try_open(&world, &why) == OK);
        log_tick(&world);
        const struct logged release = view_release(&world, 1, world.target);
        CHECK(view_head(&world, NULL).size == 8 && view_proof(&world, &release, 0) == OK);
}

/* As a database of an older version is: without rows. */
TEST(log, begins_with_what_an_older_version_has_published)
{
        OWN(world) struct world world = { .has_log = true };
        world_open_file(&world);
        CHECK(world_publish(&world, 1) == 201);
        world_prove(&world, 1);
        CHECK(db_run(world.store->db, "DROP TRIGGER log_entries_keep", NO_VALUES, NULL) == OK && db_run(world.store->db, "DELETE FROM log_entries", NO_VALUES, NULL) == OK);
        world_crash(&world);
        log_tick(&world);
        const struct logged release = view_release(&world, 1, world.target);
        CHECK(view_head(&world, NULL).size == 8 && view_find(&world, &release) == 4 && view_proof(&world, &release, 0) == OK);
}

TEST(log, rows_cannot_be_changed_or_taken_out)
{
        OWN(world) struct world world = { .has_log = true };
        world_open(&world);
        log_tick(&world);
        struct db *db = world.store->db;
        CHECK(db_run(db, "UPDATE log_entries SET number = 2", NO_VALUES, NULL) != OK && db_run(db, "DELETE FROM log_entries", NO_VALUES, NULL) != OK);
        CHECK(db_run(db, "UPDATE log_heads SET size = 2", NO_VALUES, NULL) != OK && db_run(db, "DELETE FROM log_heads", NO_VALUES, NULL) != OK);
}

TEST(log, is_told_of_in_status_and_metrics)
{
        OWN(world) struct world world = { .has_log = true, .witnesses = 3, .witness_threshold = 2 };
        world_open(&world);
        CHECK(world_publish(&world, 1) == 201);
        log_tick(&world);
        CHECK(world_ask(&world, "GET", "/api/v1/status", NULL) == 200);
        const struct json *log = json_get(world.json, "log");
        CHECK(strcmp(json_text(json_get(log, "origin")), TEST_ORIGIN) == 0 && json_int(json_get(log, "size"), -1) == 5 && json_int(json_get(log, "waiting"), -1) == 0);
        CHECK(json_int(json_get(log, "threshold"), -1) == 2 && json_int(json_get(log, "sufficient"), -1) == 0 && json_int(json_get(log, "unproven"), -1) == 1);
        CHECK(json_type(json_get(log, "sufficient_age_s")) == JSON_NULL);
        CHECK(log_cosign(&world, 1, WORLD_START_S) == 200 && log_cosign(&world, 2, WORLD_START_S) == 200);
        world.now_ms += 60000;
        CHECK(world_publish(&world, 2) == 201 && world_ask(&world, "GET", "/api/v1/status", NULL) == 200);
        log = json_get(world.json, "log");
        CHECK(json_int(json_get(log, "sufficient"), -1) == 5 && json_int(json_get(log, "sufficient_age_s"), -1) == 60 && json_int(json_get(log, "waiting"), -1) == 1);
        CHECK(json_int(json_get(log, "unproven"), -1) == 1);
        CHECK(world_ask(&world, "GET", "/metrics", NULL) == 200);
        static const char *const lines[] = { "firebreak_log_size 5\n", "firebreak_log_waiting 1\n", "firebreak_log_sufficient_size 5\n", "firebreak_log_sufficient_age_seconds 60\n",
                                             "firebreak_log_unproven_releases 1\n" };
        for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
                CHECK(strstr(buf_text(&world.answer.body), lines[i]));
}
