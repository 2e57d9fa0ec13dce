/* GET /api/v1/releases/STREAM/COUNTER/fleet, as docs/guide/formats.md, 5, has it. */
#include "server/store/inside.h"
#include "server/world.h"

#include "support/test.h"

static const char fleet_1[] = "/api/v1/releases/edr-rules/1/fleet";

static const struct json *at(const struct json *json, const char *key, size_t index) { return json_at(json_get(json, key), index); }
static int64_t number(const struct json *json, const char *key) { return json_int(json_get(json, key), -1); }
static const char *text(const struct json *json, const char *key) { return json_text(json_get(json, key)) ? json_text(json_get(json, key)) : ""; }

static bool has(const struct json *object, const char *fields)
{
        OWN(buf) struct buf names;
        buf_init(&names, 4096);
        for (size_t i = 0; i < json_count(object); i++)
                buf_addf(&names, "%s%s", i ? " " : "", json_key_at(object, i));
        if (strcmp(buf_text(&names), fields) != 0)
                printf("# has:   %s\n# wants: %s\n", buf_text(&names), fields);
        return strcmp(buf_text(&names), fields) == 0;
}

static void run_sql(struct world *world, const char *sql)
{
        CHECK(db_begin(world->store->db, NULL) == OK && db_run(world->store->db, sql, NO_VALUES, NULL) == OK && db_commit(world->store->db, NULL) == OK);
}

TEST(fleet, is_as_written)
{
        OWN(world) struct world world = { 0 };
        struct world_device devices[4];
        world_open(&world);
        world_enrol(&world, &devices[0], "os=debian,site=b1");
        world_enrol(&world, &devices[1], "site=b1,os=debian");
        world_enrol(&world, &devices[2], "os=fedora");
        CHECK(world_publish(&world, 1) == 201);
        world.now_ms += 5000;
        world_enrol(&world, &devices[3], "os=late");
        CHECK(world_ask(&world, "GET", fleet_1, NULL) == 200);
        CHECK(has(world.json, "stream counter state now pace_ms devices seen left_out strata no_stratum blocks profiles merged baseline"));
        CHECK(strcmp(world_text(&world, "state"), "draft") == 0 && world_int(&world, "devices") == 3 && world_int(&world, "pace_ms") == 300000);
        CHECK(has(json_get(world.json, "seen"), "1h 1d 7d median_s") && number(json_get(world.json, "seen"), "1h") == 3);
        CHECK(has(json_get(world.json, "left_out"), "enrolled_later other_platform kept_back") && number(json_get(world.json, "left_out"), "enrolled_later") == 1);
        CHECK(json_count(json_get(world.json, "strata")) == 3 && has(at(world.json, "strata", 0), "name devices"));
        CHECK(strcmp(text(at(world.json, "strata", 0), "name"), "os=debian") == 0 && number(at(world.json, "strata", 0), "devices") == 2);
        const struct json *blocks = json_get(world.json, "blocks"), *profile = at(world.json, "profiles", 0);
        CHECK(has(blocks, "count single items") && number(blocks, "count") == 2 && number(blocks, "single") == 1);
        CHECK(has(at(blocks, "items", 0), "name devices") && strcmp(text(at(blocks, "items", 0), "name"), "all/b1") == 0);
        CHECK(json_count(json_get(world.json, "profiles")) == 2 && has(profile, "block strata devices seen_7d seen_1d"));
        CHECK(number(profile, "block") == 0 && number(profile, "devices") == 2 && number(profile, "seen_7d") == 2 && json_count(json_get(profile, "strata")) == 2);
        CHECK(has(json_get(world.json, "merged"), "profiles devices") && number(json_get(world.json, "merged"), "devices") == 0);
        CHECK(has(json_get(world.json, "baseline"), "rollouts control treated answer_ms late_ms hours"));
        CHECK(has(json_get(json_get(world.json, "baseline"), "control"), "leases dark late harmed crashes lease_ms"));
        CHECK(json_count(json_get(json_get(world.json, "baseline"), "hours")) == 24 && number(json_get(world.json, "baseline"), "rollouts") == 0);
}

