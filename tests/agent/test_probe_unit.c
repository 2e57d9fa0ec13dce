#include "agent/probe_kinds.h"

#include "support/test.h"

#include <string.h>

#define RUNS "Result=success\nNRestarts=2\nLoadState=loaded\nActiveState=active\nSubState=running\n"

static struct unit_state state_of(const char *text)
{
        struct unit_state state;
        CHECK(unit_state_read(text, &state, NULL) == OK);
        return state;
}

TEST(unit_state, is_read_whatever_the_order)
{
        const struct unit_state state = state_of(RUNS);
        CHECK(strcmp(state.load, "loaded") == 0 && strcmp(state.active, "active") == 0 && strcmp(state.sub, "running") == 0);
        CHECK(strcmp(state.result, "success") == 0 && state.restarts == 2);
}

TEST(unit_state, of_what_is_no_service_has_no_restarts)
{
        const struct unit_state state = state_of("LoadState=loaded\nActiveState=active\nSubState=mounted");
        CHECK(state.restarts == 0 && !state.result[0] && unit_state_judge("x.mount", &state, "0", NULL) == OK);
}

TEST(unit_state, is_not_read_from_less_than_is_needed)
{
        static const char *const bad[] = { "", "\n\n", "Failed to connect to bus", "LoadState=loaded\n", "ActiveState=active\n", "LoadState=\nActiveState=\n" };
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                struct unit_state state;
                CHECK(unit_state_read(bad[i], &state, NULL) == ERR_SYNTAX);
        }
}

TEST(unit_state, is_well_when_active_and_not_started_again_since)
{
        const struct unit_state state = state_of(RUNS), reloads = state_of("LoadState=loaded\nActiveState=reloading\nNRestarts=0\n");
        CHECK(unit_state_judge("x", &state, "2", NULL) == OK && unit_state_judge("x", &state, NULL, NULL) == OK);
        CHECK(unit_state_judge("x", &state, "5", NULL) == OK);      /* somebody set it back */
        CHECK(unit_state_judge("x", &reloads, NULL, NULL) == OK);
}

TEST(unit_state, says_what_is_wrong)
{
        static const struct { const char *text, *says; } cases[] = {
                { "LoadState=loaded\nActiveState=failed\nSubState=failed\nResult=exit-code\nNRestarts=0\n", "x.service is failed (failed, result exit-code)" },
                { "LoadState=loaded\nActiveState=inactive\nSubState=dead\n", "x.service is inactive (dead)" },
                { "LoadState=loaded\nActiveState=activating\nSubState=auto-restart\nResult=signal\nNRestarts=3\n", "x.service is activating (auto-restart, result signal)" },
                { "LoadState=not-found\nActiveState=inactive\nSubState=dead\n", "there is no unit x.service" },
                { "LoadState=loaded\nActiveState=active\nSubState=running\nNRestarts=3\n", "x.service failed, and systemd started it again (2 times)" },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                const struct unit_state state = state_of(cases[i].text);
                struct why why;
                CHECK(unit_state_judge("x.service", &state, "1", &why) == ERR_CONTENT && strcmp(why.text, cases[i].says) == 0);
        }
}

TEST(unit_state, that_was_down_before_is_not_held_against_anybody)
{
        static const char *const down[] = {
                "LoadState=loaded\nActiveState=failed\nSubState=failed\nNRestarts=7\n", "LoadState=loaded\nActiveState=inactive\nSubState=dead\nNRestarts=7\n",
                "LoadState=loaded\nActiveState=activating\nSubState=auto-restart\nNRestarts=7\n", "LoadState=not-found\nActiveState=inactive\nNRestarts=7\n",
        };
        static const char *const up[] = { RUNS, "LoadState=loaded\nActiveState=activating\nSubState=start\nNRestarts=2\n" };
        for (size_t i = 0; i < sizeof(down) / sizeof(down[0]); i++) {
                const struct unit_state before = state_of(down[i]);
                OWN(buf) struct buf word;
                buf_init(&word, 40);
                unit_state_word(&before, &word);
                CHECK(strcmp(buf_text(&word), "7-down") == 0);
                for (size_t k = 0; k < sizeof(down) / sizeof(down[0]); k++) {
                        const struct unit_state now = state_of(down[k]);
                        CHECK(unit_state_judge("x", &now, buf_text(&word), NULL) == OK);
                }
        }
        for (size_t i = 0; i < sizeof(up) / sizeof(up[0]); i++) {
                const struct unit_state before = state_of(up[i]), now = state_of(down[0]);
                OWN(buf) struct buf word;
                buf_init(&word, 40);
                unit_state_word(&before, &word);
                CHECK(strcmp(buf_text(&word), "2") == 0 && unit_state_judge("x", &now, buf_text(&word), NULL) == ERR_CONTENT);
        }
}

TEST(unit_word_since, starts_to_count_with_the_machine_and_excuses_no_engine)
{
        static const struct { const char *word; struct unit_since since; const char *now; } cases[] = {
                { "7", { false, false }, "7" },      { "7-down", { false, false }, "7-down" }, { "7", { true, false }, "0" }, { "7-down", { true, false }, "0-down" },
                { "7-down", { false, true }, "7" }, { "7-down", { true, true }, "0" },        { "", { false, false }, "" },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                char now[BEFORE_WORD_BYTES];
                unit_word_since(cases[i].word, &cases[i].since, now);
                CHECK(strcmp(now, cases[i].now) == 0);
        }
}
