/* The operators' API as docs/guide/formats.md, 5, has it: the fields of each answer, in their order, and its status. */
#include "server/store/inside.h"
#include "server/world.h"

#include "evidence/record.h"
#include "support/test.h"

static const char rollout_fields[] = "stream counter state reason until verdict sentence budget attributed to_stop nearest fleet eligible seen kept_back frozen held goodbyes exposed unanswered proven harmed dark declined preflight_failed "
                                     "hurt control control_harmed window watch recovered followers limit evidence evidence_needed started stopped stopped_by stop_s completed roll_back strata unseen "
                                     "policy events";
static const char release_fields[] = "stream counter version target floor platforms files bytes published state";
static const char device_fields[] = "device platform ring agent group attributes enrolled_at seen_at revoked_at report_seq goodbye streams";

static bool has(const struct json *object, const char *fields)
{
        OWN(buf) struct buf names;
        buf_init(&names, 4096);
        for (size_t i = 0; i < json_count(object); i++)
                buf_addf(&names, "%s%s", i ? " " : "", json_key_at(object, i));
        bool is_same = names.length && strcmp(buf_text(&names), fields) == 0;
        if (!is_same)
                printf("# has:   %s\n# wants: %s\n", buf_text(&names), fields);
        return is_same;
}

static const struct json *first(const struct world *world) { return json_at(json_get(world->json, "items"), 0); }

static const char start_1[] = "{\"stream\":\"edr-rules\",\"counter\":1,\"policy\":{\"gather_s\":0,\"holdout_ppm\":0,\"controls\":0}}";

struct fleet { struct world world; struct world_device device; };
static void fleet_release(struct fleet *fleet) { world_close(&fleet->world); }

static void fleet_open(struct fleet *fleet)
{
        world_open(&fleet->world);
        world_enrol(&fleet->world, &fleet->device, "os=debian");
        CHECK(world_publish(&fleet->world, 1) == 201);
        world_prove(&fleet->world, 1);
}

TEST(shapes, of_releases_are_as_written)
{
        OWN(fleet) struct fleet fleet = { 0 };
        struct world *world = &fleet.world;
        fleet_open(&fleet);
        CHECK(world_ask(world, "GET", "/api/v1/releases", NULL) == 200 && has(world->json, "items next") && has(first(world), release_fields));
        CHECK(world_ask(world, "GET", "/api/v1/releases/edr-rules/1", NULL) == 200);
        CHECK(json_bool(json_get(json_get(world->json, "gate"), "open"), false) && has(json_get(world->json, "gate"), "open unmet"));
        CHECK(has(json_at(json_get(world->json, "evidence"), 0), "origin stage check status cases failed critical why platform finished"));
        CHECK(json_type(json_get(world->json, "dossier")) == JSON_OBJECT && json_count(world->json) == 17 && json_type(json_get(world->json, "approvals")) == JSON_ARRAY);
        const struct json *step = json_at(json_get(world->json, "ceiling"), 0);
        CHECK(json_int(json_get(world->json, "start"), 0) > 0 && has(step, "after_s ppm") && json_int(json_get(step, "ppm"), 0) == 1000000);
        CHECK(world_evidence(world, 1, "S1", RECORD_FAIL, false) == 201 && has(world->json, "origin stage check status"));
}