TEST(fleet, leaves_out_groups_that_are_kept_back)
{
        OWN(world) struct world world = { 0 };
        struct world_device devices[5];
        static const char pin[] = "{\"pin\":1,\"who\":\"ann\",\"reason\":\"test\"}";
        world_open(&world);
        for (int i = 0; i < 5; i++) {
                world.group = i < 2 ? "tills" : i < 4 ? "office" : "plant";
                world_enrol(&world, &devices[i], "os=debian");
        }
        CHECK(world_publish(&world, 1) == 201 && world_publish(&world, 2) == 201);
        CHECK(world_ask(&world, "POST", "/api/v1/groups/tills", pin) == 200 && world_ask(&world, "POST", "/api/v1/groups/plant", "{\"behind\":1,\"who\":\"ann\",\"reason\":\"test\"}") == 200);
        CHECK(world_ask(&world, "GET", fleet_1, NULL) == 200 && world_int(&world, "devices") == 4 && number(json_get(world.json, "left_out"), "kept_back") == 1);
        CHECK(world_ask(&world, "GET", "/api/v1/releases/edr-rules/2/fleet", NULL) == 200);
        CHECK(world_int(&world, "devices") == 2 && number(json_get(world.json, "left_out"), "kept_back") == 3);
}

TEST(fleet, is_of_a_release_that_is_there_and_only_for_operators)
{
        OWN(world) struct world world = { 0 };
        world_open(&world);
        CHECK(world_ask(&world, "GET", fleet_1, NULL) == 404 && strstr(world_text(&world, "detail"), "firebreak release list"));
        CHECK(world_publish(&world, 1) == 201);
        CHECK(world_ask(&world, "GET", fleet_1, NULL) == 200 && world_int(&world, "devices") == 0 && json_count(json_get(world.json, "profiles")) == 0);
}

TEST(fleet, says_who_was_seen_lately)
{
        OWN(world) struct world world = { 0 };
        struct world_device devices[3];
        world_open(&world);
        for (unsigned i = 0; i < 3; i++)
                world_enrol(&world, &devices[i], "os=debian");
        CHECK(world_publish(&world, 1) == 201);
        run_sql(&world, "UPDATE devices SET seen_at = seen_at - 7200 WHERE number = 1");
        CHECK(world_ask(&world, "GET", fleet_1, NULL) == 200 && number(json_get(world.json, "seen"), "median_s") == 0);
        run_sql(&world, "UPDATE devices SET seen_at = seen_at - 40 WHERE number = 3");
        run_sql(&world, "UPDATE devices SET seen_at = seen_at - 8 * 86400 WHERE number = 2");
        CHECK(world_ask(&world, "GET", fleet_1, NULL) == 200);
        const struct json *seen = json_get(world.json, "seen"), *profile = at(world.json, "profiles", 0);
        CHECK(number(seen, "1h") == 1 && number(seen, "median_s") == 40 && number(seen, "1d") == 2 && number(seen, "7d") == 2 && world_int(&world, "devices") == 3);
        CHECK(number(profile, "devices") == 3 && number(profile, "seen_7d") == 2 && number(profile, "seen_1d") == 2);
}

static const char many[] = "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 9000)"
                           " INSERT INTO devices SELECT 10 + i, randomblob(16), key, platform, iif(i < 100, 'early', ring), agent, device_group,"
                           " 'os=debian,site=s' || i, token, enrolled_at, seen_at, 0, NULL FROM n, devices WHERE number = 1";
static const char values[] = "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 1500)"
                             " INSERT INTO devices SELECT 10 + i, randomblob(16), key, platform, ring, agent, device_group,"
                             " 'serial=x' || i, token, enrolled_at, seen_at, 0, NULL FROM n, devices WHERE number = 1";

