#include "agent/breaker.h"
#include "support/test.h"

#include <string.h>

static struct breaker breaker;
static char reason[BREAKER_REASON_BYTES];

static enum breaker_verdict ask_of(enum breaker_file file, bool is_on_trial, int64_t now_ms)
{
        return breaker_ask(&breaker, &(struct breaker_question){ "quarantine", "/srv/x", file, is_on_trial, now_ms }, reason);
}

TEST(breaker, allows_as_many_as_it_was_told_and_trips_at_the_next)
{
        breaker_init(&breaker, 5, 60000);
        for (int i = 0; i < 5; i++)
                CHECK(ask_of(BREAKER_ORDINARY, true, 1000 + i) == BREAKER_ALLOW && !reason[0]);
        CHECK(ask_of(BREAKER_ORDINARY, true, 1005) == BREAKER_TRIP && strcmp(reason, "6th quarantine in 60 s: /srv/x") == 0);
        CHECK(breaker.is_tripped && ask_of(BREAKER_ORDINARY, true, 900000) == BREAKER_DENY && ask_of(BREAKER_ORDINARY, false, 900000) == BREAKER_DENY);
}

TEST(breaker, counts_an_action_until_its_window_is_over_and_not_a_moment_longer)
{
        breaker_init(&breaker, 2, 1000);
        CHECK(ask_of(BREAKER_ORDINARY, true, 0) == BREAKER_ALLOW && ask_of(BREAKER_ORDINARY, true, 500) == BREAKER_ALLOW);
        CHECK(ask_of(BREAKER_ORDINARY, false, 999) == BREAKER_DENY);
        CHECK(ask_of(BREAKER_ORDINARY, true, 1000) == BREAKER_ALLOW);
        CHECK(ask_of(BREAKER_ORDINARY, false, 1499) == BREAKER_DENY && ask_of(BREAKER_ORDINARY, false, 1500) == BREAKER_ALLOW);
        CHECK(ask_of(BREAKER_ORDINARY, true, 1999) == BREAKER_TRIP);
}

/* Any two allowed actions that are actions_max apart are a window apart, whatever is asked when. */
TEST(breaker, never_allows_more_in_any_window)
{
        enum { MAX = 7, WINDOW_MS = 100, QUESTIONS = 20000 };
        static int64_t allowed[QUESTIONS];
        uint32_t dice = 1;
        int64_t now_ms = 0;
        size_t count = 0;
        breaker_init(&breaker, MAX, WINDOW_MS);
        for (int i = 0; i < QUESTIONS; i++) {
                dice = dice * 1664525u + 1013904223u;
                now_ms += dice >> 28;
                if (ask_of(BREAKER_ORDINARY, false, now_ms) == BREAKER_ALLOW)
                        allowed[count++] = now_ms;
        }
        CHECK(count > 10 * MAX);
        for (size_t i = MAX; i < count; i++)
                CHECK(allowed[i] - allowed[i - MAX] >= WINDOW_MS);
        /* Nor fewer than it may: between two that are so far apart there was no question that it should have allowed. */
        CHECK(count > (size_t)(now_ms / WINDOW_MS) * (MAX - 1));
}

TEST(breaker, denies_outside_a_trial_and_blames_no_content)
{
        breaker_init(&breaker, 1, 60000);
        CHECK(ask_of(BREAKER_PLATFORM, false, 0) == BREAKER_DENY && strcmp(reason, "quarantine of /srv/x, which the platform ships") == 0);
        CHECK(ask_of(BREAKER_OWN, false, 0) == BREAKER_DENY && ask_of(BREAKER_UNKNOWN, false, 0) == BREAKER_DENY);
        CHECK(ask_of(BREAKER_ORDINARY, false, 0) == BREAKER_ALLOW && ask_of(BREAKER_ORDINARY, false, 1) == BREAKER_DENY && !breaker.is_tripped);
}

