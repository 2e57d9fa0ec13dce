/* The child is this test itself. As it knows no word `fetch` it ends at once: a fetcher that is never there. */
#include "agent/caller.h"

#include "platform/channel.h"
#include "support/sim_clock.h"
#include "support/sim_random.h"
#include "support/test.h"

#include <string.h>
#include <unistd.h>

static void spoil(struct fetch_answer *answer, const char *told)
{
        const struct { const char *name; int64_t *field; } fields[] = { { "pace=", &answer->pace_ms }, { "date=", &answer->date_s } };
        for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
                if (strncmp(told, fields[i].name, strlen(fields[i].name)) == 0) {
                        answer->err = OK;
                        answer->status = 403;
                        *fields[i].field = strtoll(told + strlen(fields[i].name), NULL, 10);
                }
}

/* As a server without ranges, or a mirror whose bytes are wrong, or which is not there. */
static void serve(struct fetch_answer *answer, const struct fetch_ask *ask, const char *told)
{
        if (strcmp(told, "anew") == 0) {
                answer->status = 200;
                answer->err = ask->is_patient ? OK : ERR_TIMEOUT;
        } else if (strcmp(told, "false") == 0 || strcmp(told, "closed") == 0) {
                const bool is_false = told[0] == 'f' && ask->source;
                answer->spool_from = 0;
                answer->spool_length = is_false || ask->source ? 0 : ask->bytes_max;
                answer->status = is_false || !ask->source ? 200 : 0;
                answer->err = is_false ? ERR_CONTENT : ask->source ? ERR_UNAVAILABLE : OK;
                snprintf(answer->text, sizeof(answer->text), "%s", is_false ? "it is another file" : ask->source ? "GET http://a: Connection refused" : "");
        }
}

/* Or, told by the environment, it hangs, answers that its time ran out with so much in the spool, or gives a number that it should not. */
__attribute__((constructor)) static void be_a_fetcher(void)
{
        static struct fetch_ask ask;
        static struct fetch_answer answer;
        const char *told = getenv("FETCHER");
        size_t length;
        if (!told)
                return;
        if (strcmp(told, "hangs") == 0)
                pause();
        while (channel_receive(STDIN_FILENO, &ask, sizeof(ask), &length, NULL) == OK) {
                answer = (struct fetch_answer){ .version = FETCH_VERSION, .number = ask.number, .err = ERR_TIMEOUT, .spool_from = 5,
                                                .spool_length = strtoul(told, NULL, 10), .received = ask.part_max };
                spoil(&answer, told);
                serve(&answer, &ask, told);
                if (channel_send(STDIN_FILENO, &answer, sizeof(answer), NULL) != OK)
                        break;
        }
        exit(0);
}

struct heard { unsigned count; enum err e; char text[128]; };

static void hear(void *user, enum err e, const struct fetch_answer *answer)
{
        struct heard *heard = user;
        snprintf(heard->text, sizeof(heard->text), "%.127s", answer ? answer->text : "");
        heard->count++;
        heard->e = e;
}

static void take(struct caller *caller, const struct heard *heard, unsigned before)
{
        const int file = caller_file(caller);
        for (bool is_ready = false; heard->count == before;) {
                CHECK(channel_wait(&file, 1, 1000, &is_ready, NULL) == OK);
                if (is_ready)
                        caller_take(caller);
        }
}

static void ask(struct caller *caller, struct heard *heard)
{
        unsigned before = heard->count;
        caller_get(caller, &(struct caller_get){ "/v1/x", "x", 10, false }, hear, heard);
        take(caller, heard, before);
}

struct world { struct sim_clock clock; struct sim_random random; struct caller *caller; struct heard heard; };

static void world_open(struct world *world)
{
        static const struct identity identity = { .version = 1 };
        *world = (struct world){ .caller = NULL };
        sim_clock_init(&world->clock, 1784432200);
        sim_random_init(&world->random, 1);
        const struct caller_setup setup = { "/no/such.yaml", &identity, &world->clock.clock, &world->random.source, 60000, NULL, NULL, 0, 0 };
        CHECK(caller_new(&setup, &world->caller, NULL) == OK);
}

static void world_release(struct world *world)
{
        caller_free(world->caller);
}

static bool is_free(const struct world *world)
{
        return caller_is_free(world->caller, world->clock.steady);
}

