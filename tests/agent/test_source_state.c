#include "agent/source_state.h"

#include "support/sim_disk.h"
#include "support/test.h"

#include <string.h>

static const char *const names[] = { "https://near.example/cache", "http://far.example" };

static struct source_states some(int64_t now_ms, int64_t now_s)
{
        struct sources sources;
        sources_init(&sources, 2);
        sources.each[1] = (struct source){ .bytes = 7, .failures = 2, .lies = 1, .aside_until_ms = 5001 };
        sources.each[SOURCE_SERVER].bytes = 9;
        return source_states_of(&sources, names, now_ms, now_s);
}

TEST(source_states, tell_who_brought_what_and_until_when_one_is_not_asked)
{
        struct source_states states = some(1000, 1784432200);
        CHECK(states.count == 3 && states.each[0].bytes == 9 && !states.each[0].name[0]);
        CHECK(strcmp(states.each[1].name, names[0]) == 0 && states.each[1].bytes == 7 && states.each[1].failures == 2 && states.each[1].lies == 1);
        CHECK(states.each[1].aside_until_s == 1784432205 && !states.each[2].aside_until_s);
        states = some(5001, 1784432204);
        CHECK(!states.each[1].aside_until_s);
}

TEST(source_states, are_kept_and_a_file_that_is_none_says_nothing)
{
        struct sim_disk sim;
        struct source_states states = some(1000, 1784432200), read;
        sim_disk_init(&sim);
        source_states_read(&sim.disk, &read);
        CHECK(!read.count);
        CHECK(source_states_write(&sim.disk, &states, NULL) == OK);
        source_states_read(&sim.disk, &read);
        CHECK(memcmp(&read, &states, sizeof(read)) == 0);
        static const char *const bad[] = { "", "x", "FBSR" };
        for (size_t i = 0; i < 3; i++) {
                CHECK(sim.disk.ops->replace(&sim.disk, "sources", bad[i], strlen(bad[i]), NULL) == OK);
                source_states_read(&sim.disk, &read);
                CHECK(!read.count);
        }
        struct source_states wrong[4] = { states, states, states, states };
        wrong[0].magic[0]++;
        wrong[1].count = SOURCES_MAX + 1;
        wrong[2].each[1].aside_until_s = -1;
        memset(wrong[3].each[1].name, 'a', SOURCE_NAME_BYTES);
        for (size_t i = 0; i < 4; i++) {
                CHECK(source_states_write(&sim.disk, &wrong[i], NULL) == OK);
                source_states_read(&sim.disk, &read);
                CHECK(!read.count);
        }
        sim_disk_done(&sim);
}