TEST(breaker, trips_at_once_for_what_the_platform_or_the_agent_needs)
{
        for (int i = 0; i < 2; i++) {
                breaker_init(&breaker, 9, 60000);
                CHECK(ask_of(i ? BREAKER_OWN : BREAKER_PLATFORM, true, 0) == BREAKER_TRIP && breaker.is_tripped);
        }
        CHECK(strcmp(reason, "quarantine of /srv/x, which the agent keeps") == 0);
}

TEST(breaker, denies_what_is_not_known_without_a_trip)
{
        breaker_init(&breaker, 9, 60000);
        CHECK(ask_of(BREAKER_UNKNOWN, true, 0) == BREAKER_DENY && !breaker.is_tripped && ask_of(BREAKER_ORDINARY, true, 0) == BREAKER_ALLOW);
}

TEST(breaker, trips_for_a_storm_over_what_is_not_known_and_counts_each_path_once)
{
        static const char *const paths[] = { "/usr/bin/a", "/usr/bin/b", "/usr/bin/a", "/usr/bin/b", "/usr/bin/a" };
        breaker_init(&breaker, 2, 60000);
        for (int i = 0; i < 5; i++)
                CHECK(breaker_ask(&breaker, &(struct breaker_question){ "quarantine", paths[i], BREAKER_UNKNOWN, true, i }, reason) == BREAKER_DENY);
        CHECK(ask_of(BREAKER_UNKNOWN, false, 5) == BREAKER_DENY && !breaker.is_tripped && ask_of(BREAKER_ORDINARY, true, 5) == BREAKER_ALLOW);
        CHECK(ask_of(BREAKER_UNKNOWN, true, 59999) == BREAKER_TRIP && strcmp(reason, "3rd quarantine in 60 s: /srv/x") == 0);
        breaker_begin(&breaker);
        for (int i = 0; i < 4; i++)
                CHECK(breaker_ask(&breaker, &(struct breaker_question){ "quarantine", paths[i % 2], BREAKER_UNKNOWN, true, i * 60000 }, reason) == BREAKER_DENY);
        CHECK(ask_of(BREAKER_UNKNOWN, true, 239999) == BREAKER_DENY && ask_of(BREAKER_UNKNOWN, true, 240000) == BREAKER_DENY);
}

TEST(breaker, begins_a_trial_with_an_empty_window)
{
        breaker_init(&breaker, 2, 60000);
        CHECK(ask_of(BREAKER_ORDINARY, false, 0) == BREAKER_ALLOW && ask_of(BREAKER_ORDINARY, false, 0) == BREAKER_ALLOW);
        breaker_begin(&breaker);
        CHECK(ask_of(BREAKER_ORDINARY, true, 1) == BREAKER_ALLOW && ask_of(BREAKER_ORDINARY, true, 1) == BREAKER_ALLOW);
        CHECK(ask_of(BREAKER_ORDINARY, true, 1) == BREAKER_TRIP);
        breaker_begin(&breaker);
        CHECK(ask_of(BREAKER_ORDINARY, true, 2) == BREAKER_ALLOW);
}

TEST(breaker, says_a_long_path_by_its_ends_and_no_control_character)
{
        char path[4097] = "/srv/\n\x1b[2J";
        memset(path + 10, 'x', sizeof(path) - 11);
        memcpy(path + sizeof(path) - 6, "/name", 6);
        for (unsigned max = 1; max <= LIMIT_BREAKER_ACTIONS; max += 51) {
                char action[33];
                memset(action, 'a', 32);
                action[32] = 0;
                breaker_init(&breaker, max, LIMIT_BREAKER_WINDOW_S * 1000ll);
                for (int i = 0; i < 2; i++) {
                        const struct breaker_question question = { action, path, i ? BREAKER_PLATFORM : BREAKER_ORDINARY, true, 0 };
                        enum breaker_verdict verdict;
                        breaker_begin(&breaker);
                        while ((verdict = breaker_ask(&breaker, &question, reason)) == BREAKER_ALLOW)
                                ;
                        CHECK(verdict == BREAKER_TRIP && strlen(reason) < sizeof(reason) && strstr(reason, "/name") && strstr(reason, "/srv/?") && !strchr(reason, '\n'));
                }
        }
}
