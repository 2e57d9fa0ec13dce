#include "agent/policy.h"

#include "base/utc.h"

#include <inttypes.h>
#include <stdio.h>

struct question { const struct policy *policy; const struct policy_facts *facts; };
typedef bool rule(const struct question *question, struct policy_answer *answer);

/* Nobody is led back below what runs, not even by a pin. */
static uint64_t above_running(const struct policy_facts *facts, uint64_t counter)
{
        return counter > facts->running ? counter : 0;
}

static bool pin_holds(const struct question *question, struct policy_answer *answer)
{
        const uint64_t pin = question->policy->pin;
        answer->instead = above_running(question->facts, pin);
        return pin && question->facts->offered != pin;
}

/* What is older than the newest is what was asked for instead of it. */
static bool behind_holds(const struct question *question, struct policy_answer *answer)
{
        const struct policy_facts *facts = question->facts;
        if (!question->policy->is_behind)
                return false;
        answer->instead = above_running(facts, facts->before_newest);
        return facts->offered >= facts->newest;
}

static void not_later(struct policy_answer *answer, int64_t until_s)
{
        if (until_s < answer->until_s)
                answer->until_s = until_s;
}

static bool freeze_holds(const struct question *question, struct policy_answer *answer)
{
        const int64_t until_s = question->policy->frozen_until_s;
        if (question->policy->is_frozen)
                return true;
        if (question->facts->now_s >= until_s)
                return false;
        not_later(answer, until_s);
        return true;
}

static bool metered_holds(const struct question *question, struct policy_answer *answer)
{
        (void)answer;
        return question->policy->holds_metered && question->facts->is_metered == POLICY_YES;
}

static bool window_holds(const struct question *question, struct policy_answer *answer)
{
        if (!question->policy->windows.count)
                return false;
        const struct calendar_answer found = calendar_look(&question->policy->windows, question->facts->zones, question->facts->now_s);
        not_later(answer, found.until_s);
        return !found.is_inside;
}

static bool battery_holds(const struct question *question, struct policy_answer *answer)
{
        const struct policy *policy = question->policy;
        const struct policy_facts *facts = question->facts;
        (void)answer;
        if (policy->needs_mains && facts->on_mains == POLICY_NO)
                return true;
        return facts->on_mains != POLICY_YES && facts->charge != POLICY_NO_CHARGE && facts->charge < policy->battery_least;
}

static const struct { enum wire_hold hold; enum policy_step from, to; rule *holds; } rules[] = {
        { WIRE_HOLD_PIN, POLICY_FETCH, POLICY_BEGIN, pin_holds },       { WIRE_HOLD_BEHIND, POLICY_FETCH, POLICY_BEGIN, behind_holds },
        { WIRE_HOLD_FREEZE, POLICY_FETCH, POLICY_BEGIN, freeze_holds }, { WIRE_HOLD_METERED, POLICY_FETCH, POLICY_FETCH, metered_holds },
        { WIRE_HOLD_WINDOW, POLICY_BEGIN, POLICY_BEGIN, window_holds }, { WIRE_HOLD_BATTERY, POLICY_BEGIN, POLICY_BEGIN, battery_holds },
};

struct policy_answer policy_decide(const struct policy *policy, const struct policy_facts *facts, enum policy_step step)
{
        const struct question question = { policy, facts };
        int64_t until_s = CALENDAR_NEVER;
        for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
                struct policy_answer answer = { WIRE_HOLD_NONE, CALENDAR_NEVER, 0 };
                if (step < rules[i].from || step > rules[i].to)
                        continue;
                if (rules[i].holds(&question, &answer)) {
                        answer.hold = rules[i].hold;
                        return answer;
                }
                until_s = answer.until_s < until_s ? answer.until_s : until_s;
        }
        return (struct policy_answer){ WIRE_HOLD_NONE, until_s, 0 };
}

void policy_text(const struct policy *policy, const struct policy_answer *answer, char text[POLICY_TEXT_BYTES])
{
        char pin[32] = "", until[32] = "";
        if (answer->hold == WIRE_HOLD_NONE) {
                snprintf(text, POLICY_TEXT_BYTES, "%s", wire_hold_text(answer->hold));
                return;
        }
        if (answer->hold == WIRE_HOLD_PIN)
                snprintf(pin, sizeof(pin), ", %" PRIu64, policy->pin);
        if (answer->until_s != CALENDAR_NEVER) {
                snprintf(until, sizeof(until), " until ");
                utc_text_s(answer->until_s, until + 7);
        }
        snprintf(text, POLICY_TEXT_BYTES, "held: %s%s%s", wire_hold_text(answer->hold), pin, until);
}
