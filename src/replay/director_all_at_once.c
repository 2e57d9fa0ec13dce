/* Everybody who asks gets it, at once. It knows nothing and never stops by itself: people have to.
 *
 * So content updates were shipped in July 2024 (CrowdStrike's preliminary post-incident review), and so they still are: Windows
 * Autopatch's "software update management" page keeps virus definitions out of its rings, "with each scan". */
#include "replay/staged.h"

#include <stdio.h>

static void say(const struct director *director, char *text, size_t size)
{
        const struct tally *all = &director->all;
        snprintf(text, size, "Everybody who asks gets it: %u have it, %u reported trouble; nothing here reads the reports.", all->exposed, all->failed);
}

static const uint32_t everybody_ppm[] = { 1000000 };
static const struct practice practice = { .stages = 1, .ends_ppm = everybody_ppm, .say = say };

static enum err open(const struct director_fleet *fleet, const struct rollout_policy *policy, struct director **ret_director, struct why *why)
{
        return staged_open(&practice, fleet, policy, ret_director, why);
}

const struct director_ops director_all_at_once = {
        .name = "all-at-once", .what = "everybody who asks, at once; only people stop it",
        .open = open, .close = staged_close, .tick = staged_tick, .pick = staged_pick, .granted = staged_granted, .report = staged_report,
        .seen = staged_seen, .withdraw = staged_withdraw, .view = staged_view, .may_pick = staged_may_pick,
};
