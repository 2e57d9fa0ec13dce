#include "agent/identity.h"

#include "support/sim_disk.h"
#include "support/sim_random.h"
#include "support/test.h"

#include <string.h>

TEST(identity, is_the_same_after_it_was_stored)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        struct sim_random random;
        sim_random_init(&random, 1);
        struct identity made, found;
        CHECK(identity_load(&sim.disk, &found, NULL) == ERR_NOT_FOUND);
        CHECK(identity_make(&sim.disk, &random.source, &made, NULL) == OK && !made.is_enrolled);
        const uint8_t mac_key[32] = { 1, 2, 3 };
        CHECK(identity_enrolled(&sim.disk, &made, mac_key, NULL) == OK);
        CHECK(identity_load(&sim.disk, &found, NULL) == OK && memcmp(&found, &made, sizeof(made)) == 0 && found.is_enrolled);
        char text[33];
        identity_text(&found, text);
        CHECK(strlen(text) == 32);
}

TEST(identity_load, refuses_a_damaged_one)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        struct identity found, bad = { .magic = { 'F', 'B', 'I', 'D' }, .version = 2 };
        CHECK(sim.disk.ops->replace(&sim.disk, "identity", &bad, sizeof(bad), NULL) == OK);
        CHECK(identity_load(&sim.disk, &found, NULL) == ERR_SYNTAX);
        CHECK(sim.disk.ops->replace(&sim.disk, "identity", &bad, 10, NULL) == OK && identity_load(&sim.disk, &found, NULL) == ERR_SYNTAX);
        char large[200] = "FBID";
        CHECK(sim.disk.ops->replace(&sim.disk, "identity", large, sizeof(large), NULL) == OK && identity_load(&sim.disk, &found, NULL) == ERR_SYNTAX);
}

TEST(identity_make, leaves_none_or_a_whole_one_when_the_power_goes)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        SWEEP_POWER(&sim) {
                struct sim_random random;
                sim_random_init(&random, 1);
                struct identity made, found;
                (void)!identity_make(&sim.disk, &random.source, &made, NULL);
                sim_disk_power_on(&sim);
                enum err e = identity_load(&sim.disk, &found, NULL);
                CHECK(e == OK || e == ERR_NOT_FOUND);
        }
}
