#include "cli/release_spec.h"

#include "support/sim_disk.h"
#include "support/sweep.h"
#include "support/test.h"

#include <string.h>

struct place {
        struct sim_disk sim;
        struct arena *arena;
        struct args args;
        struct release_spec spec;
        struct why why;
};

static void place_release(struct place *place)
{
        sim_disk_done(&place->sim);
        arena_free(place->arena);
}

static void give(struct place *place, enum option_id id, const char *text, int64_t number)
{
        struct arg *arg = &place->args.of[id];
        arg->texts[arg->count++] = text;
        arg->number = number;
}

static enum err read_text(struct place *place, const char *text)
{
        sim_disk_done(&place->sim);
        arena_free(place->arena);
        sim_disk_init(&place->sim);
        place->arena = arena_new(1 << 20);
        CHECK(place->arena);
        if (text)
                CHECK(place->sim.disk.ops->replace(&place->sim.disk, "release.yaml", text, strlen(text), NULL) == OK);
        return release_spec_read(&place->args, &place->sim.disk, place->arena, &place->spec, &place->why);
}

TEST(release_spec, opens_to_all_platforms_and_at_once_when_nothing_is_said)
{
        OWN(place) struct place p = { 0 };
        CHECK(read_text(&p, "stream: edr-rules\n") == OK);
        CHECK(strcmp(p.spec.stream, "edr-rules") == 0 && !p.spec.version && p.spec.counter == 0);
        CHECK(p.spec.platforms.count == 1 && strcmp(p.spec.platforms.items[0], "any") == 0);
        CHECK(p.spec.ceiling.count == 1 && p.spec.ceiling.steps[0].after_s == 0 && p.spec.ceiling.steps[0].ppm == 1000000);
}

TEST(release_spec, reads_the_file_and_lets_options_win)
{
        OWN(place) struct place p = { 0 };
        static const char text[] = "stream: edr-rules\nversion: v4\nfloor: 2\nplatforms: [linux-amd64]\nceiling: ['0:0.1%', '1h:5%', '4h:100%']\n";
        CHECK(read_text(&p, text) == OK && p.spec.floor == 2 && p.spec.ceiling.count == 3);
        CHECK(p.spec.ceiling.steps[1].after_s == 3600 && p.spec.ceiling.steps[1].ppm == 50000);
        give(&p, OPTION_STREAM, "other", 0);
        give(&p, OPTION_FLOOR, "3", 3);
        give(&p, OPTION_CEILING, "0:1%", 0);
        give(&p, OPTION_PLATFORM, "linux-arm64", 0);
        CHECK(read_text(&p, text) == OK && strcmp(p.spec.stream, "other") == 0 && p.spec.floor == 3 && strcmp(p.spec.version, "v4") == 0);
        CHECK(p.spec.ceiling.count == 1 && p.spec.ceiling.steps[0].ppm == 10000 && strcmp(p.spec.platforms.items[0], "linux-arm64") == 0);
}

TEST(release_spec, refuses_ceilings_that_are_none)
{
        static const char *const bad[] = { "1h", ":5%", "1h:", "1h:5", "x:5%", "1h:101%", "1h:5%:6%", "0:5%,1h:6%" };
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                OWN(place) struct place p = { 0 };
                give(&p, OPTION_STREAM, "s", 0);
                give(&p, OPTION_CEILING, bad[i], 0);
                CHECK(read_text(&p, NULL) == ERR_USAGE && strstr(p.why.text, "ceiling `"));
        }
        OWN(place) struct place down = { 0 };
        CHECK(read_text(&down, "stream: s\nceiling: ['1h:5%', '2h:4%']\n") == ERR_USAGE && strstr(down.why.text, "go up"));
        CHECK(read_text(&down, "stream: s\nceiling: ['1h:5%', '1h:6%']\n") == ERR_USAGE);
}

TEST(release_spec, complains_with_the_line_or_the_option)
{
        static const struct {
                const char *text, *says;
        } cases[] = {
                { NULL, "--stream" },
                { "stream: s\nversoin: 4\n", "release.yaml:2" },
                { "stream: s\ncounter: four\n", "release.yaml:2" },
                { "stream: s\nfloor: 0\n", "release.yaml:2" },
                { "stream: s\nplatforms: []\n", "release.yaml:2" },
                { "stream: ../s\n", "letters, digits" },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                OWN(place) struct place p = { 0 };
                CHECK(read_text(&p, cases[i].text) != OK && strstr(p.why.text, cases[i].says));
        }
}

TEST(release_spec, survives_every_allocation_failure)
{
        OWN(place) struct place p = { 0 };
        CHECK(read_text(&p, "stream: s\n") == OK);
        SWEEP_MEMORY {
                OWN(arena) struct arena *arena = arena_new(1 << 20);
                enum err e = arena ? release_spec_read(&p.args, &p.sim.disk, arena, &p.spec, NULL) : ERR_NOMEM;
                CHECK(e == OK || e == ERR_NOMEM);
        }
}