TEST(caller, asks_to_be_woken_at_the_end_of_a_pause_and_not_after_it)
{
        OWN(world) struct world world;
        world_open(&world);
        CHECK(is_free(&world) && caller_wake_ms(world.caller) == INT64_MAX);
        for (unsigned i = 0; i < 3; i++) {
                ask(world.caller, &world.heard);
                CHECK(world.heard.count == i + 1 && world.heard.e == ERR_UNAVAILABLE && !is_free(&world));
                int64_t wake = caller_wake_ms(world.caller);
                CHECK(wake > world.clock.steady && wake < world.clock.steady + 60000);
                sim_clock_pass(&world.clock, wake - world.clock.steady);
                CHECK(is_free(&world) && caller_wake_ms(world.caller) == INT64_MAX);
        }
}

TEST(caller, fetches_no_more_than_the_limit_and_lets_the_rest_through)
{
        OWN(world) struct world world;
        world_open(&world);
        const struct caller_setup setup = { "/no/such.yaml", &(struct identity){ .version = 1 }, &world.clock.clock, &world.random.source, 60000, NULL, NULL, 5000, 0 };
        caller_free(world.caller);
        CHECK(caller_new(&setup, &world.caller, NULL) == OK && setenv("FETCHER", "9", 1) == 0);
        const struct caller_get get = { "/v1/x", "x", 1 << 20, true };
        const int64_t began_ms = world.clock.steady;
        int64_t ready_ms = caller_ready_ms(world.caller, get.bytes_max);
        CHECK(ready_ms == began_ms + 4000);
        for (int64_t part = 1; part <= 3; part++) {
                CHECK(is_free(&world) && ready_ms == began_ms + 4000 * part);            /* posts need not wait */
                ask(world.caller, &world.heard);                                         /* nor does metadata */
                CHECK(world.heard.e == ERR_TIMEOUT);
                sim_clock_pass(&world.clock, ready_ms - world.clock.steady);
                unsigned before = world.heard.count;
                caller_get(world.caller, &get, hear, &world.heard);
                take(world.caller, &world.heard, before);
                ready_ms = caller_ready_ms(world.caller, get.bytes_max);
        }
        CHECK(unsetenv("FETCHER") == 0);
}

/* One that begins anew each time it is cut would never come to an end. */
TEST(caller, gives_a_server_without_ranges_time_for_a_whole_file)
{
        OWN(world) struct world world;
        world_open(&world);
        CHECK(setenv("FETCHER", "anew", 1) == 0);
        const enum err expected[] = { ERR_TIMEOUT, OK };
        for (unsigned i = 0; i < 2; i++) {
                caller_get(world.caller, &(struct caller_get){ "/v1/x", "x", 100, true }, hear, &world.heard);
                take(world.caller, &world.heard, i);
                CHECK(world.heard.e == expected[i]);
        }
        CHECK(unsetenv("FETCHER") == 0);
}

TEST(caller, asks_the_server_for_what_a_mirror_does_not_bring_and_does_not_wait_for_that)
{
        static const char *const fetchers[] = { "false", "closed" };
        static const char path[] = "/v1/artifacts/0100000000000000000000000000000000000000000000000000000000000000";
        for (unsigned i = 0; i < 2; i++) {
                OWN(world) struct world world;
                world_open(&world);
                const struct caller_setup setup = { "/no/such.yaml", &(struct identity){ .version = 1 }, &world.clock.clock, &world.random.source, 60000, NULL, NULL, 0, 1 };
                caller_free(world.caller);
                CHECK(caller_new(&setup, &world.caller, NULL) == OK && setenv("FETCHER", fetchers[i], 1) == 0);
                caller_get(world.caller, &(struct caller_get){ path, "x", 100, true }, hear, &world.heard);
                take(world.caller, &world.heard, 0);
                const struct source *mirror = &caller_sources(world.caller)->each[1];
                CHECK(world.heard.e == OK && mirror->lies == (i == 0) && mirror->failures == (i == 1) && is_free(&world));
                CHECK(strcmp(caller_reason(world.caller, 1), i == 0 ? "it is another file" : "Connection refused") == 0);
                caller_get(world.caller, &(struct caller_get){ path, "x", 100, true }, hear, &world.heard);
                take(world.caller, &world.heard, 1);
                CHECK(world.heard.e == OK && mirror->lies + mirror->failures == 1);
                /* Metadata and notes are the server's, whatever it does. */
                caller_get(world.caller, &(struct caller_get){ "/v1/notes/01", "x", 100, false }, hear, &world.heard);
                take(world.caller, &world.heard, 2);
                CHECK(world.heard.e == OK && unsetenv("FETCHER") == 0);
        }
}