/* Each of 9,000 sites has one device: more profiles than are told. None of them is lost. */
TEST(fleet, merges_the_rarest_profiles_and_says_so)
{
        OWN(world) struct world world = { 0 };
        struct world_device devices[2];
        world_open(&world);
        world_enrol(&world, &devices[0], "os=debian");
        world_enrol(&world, &devices[1], "os=debian");
        CHECK(world_publish(&world, 1) == 201);
        run_sql(&world, many);
        CHECK(world_ask(&world, "GET", fleet_1, NULL) == 200 && world_int(&world, "devices") == 9002);
        const struct json *profiles = json_get(world.json, "profiles"), *merged = json_get(world.json, "merged");
        int64_t sum = 0;
        for (size_t i = 0; i < json_count(profiles); i++)
                sum += number(json_at(profiles, i), "devices");
        CHECK(json_count(profiles) == LIMIT_PROFILES && sum == 9002 && number(merged, "profiles") == 9001 - LIMIT_PROFILES && number(merged, "devices") == 9001 - LIMIT_PROFILES);
        CHECK(number(json_at(profiles, 0), "devices") == 2 + 9001 - LIMIT_PROFILES);
        CHECK(number(json_get(world.json, "blocks"), "count") == 9001 && number(json_get(world.json, "blocks"), "single") == 9000);
        CHECK(json_count(json_get(json_get(world.json, "blocks"), "items")) == LIMIT_PROFILES);
}

TEST(fleet, has_no_more_strata_than_a_rollout_and_says_so)
{
        OWN(world) struct world world = { 0 };
        struct world_device device;
        world_open(&world);
        world_enrol(&world, &device, "os=debian");
        CHECK(world_publish(&world, 1) == 201);
        run_sql(&world, values);
        CHECK(world_ask(&world, "GET", fleet_1, NULL) == 200);
        CHECK(json_count(json_get(world.json, "strata")) == LIMIT_STRATA && world_int(&world, "no_stratum") == 1500 - (LIMIT_STRATA - 2));
}

static const char start_1[] = "{\"stream\":\"edr-rules\",\"counter\":1,\"policy\":{\"budget\":2,\"bake_s\":2,\"gap_s\":3,\"gather_s\":0,\"holdout_ppm\":0,\"controls\":1}}";

/* Four devices: two get the release and two are control. One of each says that it is well after two seconds, the others are silent; later one of these speaks. */
TEST(baseline, is_what_earlier_rollouts_of_the_stream_saw)
{
        OWN(world) struct world world = { 0 };
        struct world_device devices[4];
        world_open(&world);
        for (unsigned i = 0; i < 4; i++)
                world_enrol(&world, &devices[i], "os=debian");
        CHECK(world_publish(&world, 1) == 201);
        world_prove(&world, 1);
        CHECK(world_ask(&world, "POST", "/api/v1/rollouts", start_1) == 201);
        for (unsigned i = 0; i < 4; i++)
                CHECK(world_lease(&world, &devices[i], 1, true) == 202);
        world_tick(&world, 100);
        unsigned leased = 0, silent = 4;
        for (unsigned i = 0; i < 4; i++)
                leased += world_lease(&world, &devices[i], 1, false) == 200;
        CHECK(leased == 4);
        world_tick(&world, 2500);
        bool has_said[2] = { false, false };
        for (unsigned i = 0; i < 4; i++) {
                if (has_said[devices[i].lease.is_shadow]) {
                        silent = devices[i].lease.is_shadow ? i : silent;
                        continue;
                }
                has_said[devices[i].lease.is_shadow] = true;
                CHECK(world_report(&world, &devices[i], "proven", "") == 200);
        }
        world_tick(&world, 5000);
        world_tick(&world, 60000);
        CHECK(silent < 4 && world_report(&world, &devices[silent], "proven", "") == 200);
        CHECK(world_ask(&world, "GET", fleet_1, NULL) == 200);
        const struct json *baseline = json_get(world.json, "baseline"), *control = json_get(baseline, "control");
        CHECK(number(baseline, "rollouts") == 1 && number(control, "leases") == 2 && number(control, "dark") == 1 && number(control, "late") == 1);
        CHECK(number(control, "harmed") == 0 && number(control, "lease_ms") > 7000 && number(control, "lease_ms") < 8000);
        CHECK(number(json_get(baseline, "treated"), "leases") == 0);           /* the rollout is not complete */
        CHECK(number(json_get(baseline, "answer_ms"), "median") == 500 && number(json_get(baseline, "late_ms"), "median") > 59000);
        run_sql(&world, "UPDATE rollouts SET state = 'watched'");
        CHECK(world_ask(&world, "GET", fleet_1, NULL) == 200);
        CHECK(number(json_get(json_get(world.json, "baseline"), "treated"), "leases") == 2 && number(json_get(json_get(world.json, "baseline"), "treated"), "dark") == 1);
}
