/* Between which releases deltas are made: what the store tells the process that makes them. */
#include "server/deltas/maker.h"
#include "server/world.h"
#include "support/test.h"

#include <string.h>

enum { MOST = 10 };

/* The jobs that are new since the last time. */
static size_t jobs_of(struct world *world, struct delta_job jobs[MOST])
{
        OWN(buf) struct buf bytes;
        buf_init(&bytes, MOST * sizeof(*jobs));
        CHECK(store_delta_jobs(world->store, &bytes, NULL) == OK && bytes.length % sizeof(*jobs) == 0);
        if (bytes.length)
                memcpy(jobs, bytes.bytes, bytes.length);
        return bytes.length / sizeof(*jobs);
}

TEST(store_delta_jobs, lead_to_the_newest_from_those_before_it_and_from_nothing)
{
        OWN(world) struct world world = { 0 };
        struct delta_job jobs[MOST];
        uint8_t targets[6][32];
        world_open(&world);
        CHECK(jobs_of(&world, jobs) == 0);
        for (int64_t counter = 1; counter <= 5; counter++) {
                CHECK(world_publish(&world, counter) == 201);
                memcpy(targets[counter], world.target, 32);
                const size_t count = jobs_of(&world, jobs), before = counter > 3 ? 3 : (size_t)counter - 1;
                CHECK(count == before + 1 && delta_job_is_whole(&jobs[before]));
                for (size_t i = 0; i < count; i++)
                        CHECK(memcmp(jobs[i].newer, targets[counter], 32) == 0);
                for (size_t i = 0; i < before; i++)
                        CHECK(memcmp(jobs[i].older, targets[(size_t)counter - 1 - i], 32) == 0);
                CHECK(jobs_of(&world, jobs) == 0);
        }
}

TEST(store_delta_jobs, are_told_again_after_a_start)
{
        OWN(world) struct world world = { 0 };
        struct delta_job jobs[MOST];
        world_open_file(&world);
        CHECK(world_publish(&world, 1) == 201 && world_publish(&world, 2) == 201 && jobs_of(&world, jobs) == 2);
        world_crash(&world);
        CHECK(jobs_of(&world, jobs) == 2 && memcmp(jobs[0].newer, world.target, 32) == 0 && jobs_of(&world, jobs) == 0);
}

TEST(store_delta_jobs, wait_where_there_is_no_room)
{
        OWN(world) struct world world = { 0 };
        OWN(buf) struct buf full, room;
        world_open(&world);
        CHECK(world_publish(&world, 1) == 201);
        buf_init(&full, 3 * sizeof(struct delta_job));
        buf_init(&room, 4 * sizeof(struct delta_job));
        CHECK(store_delta_jobs(world.store, &full, NULL) == OK && full.length == 0);
        CHECK(store_delta_jobs(world.store, &room, NULL) == OK && room.length == sizeof(struct delta_job));
}
