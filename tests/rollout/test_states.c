#include "rollout/states.h"

#include "support/test.h"

#include <string.h>

static struct rollout_facts all_facts(void)
{
        struct rollout_facts facts;
        for (unsigned guard = 0; guard < ROLLOUT_GUARDS; guard++)
                facts.holds[guard] = true;
        return facts;
}

TEST(rollout_states, can_all_be_reached_and_only_final_ones_have_no_way_out)
{
        const bool is_final[ROLLOUT_STATES] = {
                [ROLLOUT_WITHDRAWN] = true, [ROLLOUT_SUPERSEDED] = true, [ROLLOUT_CANCELLED] = true,
        };
        bool reached[ROLLOUT_STATES] = { [ROLLOUT_DRAFT] = true }, leaves[ROLLOUT_STATES] = { false }, used[ROLLOUT_EVENTS] = { false };
        struct rollout_facts facts = all_facts();
        for (unsigned from = 0; from < ROLLOUT_STATES; from++)
                for (unsigned event = 0; event < ROLLOUT_EVENTS; event++) {
                        enum rollout_state to;
                        if (rollout_next((enum rollout_state)from, (enum rollout_event)event, &facts, &to, NULL))
                                continue;
                        reached[to] = leaves[from] = used[event] = true;
                }
        for (unsigned state = 0; state < ROLLOUT_STATES; state++)
                CHECK(reached[state] && leaves[state] != is_final[state]);
        for (unsigned event = 0; event < ROLLOUT_EVENTS; event++)
                CHECK(used[event]);
}

TEST(rollout_states, leave_halted_only_by_roll_back_or_two_people)
{
        for (unsigned event = 0; event < ROLLOUT_EVENTS; event++) {
                struct rollout_facts facts = all_facts();
                enum rollout_state to;
                facts.holds[ROLLOUT_NEEDS_TWO_PEOPLE] = false;
                if (rollout_next(ROLLOUT_HALTED, (enum rollout_event)event, &facts, &to, NULL) == OK)
                        CHECK(event == ROLLOUT_ON_WITHDRAW && to == ROLLOUT_ROLLING_BACK);
                CHECK(rollout_next(ROLLOUT_WITHDRAWN, (enum rollout_event)event, &facts, &to, NULL) != OK);
        }
}

TEST(rollout_states, name_the_guard_that_refuses)
{
        struct rollout_facts facts = { .holds[ROLLOUT_NEEDS_ALWAYS] = true };
        enum rollout_state to = ROLLOUT_STATES;
        struct why why;
        CHECK(rollout_next(ROLLOUT_HALTED, ROLLOUT_ON_OVERRIDE, &facts, &to, &why) == ERR_REFUSED && to == ROLLOUT_STATES);
        CHECK(strcmp(why.text, "`override` takes two different people and a reason") == 0);
        CHECK(rollout_next(ROLLOUT_COMPLETE, ROLLOUT_ON_HOLD, &facts, &to, &why) == ERR_REFUSED);
        CHECK(strcmp(why.text, "a rollout that is complete takes no `hold`; people can say only halt, withdraw to it") == 0);
        CHECK(rollout_next(ROLLOUT_WITHDRAWN, ROLLOUT_ON_RESUME, &facts, &to, &why) == ERR_REFUSED);
        CHECK(strcmp(why.text, "a rollout that is withdrawn takes no `resume`; people can say nothing any more to it") == 0);
}

TEST(rollout_states, have_words_that_are_found_again)
{
        for (unsigned event = 0; event < ROLLOUT_EVENTS; event++) {
                enum rollout_event found;
                CHECK(rollout_event_find(rollout_event_word((enum rollout_event)event), &found, NULL) == OK && found == event);
        }
        enum rollout_event none;
        CHECK(rollout_event_find("explode", &none, NULL) == ERR_SYNTAX);
        CHECK(rollout_event_is_callers(ROLLOUT_ON_HOLD) && !rollout_event_is_callers(ROLLOUT_ON_BUDGET));
        CHECK(rollout_event_is_callers(ROLLOUT_ON_SUPERSEDE) && rollout_halts_first(ROLLOUT_HOLDING) && !rollout_halts_first(ROLLOUT_WITHDRAWN));
        CHECK(strcmp(rollout_reason_word(ROLLOUT_BECAUSE_FREEZE_WINDOW), "freeze_window") == 0);
        CHECK(strcmp(rollout_state_word(ROLLOUT_ROLLING_BACK), "rolling_back") == 0);
}

TEST(rollout_states, are_drawn_from_the_table)
{
        OWN(buf) struct buf drawn;
        buf_init(&drawn, 1 << 14);
        rollout_states_print(&drawn);
        CHECK(buf_check(&drawn, NULL) == OK);
        CHECK(strstr(buf_text(&drawn), "    halted --> exposing : override [TWO_PEOPLE]\n"));
        CHECK(strstr(buf_text(&drawn), "    exposing --> complete : complete\n"));
}

TEST(rollout_states, are_drawn_in_the_manual_as_they_are)
{
        OWN(buf) struct buf drawn;
        static char manual[1 << 16];
        buf_init(&drawn, 1 << 14);
        rollout_states_print(&drawn);
        FILE *file = fopen(ROLLOUT_GUIDE, "r");
        CHECK(file);
        manual[fread(manual, 1, sizeof(manual) - 1, file)] = '\0';
        fclose(file);
        CHECK(strstr(manual, buf_text(&drawn)));
}
