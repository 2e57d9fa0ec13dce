#include "agent/policy.h"

#include "support/test.h"

#include <string.h>

enum { NOW = 1784432200 };               /* 2026-07-19 03:36:40 UTC, a Sunday */

static const struct calendar_zone utc[CALENDAR_WINDOWS_MAX];

/* Release 5 is offered to a device that runs 3; 4 is the proven one before it. All that is not known is not known. */
static struct policy_facts facts(void)
{
        return (struct policy_facts){ .now_s = NOW, .zones = utc, .charge = POLICY_NO_CHARGE, .running = 3, .offered = 5, .newest = 5, .before_newest = 4 };
}

static bool is_held(const struct policy *policy, const struct policy_facts *known, enum policy_step step, enum wire_hold hold)
{
        return policy_decide(policy, known, step).hold == hold;
}

TEST(policy, without_a_word_nothing_is_held)
{
        const struct policy none = { 0 };
        const struct policy_facts known = facts();
        const struct policy_answer answer = policy_decide(&none, &known, POLICY_BEGIN);
        CHECK(answer.hold == WIRE_HOLD_NONE && answer.until_s == CALENDAR_NEVER && !answer.instead);
        CHECK(is_held(&none, &known, POLICY_FETCH, WIRE_HOLD_NONE));
}

TEST(policy, a_pin_is_the_one_release_that_may_run)
{
        const struct policy pinned = { .pin = 4 };
        struct policy_facts known = facts();
        struct policy_answer answer = policy_decide(&pinned, &known, POLICY_FETCH);
        CHECK(answer.hold == WIRE_HOLD_PIN && answer.instead == 4 && answer.until_s == CALENDAR_NEVER);
        known.offered = 4;
        CHECK(is_held(&pinned, &known, POLICY_FETCH, WIRE_HOLD_NONE) && is_held(&pinned, &known, POLICY_BEGIN, WIRE_HOLD_NONE));
        known = facts();
        known.running = 5;
        known.offered = known.newest = 6;
        answer = policy_decide(&pinned, &known, POLICY_FETCH);
        CHECK(answer.hold == WIRE_HOLD_PIN && !answer.instead);        /* nobody is led back */
        known.running = 4;
        CHECK(policy_decide(&pinned, &known, POLICY_FETCH).instead == 0);
}

TEST(policy, one_behind_takes_the_proven_release_before_the_newest)
{
        const struct policy behind = { .is_behind = true };
        struct policy_facts known = facts();
        struct policy_answer answer = policy_decide(&behind, &known, POLICY_FETCH);
        CHECK(answer.hold == WIRE_HOLD_BEHIND && answer.instead == 4);
        known.offered = 4;
        CHECK(is_held(&behind, &known, POLICY_FETCH, WIRE_HOLD_NONE) && is_held(&behind, &known, POLICY_BEGIN, WIRE_HOLD_NONE));
        known = facts();
        known.running = 4;
        answer = policy_decide(&behind, &known, POLICY_FETCH);
        CHECK(answer.hold == WIRE_HOLD_BEHIND && !answer.instead);
        known.before_newest = 0;                                        /* the first release of a stream */
        CHECK(is_held(&behind, &known, POLICY_FETCH, WIRE_HOLD_BEHIND));
}

TEST(policy, a_freeze_is_for_good_or_until_its_date)
{
        const struct policy good = { .is_frozen = true }, dated = { .frozen_until_s = NOW + 60 };
        struct policy_facts known = facts();
        CHECK(policy_decide(&good, &known, POLICY_FETCH).until_s == CALENDAR_NEVER && is_held(&good, &known, POLICY_BEGIN, WIRE_HOLD_FREEZE));
        const struct policy_answer answer = policy_decide(&dated, &known, POLICY_BEGIN);
        CHECK(answer.hold == WIRE_HOLD_FREEZE && answer.until_s == NOW + 60);
        known.now_s = NOW + 60;
        CHECK(is_held(&dated, &known, POLICY_FETCH, WIRE_HOLD_NONE));
}

TEST(policy, a_metered_network_keeps_from_fetching_alone_and_only_when_it_is_known)
{
        const struct policy metered = { .holds_metered = true };
        struct policy_facts known = facts();
        CHECK(is_held(&metered, &known, POLICY_FETCH, WIRE_HOLD_NONE));
        known.is_metered = POLICY_YES;
        CHECK(is_held(&metered, &known, POLICY_FETCH, WIRE_HOLD_METERED) && is_held(&metered, &known, POLICY_BEGIN, WIRE_HOLD_NONE));
        known.is_metered = POLICY_NO;
        CHECK(is_held(&metered, &known, POLICY_FETCH, WIRE_HOLD_NONE));
}