TEST(caller, says_why_a_fetcher_cannot_be_started)
{
        OWN(world) struct world world;
        world_open(&world);
        const struct caller_setup setup = { "/no/such.yaml", &(struct identity){ .version = 1 }, &world.clock.clock, &world.random.source, 60000, NULL, "/no/such/spool", 0, 0 };
        caller_free(world.caller);
        CHECK(caller_new(&setup, &world.caller, NULL) == OK);
        caller_get(world.caller, &(struct caller_get){ "/v1/x", "x", 10, false }, hear, &world.heard);
        CHECK(world.heard.count == 1 && world.heard.e == ERR_UNAVAILABLE && strstr(world.heard.text, "No such file") && !is_free(&world));
}

TEST(caller, gives_up_on_a_fetcher_that_hangs)
{
        OWN(world) struct world world;
        world_open(&world);
        CHECK(setenv("FETCHER", "hangs", 1) == 0);
        caller_get(world.caller, &(struct caller_get){ "/v1/x", "x", 10, false }, hear, &world.heard);
        CHECK(unsetenv("FETCHER") == 0);
        int64_t limit = caller_wake_ms(world.caller);
        CHECK(limit > world.clock.steady + FETCH_SLICE_MS && limit < INT64_MAX);
        caller_tick(world.caller);
        CHECK(world.heard.count == 0);
        sim_clock_pass(&world.clock, limit - world.clock.steady);
        caller_tick(world.caller);
        CHECK(world.heard.count == 1 && world.heard.e == ERR_UNAVAILABLE && caller_file(world.caller) < 0 && !is_free(&world));
}

TEST(caller, makes_no_pause_between_slices_of_a_download_while_something_comes)
{
        static const struct { const char *length; bool is_free; } cases[] = { { "9", true }, { "5", false } };
        for (size_t i = 0; i < 2; i++) {
                OWN(world) struct world world;
                world_open(&world);
                CHECK(setenv("FETCHER", cases[i].length, 1) == 0);
                ask(world.caller, &world.heard);
                CHECK(unsetenv("FETCHER") == 0 && world.heard.e == ERR_TIMEOUT && is_free(&world) == cases[i].is_free);
                CHECK((caller_file(world.caller) >= 0) == cases[i].is_free);     /* one that failed is started afresh */
        }
}

TEST(caller, lets_a_fetcher_go_that_has_nothing_to_do_and_starts_another)
{
        OWN(world) struct world world;
        world_open(&world);
        CHECK(setenv("FETCHER", "9", 1) == 0);
        ask(world.caller, &world.heard);
        const int64_t idle_ms = caller_wake_ms(world.caller);
        CHECK(is_free(&world) && idle_ms > world.clock.steady && idle_ms < INT64_MAX);
        sim_clock_pass(&world.clock, idle_ms - world.clock.steady - 1);
        caller_tick(world.caller);
        CHECK(caller_file(world.caller) >= 0);
        sim_clock_pass(&world.clock, 1);
        caller_tick(world.caller);
        CHECK(caller_file(world.caller) < 0 && caller_wake_ms(world.caller) == INT64_MAX && is_free(&world));
        ask(world.caller, &world.heard);
        CHECK(unsetenv("FETCHER") == 0 && world.heard.e == ERR_TIMEOUT && caller_file(world.caller) >= 0);
}

/* A fetcher that was taken over, as what comes next does sums with what it says. */
TEST(caller, hangs_up_on_a_fetcher_whose_numbers_cannot_be)
{
        static const struct { const char *lie; bool is_taken; } cases[] = {
                { "pace=0", true }, { "pace=-2", false }, { "pace=-9223372036854775808", false }, { "date=253402300799", true },
                { "date=253402300800", false }, { "date=-1", false }, { "date=-9223372036854775808", false },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                OWN(world) struct world world;
                world_open(&world);
                CHECK(setenv("FETCHER", cases[i].lie, 1) == 0);
                ask(world.caller, &world.heard);
                CHECK(unsetenv("FETCHER") == 0 && world.heard.e == (cases[i].is_taken ? OK : ERR_UNAVAILABLE));
                CHECK((caller_file(world.caller) >= 0) == cases[i].is_taken && is_free(&world) == cases[i].is_taken);
        }
}
