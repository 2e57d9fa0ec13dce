/* Eclipse hawkBit's rule: groups one after another. The next starts when enough of the last one say that they installed it; the rollout pauses
 * when more than a share of any started group reports an error.
 *
 * Rule (hawkBit 67ca1c4, ThresholdRolloutGroupErrorCondition and ...SuccessCondition, JpaRolloutExecutor): errors / size of the group > N %, strictly;
 * finished / size >= N %; the size is the whole group. Each running group is looked at, also after the next one started. Only a reported error
 * counts: who is silent neither finishes nor fails. The first closing answer closes the action, and what comes after it is refused (410),
 * so a device that breaks later is a success. A device that declines (`rejected`) stays open.
 * Error: 10 %, what the form proposes (hawkbit-ui, RolloutView; the builder's default is 50). Trigger: 50 % (RolloutGroupConditionBuilder.withDefaults); the
 * form proposes 100 %, with which one switched-off device holds the rollout for ever. Groups: hawkBit wants a number, and the form proposes 1, which is all
 * at once; 10 equal ones here. They go by the device's number, because hawkBit fills groups in the order in which devices were created
 * (eclipse-hawkbit/hawkbit#1086). */
#include "replay/staged.h"

#include <stdio.h>

enum { GROUPS = 10, ERRORS_MAX_PERCENT = 10, TRIGGER_PERCENT = 50 };

static void judge_group(struct director *director, unsigned group)
{
        uint32_t size = staged_size(director, group), errors = director->stages[group].failed;
        if ((uint64_t)errors * 100 > (uint64_t)size * ERRORS_MAX_PERCENT)
                staged_stop(director, "Group %u of %d stopped it: %u of its %u devices reported an error, more than %d %%.", group + 1, GROUPS, errors, size,
                            ERRORS_MAX_PERCENT);
}

static void judge(struct director *director)
{
        for (unsigned group = 0; group <= director->open && !director->stopped_by; group++)
                judge_group(director, group);
        uint64_t finished = director->stages[director->open].proven, size = staged_size(director, director->open);
        if (!director->stopped_by && !staged_is_last(director) && finished * 100 >= size * TRIGGER_PERCENT)
                staged_open_next(director);
}

static void say(const struct director *director, char *text, size_t size)
{
        const struct tally *own = &director->stages[director->open];
        snprintf(text, size, "Group %u of %d: of %u devices %u finished and %u reported an error; %d %% must finish before the next one starts.",
                 director->open + 1, GROUPS, staged_size(director, director->open), own->proven, own->failed, TRIGGER_PERCENT);
}

static const uint32_t tenths_ppm[GROUPS] = { 100000, 200000, 300000, 400000, 500000, 600000, 700000, 800000, 900000, 1000000 };
static const struct practice practice = { .stages = GROUPS, .ends_ppm = tenths_ppm, .order = STAGED_BY_NUMBER, .is_first_answer_final = true,
                                          .judge = judge, .say = say };

static enum err open(const struct director_fleet *fleet, const struct rollout_policy *policy, struct director **ret_director, struct why *why)
{
        return staged_open(&practice, fleet, policy, ret_director, why);
}

const struct director_ops director_error_threshold = {
        .name = "error-threshold", .what = "hawkBit: ten groups, the next at 50 % finished; stops at over 10 % reported errors in a group",
        .open = open, .close = staged_close, .tick = staged_tick, .pick = staged_pick, .granted = staged_granted, .report = staged_report,
        .seen = staged_seen, .withdraw = staged_withdraw, .view = staged_view, .may_pick = staged_may_pick,
};
