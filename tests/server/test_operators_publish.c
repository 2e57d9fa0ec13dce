#include "server/world.h"

#include "evidence/record.h"

TEST(publish, takes_a_release_and_shows_it)
{
        OWN(world) struct world world = { 0 };
        world_open(&world);
        CHECK(world_publish(&world, 1) == 201 && world_int(&world, "counter") == 1);
        CHECK(world_ask(&world, "GET", "/api/v1/releases", NULL) == 200 && json_count(json_get(world.json, "items")) == 1);
        CHECK(world_ask(&world, "GET", "/api/v1/releases/edr-rules/1", NULL) == 200);
        CHECK(strcmp(world_text(&world, "state"), "draft") == 0 && !json_bool(json_get(json_get(world.json, "gate"), "open"), true));
        CHECK(world_publish(&world, 2) == 201);
}
