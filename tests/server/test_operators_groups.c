/* Which group is kept on what: told, asked, refused. */
#include "server/store/inside.h"
#include "server/world.h"

#include "support/test.h"

#include <string.h>

struct fleet { struct world world; struct world_device devices[3]; };

/* Two in sales, one in tills; three releases, of which the third raised the floor to 2. */
static void fleet_open(struct fleet *fleet)
{
        world_open(&fleet->world);
        for (int i = 0; i < 3; i++) {
                fleet->world.group = i < 2 ? "sales" : "tills";
                world_enrol(&fleet->world, &fleet->devices[i], "os=debian");
        }
        for (int counter = 1; counter <= 3; counter++) {
                fleet->world.floor = counter == 3 ? 2 : 1;
                CHECK(world_publish(&fleet->world, counter) == 201);
        }
}
static void fleet_release(struct fleet *fleet) { world_close(&fleet->world); }

static int set(struct fleet *fleet, const char *group, const char *body)
{
        char path[160];
        snprintf(path, sizeof(path), "/api/v1/groups/%s", group);
        return world_ask(&fleet->world, "POST", path, body);
}

#define BY ",\"who\":\"ann\",\"reason\":\"the till's vendor wants it\"}"

static const struct json *rule(const struct json *group, const char *stream) { return json_get(json_get(group, "streams"), stream); }

TEST(operator_groups, lists_groups_with_their_devices_and_rules)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet);
        CHECK(set(&fleet, "tills", "{\"stream\":\"edr-rules\",\"pin\":2" BY) == 200 && world_int(&fleet.world, "devices") == 1);
        CHECK(json_int(json_get(rule(fleet.world.json, "edr-rules"), "pin"), 0) == 2 && json_int(json_get(rule(fleet.world.json, "edr-rules"), "newest"), 0) == 2);
        CHECK(json_type(json_get(rule(fleet.world.json, "edr-rules"), "behind")) == JSON_NULL);
        CHECK(world_ask(&fleet.world, "GET", "/api/v1/groups", NULL) == 200);
        const struct json *items = json_get(fleet.world.json, "items");
        CHECK(json_count(items) == 2 && strcmp(json_text(json_get(json_at(items, 0), "group")), "sales") == 0 && json_int(json_get(json_at(items, 0), "devices"), 0) == 2);
        CHECK(json_count(json_get(json_at(items, 0), "streams")) == 0 && json_count(json_get(json_at(items, 1), "streams")) == 1);
        CHECK(world_ask(&fleet.world, "GET", "/api/v1/groups?limit=1", NULL) == 200 && json_count(json_get(fleet.world.json, "items")) == 1);
        char path[64];
        snprintf(path, sizeof(path), "/api/v1/groups?limit=1&cursor=%s", world_text(&fleet.world, "next"));
        CHECK(world_ask(&fleet.world, "GET", path, NULL) == 200 && json_type(json_get(fleet.world.json, "next")) == JSON_NULL);
        CHECK(strcmp(json_text(json_get(json_at(json_get(fleet.world.json, "items"), 0), "group")), "tills") == 0);
}

TEST(operator_groups, needs_no_stream_where_there_is_but_one)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet);
        CHECK(set(&fleet, "tills", "{\"pin\":3" BY) == 200 && rule(fleet.world.json, "edr-rules"));
        CHECK(set(&fleet, "tills", "{\"pin\":2" BY) == 200 && json_int(json_get(rule(fleet.world.json, "edr-rules"), "pin"), 0) == 2);
        CHECK(set(&fleet, "tills", "{\"latest\":true" BY) == 200 && !rule(fleet.world.json, "edr-rules"));
        fleet.world.stream = "signatures";
        fleet.world.floor = 1;
        CHECK(world_publish(&fleet.world, 1) == 201);
        CHECK(set(&fleet, "tills", "{\"pin\":3" BY) == 400 && strstr(buf_text(&fleet.world.answer.body), "there are 2 streams: say which one"));
}

TEST(operator_groups, writes_down_who_and_why)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet);
        CHECK(set(&fleet, "tills", "{\"pin\":2" BY) == 200 && set(&fleet, "tills", "{\"latest\":true" BY) == 200);
        int64_t lines = 0;
        CHECK(db_number(fleet.world.store->db, "SELECT count(*) FROM audit WHERE who = 'ann' AND what = 'group.set' AND subject = 'tills'"
                                               " AND detail = 'edr-rules: pinned to 2; the till''s vendor wants it'", NO_VALUES, 0, &lines, NULL) == OK && lines == 1);
        CHECK(db_number(fleet.world.store->db, "SELECT count(*) FROM audit WHERE what = 'group.set'", NO_VALUES, 0, &lines, NULL) == OK && lines == 2);
}

TEST(operator_groups, refuses_what_is_not_there_or_below_the_floor_with_the_reason)
{
        static const struct { const char *group, *body; int status; const char *says; } cases[] = {
                { "cooks", "{\"pin\":2" BY, 404, "no group `cooks`" },
                { "tills", "{\"stream\":\"another\",\"pin\":2" BY, 404, "no release of stream another is published here" },
                { "tills", "{\"pin\":4" BY, 404, "no release edr-rules/4" },
                { "tills", "{\"pin\":1" BY, 409, "edr-rules/1 is below the security floor 2 of its stream: pin 2 or a later one" },
                { "tills", "{\"pin\":0" BY, 400, "pin" },
                { "tills", "{\"pin\":\"2\"" BY, 400, "pin" },
                { "tills", "{\"pin\":2,\"latest\":true" BY, 400, "say one of" },
                { "tills", "{\"latest\":false" BY, 400, "say one of" },
                { "tills", "{\"stream\":\"edr-rules\"" BY, 400, "say one of" },
                { "tills", "{\"stream\":\"a b\",\"pin\":2" BY, 400, "stream" },
                { "tills", "{\"pin\":2,\"until\":5" BY, 400, "until" },
                { "tills", "{\"pin\":2}", 400, "who" },
                { "tills", "{\"pin\":2,\"who\":\"a b\",\"reason\":\"x\"}", 400, "who" },
                { "tills", "[]", 400, "" },
                { "tills", "", 400, "" },
                { "_tills", "{\"pin\":2" BY, 404, "no such thing" },
        };
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet);
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                int status = set(&fleet, cases[i].group, cases[i].body);
                if (status != cases[i].status || !strstr(buf_text(&fleet.world.answer.body), cases[i].says))
                        printf("# %s: %d %s\n", cases[i].body, status, buf_text(&fleet.world.answer.body));
                CHECK(status == cases[i].status && strstr(buf_text(&fleet.world.answer.body), cases[i].says));
        }
        CHECK(world_ask(&fleet.world, "GET", "/api/v1/groups/cooks", NULL) == 404);
        CHECK(world_ask(&fleet.world, "GET", "/api/v1/groups/tills", NULL) == 200 && json_count(json_get(fleet.world.json, "streams")) == 0);
        int64_t lines = -1;
        CHECK(db_number(fleet.world.store->db, "SELECT count(*) FROM audit WHERE what = 'group.set'", NO_VALUES, 0, &lines, NULL) == OK && lines == 0);
}