TEST(shapes, of_rollouts_are_as_written)
{
        OWN(fleet) struct fleet fleet = { 0 };
        struct world *world = &fleet.world;
        fleet_open(&fleet);
        CHECK(world_ask(world, "POST", "/api/v1/rollouts", start_1) == 201 && has(world->json, rollout_fields));
        CHECK(has(json_at(json_get(world->json, "strata"), 0), "name exposed unanswered proven harmed dark hurt control control_harmed excess_upper_ppm window attributed"));
        CHECK(has(json_at(json_get(world->json, "events"), 0), "at what"));
        CHECK(has(json_get(world->json, "policy"), "budget bake_s gap_s gather_s alpha_ppm controls holdout_ppm cap_per_bake watch_s complete_ppm bound_silence rollback_s freeze"));
        CHECK(json_int(json_get(json_get(world->json, "policy"), "budget"), 0) == 30 && json_int(json_get(json_get(world->json, "policy"), "bake_s"), 0) == 600);
        CHECK(world_ask(world, "GET", "/api/v1/rollouts", NULL) == 200 && has(world->json, "items next") && has(first(world), rollout_fields));
        CHECK(world_ask(world, "GET", "/api/v1/rollouts/edr-rules/1", NULL) == 200 && has(world->json, rollout_fields));
        CHECK(world_ask(world, "POST", "/api/v1/rollouts/edr-rules/1/hold", "{\"who\":\"ann\",\"reason\":\"test\"}") == 200 && has(world->json, rollout_fields));
        CHECK(world_ask(world, "POST", "/api/v1/rollouts/edr-rules/1/burn", "{\"who\":\"ann\",\"reason\":\"test\"}") == 400);
        CHECK(world_ask(world, "POST", "/api/v1/rollouts/edr-rules/1/override", "{\"who\":\"ann\",\"reason\":\"test\"}") == 409);
}

TEST(shapes, of_devices_are_as_written)
{
        OWN(fleet) struct fleet fleet = { 0 };
        struct world *world = &fleet.world;
        char path[64];
        fleet_open(&fleet);
        CHECK(world_ask(world, "POST", "/api/v1/rollouts", start_1) == 201 && world_lease(world, &fleet.device, 1, true) == 202);
        world_tick(world, 100);
        CHECK(world_lease(world, &fleet.device, 1, false) == 200);
        CHECK(world_ask(world, "GET", "/api/v1/devices", NULL) == 200 && has(world->json, "items next") && has(first(world), device_fields));
        snprintf(path, sizeof(path), "/api/v1/devices/%s", fleet.device.id);
        CHECK(world_ask(world, "GET", path, NULL) == 200 && json_count(world->json) == 13);
        CHECK(has(json_get(json_get(world->json, "streams"), "edr-rules"), "running proven"));
        CHECK(has(json_at(json_get(world->json, "leases"), 0), "nonce kind stream counter granted deadline outcome harm"));
        CHECK(json_type(json_get(json_at(json_get(world->json, "leases"), 0), "outcome")) == JSON_NULL && json_type(json_get(world->json, "revoked_at")) == JSON_NULL);
}

TEST(shapes, of_groups_are_as_written)
{
        OWN(fleet) struct fleet fleet = { 0 };
        struct world *world = &fleet.world;
        fleet_open(&fleet);
        CHECK(world_ask(world, "POST", "/api/v1/groups/sales", "{\"stream\":\"edr-rules\",\"pin\":1,\"who\":\"ann\",\"reason\":\"test\"}") == 200);
        CHECK(has(world->json, "group devices streams") && has(json_get(json_get(world->json, "streams"), "edr-rules"), "pin behind newest now"));
        CHECK(world_ask(world, "GET", "/api/v1/groups/sales", NULL) == 200 && has(world->json, "group devices streams"));
        CHECK(world_ask(world, "GET", "/api/v1/groups", NULL) == 200 && has(world->json, "items next") && has(first(world), "group devices streams"));
}

TEST(shapes, of_the_status_are_as_written)
{
        OWN(fleet) struct fleet fleet = { 0 };
        struct world *world = &fleet.world;
        fleet_open(&fleet);
        CHECK(world_ask(world, "POST", "/api/v1/rollouts", start_1) == 201);
        CHECK(world_ask(world, "GET", "/api/v1/status", NULL) == 200 && has(world->json, "version tenant now epoch releases devices metadata log rollouts"));
        CHECK(has(json_get(world->json, "devices"), "enrolled seen_5m revoked"));
        CHECK(has(json_at(json_get(world->json, "metadata"), 0), "repository role version age_s expires is_expired health"));
        CHECK(has(json_at(json_get(world->json, "rollouts"), 0), "stream counter state reason sentence eligible exposed proven hurt recovered attributed budget"));
}
