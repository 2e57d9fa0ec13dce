#include "trust/install_rule.h"

#include "support/test.h"

#include <string.h>

#define DEVICE "00112233445566778899aabbccddeeff"

struct scene {
        struct release_note note;
        struct lease lease;
        uint8_t target[32], nonce[16];
        struct install_facts facts;
};

/* Everything is right; each test makes one thing wrong. */
static void make(struct scene *scene)
{
        *scene = (struct scene){
                .note = { .stream = "edr-rules", .counter = 4, .floor = 1, .platform_count = 1, .platforms = { "linux-amd64" },
                          .ceiling = { 1000, 2, { { 0, 1 }, { 3600, CEILING_ALL_PPM } } } },
                .lease = { .device = DEVICE, .stream = "edr-rules", .counter = 4, .granted = 5000, .deadline = 6000 },
        };
        memset(scene->target, 0xaa, sizeof(scene->target));
        memset(scene->nonce, 7, sizeof(scene->nonce));
        memcpy(scene->lease.target, scene->target, sizeof(scene->target));
        memcpy(scene->lease.nonce, scene->nonce, sizeof(scene->nonce));
        scene->facts = (struct install_facts){ .device = DEVICE, .stream = "edr-rules", .platform = "linux-amd64", .ring = "all", .floor = 4, .now = 5500,
                                               .note = &scene->note, .target = scene->target, .nonce = scene->nonce, .lease = &scene->lease, .is_vouched = true };
}

TEST(install_rule, lets_the_right_release_with_its_lease_pass)
{
        struct scene scene;
        make(&scene);
        CHECK(install_candidate(&scene.facts, NULL) == OK && install_lease_is_ours(&scene.facts, NULL) == OK && install_rule(&scene.facts, NULL) == OK);
}

TEST(install_rule, refuses_a_release_of_another_stream)
{
        struct scene scene;
        make(&scene);
        scene.facts.stream = "other";
        CHECK(install_candidate(&scene.facts, NULL) == ERR_REFUSED && install_rule(&scene.facts, NULL) == ERR_REFUSED);
}

TEST(install_rule, refuses_what_is_below_the_floor)
{
        struct scene scene;
        make(&scene);
        scene.facts.floor = 5;
        CHECK(install_candidate(&scene.facts, NULL) == ERR_ROLLBACK && install_rule(&scene.facts, NULL) == ERR_ROLLBACK);
}

TEST(install_rule, refuses_another_platform)
{
        struct scene scene;
        make(&scene);
        scene.facts.platform = "linux-arm64";
        CHECK(install_candidate(&scene.facts, NULL) == ERR_REFUSED && install_rule(&scene.facts, NULL) == ERR_REFUSED);
}

TEST(install_rule, holds_to_the_ceiling_whatever_the_lease_says)
{
        struct scene scene;
        make(&scene);
        scene.lease.granted = 0;
        scene.facts.now = 4599;
        CHECK(install_candidate(&scene.facts, NULL) == ERR_REFUSED && install_rule(&scene.facts, NULL) == ERR_REFUSED);
        scene.facts.ring = "early";
        CHECK(install_candidate(&scene.facts, NULL) == OK && install_rule(&scene.facts, NULL) == OK);
        scene.facts.now = 999;
        CHECK(install_candidate(&scene.facts, NULL) == ERR_REFUSED);
}

TEST(install_rule, takes_those_who_must_vouch_for_it)
{
        struct scene scene;
        make(&scene);
        scene.facts.is_vouched = false;
        CHECK(install_candidate(&scene.facts, NULL) == OK && install_rule(&scene.facts, NULL) == ERR_REFUSED);
}

TEST(install_rule, holds_to_the_pace_whatever_ceiling_was_signed)
{
        struct scene scene;
        struct ceiling pace = { 5000, 2, { { 0, 1 }, { 3600, CEILING_ALL_PPM } } };
        make(&scene);
        scene.facts.pace = &pace;
        CHECK(install_candidate(&scene.facts, NULL) == ERR_REFUSED && install_rule(&scene.facts, NULL) == ERR_REFUSED);
        scene.facts.ring = "early";
        CHECK(install_candidate(&scene.facts, NULL) == OK && install_rule(&scene.facts, NULL) == OK);
        scene.facts.ring = "all";
        pace.start = 5500 - 3600;
        CHECK(install_candidate(&scene.facts, NULL) == OK && install_rule(&scene.facts, NULL) == OK);
        pace.start++;
        CHECK(install_candidate(&scene.facts, NULL) == ERR_REFUSED);
        /* And to the ceiling, whatever the pace. */
        pace.start = 0;
        scene.note.ceiling.start = 5000;
        CHECK(install_candidate(&scene.facts, NULL) == ERR_REFUSED && install_rule(&scene.facts, NULL) == ERR_REFUSED);
}

TEST(install_rule, takes_a_lease)
{
        struct scene scene;
        make(&scene);
        scene.facts.lease = NULL;
        CHECK(install_candidate(&scene.facts, NULL) == OK && install_rule(&scene.facts, NULL) == ERR_REFUSED);
        make(&scene);
        scene.facts.nonce = NULL;
        CHECK(install_candidate(&scene.facts, NULL) == OK && install_rule(&scene.facts, NULL) == ERR_REFUSED);
}

TEST(install_rule, refuses_a_lease_for_another_device_stream_or_question)
{
        struct scene scene;
        make(&scene);
        scene.lease.device[31] = 'e';
        CHECK(install_rule(&scene.facts, NULL) == ERR_REFUSED);
        make(&scene);
        scene.lease.stream[0] = 'x';
        CHECK(install_rule(&scene.facts, NULL) == ERR_REFUSED);
        make(&scene);
        scene.lease.nonce[15] = 8;
        CHECK(install_rule(&scene.facts, NULL) == ERR_REFUSED && install_lease_is_ours(&scene.facts, NULL) == ERR_REFUSED);
}

TEST(install_rule, refuses_a_lease_for_another_release)
{
        struct scene scene;
        make(&scene);
        scene.lease.counter = 5;
        CHECK(install_rule(&scene.facts, NULL) == ERR_REFUSED && install_lease_is_ours(&scene.facts, NULL) == OK);
        make(&scene);
        scene.lease.target[31] ^= 1;
        CHECK(install_rule(&scene.facts, NULL) == ERR_REFUSED);
}

TEST(install_rule, installs_nothing_with_a_shadow)
{
        struct scene scene;
        make(&scene);
        scene.lease.is_shadow = true;
        CHECK(install_rule(&scene.facts, NULL) == ERR_REFUSED && install_lease_is_ours(&scene.facts, NULL) == OK);
}

TEST(install_rule, refuses_a_lease_that_has_ended)
{
        struct scene scene;
        make(&scene);
        scene.facts.now = 5999;
        CHECK(install_rule(&scene.facts, NULL) == OK);
        scene.facts.now = 6000;
        CHECK(install_rule(&scene.facts, NULL) == ERR_EXPIRED);
}
