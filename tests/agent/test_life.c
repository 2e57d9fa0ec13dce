#include "agent/life.h"

#include "support/test.h"

#include <string.h>

TEST(life_next, can_reach_and_leave_every_state)
{
        bool reachable[LIFE_STATES] = { [LIFE_IDLE] = true }, leaves[LIFE_STATES] = { false };
        for (unsigned state = 0; state < LIFE_STATES; state++)
                for (unsigned event = 0; event < LIFE_EVENTS; event++) {
                        struct life_step step;
                        if (life_next((enum life_state)state, (enum life_event)event, &step, NULL))
                                continue;
                        reachable[step.to] = true;
                        leaves[state] |= step.to != (enum life_state)state;
                }
        for (unsigned state = 0; state < LIFE_STATES; state++)
                CHECK(reachable[state] && leaves[state]);
}

TEST(life_next, uses_every_event_and_every_action)
{
        bool event_used[LIFE_EVENTS] = { false }, action_used[LIFE_ACTIONS] = { false };
        for (unsigned state = 0; state < LIFE_STATES; state++)
                for (unsigned event = 0; event < LIFE_EVENTS; event++) {
                        struct life_step step;
                        if (life_next((enum life_state)state, (enum life_event)event, &step, NULL))
                                continue;
                        event_used[event] = action_used[step.action] = true;
                }
        for (unsigned event = 0; event < LIFE_EVENTS; event++)
                CHECK(event_used[event]);
        for (unsigned action = 0; action < LIFE_ACTIONS; action++)
                CHECK(action_used[action]);
}

TEST(life_next, never_arms_what_has_no_lease)
{
        for (unsigned state = 0; state < LIFE_STATES; state++)
                for (unsigned event = 0; event < LIFE_EVENTS; event++) {
                        struct life_step step;
                        if (life_next((enum life_state)state, (enum life_event)event, &step, NULL) || step.to != LIFE_ARMED)
                                continue;
                        CHECK(state == LIFE_WAITING && event == LIFE_GRANTED);
                }
}

TEST(life_next, takes_harm_on_trial_to_the_fall_back_and_nowhere_else)
{
        const enum life_state trials[] = { LIFE_PROBATION, LIFE_SHADOW };
        for (size_t i = 0; i < 2; i++) {
                struct life_step step;
                CHECK(life_next(trials[i], LIFE_HARMED, &step, NULL) == OK);
                CHECK(step.to == LIFE_IDLE && step.action == LIFE_FALL_BACK && life_is_busy(trials[i]));
        }
}

TEST(life_next, names_what_it_refuses)
{
        struct why why;
        struct life_step step;
        CHECK(life_next(LIFE_IDLE, LIFE_GRANTED, &step, &why) == ERR_REFUSED);
        CHECK(strcmp(why.text, "nothing follows from idle when granted") == 0);
}