TEST(policy, a_battery_keeps_from_beginning_alone_and_only_when_it_is_known)
{
        static const struct { int64_t least; bool needs_mains; enum policy_known on_mains; int charge; bool is_held; } cases[] = {
                { 30, false, POLICY_NO, 29, true },       { 30, false, POLICY_NO, 30, false },      { 30, false, POLICY_YES, 5, false },
                { 30, false, POLICY_UNKNOWN, 5, true },   { 30, false, POLICY_NO, POLICY_NO_CHARGE, false },
                { 0, true, POLICY_NO, 100, true },        { 0, true, POLICY_YES, 1, false },        { 0, true, POLICY_UNKNOWN, 1, false },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                const struct policy policy = { .battery_least = cases[i].least, .needs_mains = cases[i].needs_mains };
                struct policy_facts known = facts();
                known.on_mains = cases[i].on_mains;
                known.charge = cases[i].charge;
                CHECK(is_held(&policy, &known, POLICY_BEGIN, cases[i].is_held ? WIRE_HOLD_BATTERY : WIRE_HOLD_NONE));
                CHECK(is_held(&policy, &known, POLICY_FETCH, WIRE_HOLD_NONE));
        }
}

/* Sunday 03:36: inside the night that began on Saturday, and 23 minutes before its end. */
TEST(policy, a_window_lets_fetch_and_says_when_it_opens_and_shuts)
{
        struct policy policy = { 0 };
        struct policy_facts known = facts();
        CHECK(calendar_add(&policy.windows, "sat 22:00 - sun 04:00 UTC", NULL) == OK);
        struct policy_answer answer = policy_decide(&policy, &known, POLICY_BEGIN);
        CHECK(answer.hold == WIRE_HOLD_NONE && answer.until_s == NOW + 23 * 60 + 20);
        known.now_s = answer.until_s;
        answer = policy_decide(&policy, &known, POLICY_BEGIN);
        CHECK(answer.hold == WIRE_HOLD_WINDOW && answer.until_s == known.now_s + 6 * 86400 + 18 * 3600);
        CHECK(is_held(&policy, &known, POLICY_FETCH, WIRE_HOLD_NONE));
        known.now_s = answer.until_s;
        CHECK(is_held(&policy, &known, POLICY_BEGIN, WIRE_HOLD_NONE));
}

/* 2026-10-25 in Berlin: 03:00 comes as 02:00 again, at 01:00 UTC. A window from 02:00 to 03:00 is open for two hours. */
TEST(policy, a_window_goes_by_the_clock_on_the_wall_when_that_changes)
{
        enum { CHANGE = 1792890000 };
        static const struct utc_shift berlin[] = { { NOW, 7200 }, { CHANGE, 3600 } };
        const struct calendar_zone zones[] = { { berlin, 2 } };
        struct policy policy = { 0 };
        struct policy_facts known = facts();
        known.zones = zones;
        CHECK(calendar_add(&policy.windows, "sun 02:00 - sun 03:00 device", NULL) == OK);
        known.now_s = CHANGE - 3600;
        const struct policy_answer answer = policy_decide(&policy, &known, POLICY_BEGIN);
        CHECK(answer.hold == WIRE_HOLD_NONE && answer.until_s == CHANGE + 3600);
        known.now_s = CHANGE - 3601;
        CHECK(is_held(&policy, &known, POLICY_BEGIN, WIRE_HOLD_WINDOW));
        known.now_s = CHANGE + 3600;
        CHECK(is_held(&policy, &known, POLICY_BEGIN, WIRE_HOLD_WINDOW));
}

TEST(policy, says_why_and_until_when)
{
        char text[POLICY_TEXT_BYTES];
        const struct policy pinned = { .pin = 4 };
        policy_text(&pinned, &(struct policy_answer){ WIRE_HOLD_PIN, CALENDAR_NEVER, 0 }, text);
        CHECK(strcmp(text, "held: pinned to another release, 4") == 0);
        policy_text(&pinned, &(struct policy_answer){ WIRE_HOLD_FREEZE, NOW, 0 }, text);
        CHECK(strcmp(text, "held: frozen until 2026-07-19T03:36:40Z") == 0);
        policy_text(&pinned, &(struct policy_answer){ WIRE_HOLD_NONE, NOW, 0 }, text);
        CHECK(strcmp(text, "not held") == 0);
}
