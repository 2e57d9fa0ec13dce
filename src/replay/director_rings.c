/* Rings by the clock: 1, 10, 50 and 100 % of the fleet, a day apart, unless a ring reports too much trouble.
 *
 * Sizes: Windows Autopatch puts 1 % of a fleet of over 200 devices into First, 9 % into Fast and the rest into Broad
 * (windows-itpro-docs, windows-autopatch-device-registration-overview.md). Its step from 10 % to everybody is halved here: kinder to rings.
 * Clock: there the rings are offered it 1, 5 and 9 days after the release (windows-autopatch-groups-policies.md, 2025-03). These are for monthly
 * updates of the system; content cannot wait that long, and one day is the least that a deferral can say (deferralInDays, Microsoft Graph).
 * Judged from: 500 devices, which the same page names as what its analysis needs; with fewer at the end of the ring's day.
 * Trouble: more than 5 % of those of the ring that have it. Autopatch states no figure; this is half of what hawkBit's form proposes.
 *
 * Whoever is silent has reported no trouble. */
#include "replay/staged.h"

#include <stdio.h>

enum { RINGS = 4, TROUBLE_MAX_PERCENT = 5, JUDGED_FROM = 500 };
static const int64_t day_ms = 86400000;

static bool has_baked(const struct director *director, unsigned ring)
{
        return ring < director->open || director->now_ms >= director->opened_ms + day_ms;
}

static void judge_ring(struct director *director, unsigned ring)
{
        const struct tally *own = &director->stages[ring];
        bool is_judged = own->exposed >= JUDGED_FROM || has_baked(director, ring);
        if (is_judged && (uint64_t)own->failed * 100 > (uint64_t)own->exposed * TROUBLE_MAX_PERCENT)
                staged_stop(director, "Ring %u of %d stopped it: %u of the %u devices that have it reported trouble, more than %d %%.", ring + 1, RINGS,
                            own->failed, own->exposed, TROUBLE_MAX_PERCENT);
}

static void judge(struct director *director)
{
        for (unsigned ring = 0; ring <= director->open && !director->stopped_by; ring++)
                judge_ring(director, ring);
        if (!director->stopped_by && !staged_is_last(director) && has_baked(director, director->open))
                staged_open_next(director);
}

static const uint32_t rings_ppm[RINGS] = { 10000, 100000, 500000, 1000000 };

static void say(const struct director *director, char *text, size_t size)
{
        const struct tally *own = &director->stages[director->open];
        snprintf(text, size, "Ring %u of %d, up to %u %% of the fleet: %u have it, %u of them reported trouble.%s", director->open + 1, RINGS,
                 rings_ppm[director->open] / 10000, own->exposed, own->failed, staged_is_last(director) ? "" : " The next ring opens by the clock.");
}

static const struct practice practice = { .stages = RINGS, .ends_ppm = rings_ppm, .judge = judge, .say = say };

static enum err open(const struct director_fleet *fleet, const struct rollout_policy *policy, struct director **ret_director, struct why *why)
{
        return staged_open(&practice, fleet, policy, ret_director, why);
}

const struct director_ops director_rings = {
        .name = "rings", .what = "1, 10, 50, 100 % of the fleet, a day apart; stops at over 5 % reported trouble in a ring",
        .open = open, .close = staged_close, .tick = staged_tick, .pick = staged_pick, .granted = staged_granted, .report = staged_report,
        .seen = staged_seen, .withdraw = staged_withdraw, .view = staged_view, .may_pick = staged_may_pick,
};
