/* A test made for one look, looked at again and again: the ramp of director_steps.c, and after every 50 answers a two-proportion z-test of treated
 * against control, one-sided, that stops it at the first p < 0.001.
 *
 * This is no product's rule but the usual home-made one: the dashboard that is watched until it turns red. Each look may err once in a thousand, all of
 * them together far more often (Armitage, McPherson and Rowe, "Repeated significance tests on accumulating data", 1969), and by the law of the
 * iterated logarithm surely in the end.
 * It is given all else that Firebreak has: randomised control, one for each exposure, and silence past the deadline counted in both. It pools what
 * Firebreak compares within blocks. The test ends where control ends: the last step, from half to all, is unwatched, as after an A/B test. */
#include "replay/staged.h"

#include <math.h>
#include <stdio.h>

enum { LOOK_EVERY = 50 };
static const double alpha = 0.001;

/* One-sided p of the pooled test; 1 when it cannot say. */
static double chance_of(const struct tally *treated, const struct tally *control)
{
        double n = (double)treated->proven + treated->failed, n_control = (double)control->proven + control->failed;
        if (n == 0 || n_control == 0)
                return 1;
        double pooled = ((double)treated->failed + control->failed) / (n + n_control);
        double deviation = sqrt(pooled * (1 - pooled) * (1 / n + 1 / n_control));
        if (deviation <= 0)
                return 1;
        return erfc((treated->failed / n - control->failed / n_control) / deviation / sqrt(2)) / 2;
}

static void hear(struct director *director)
{
        if (staged_is_last(director) || ++director->look.unread < LOOK_EVERY)
                return;
        const struct tally *treated = &director->all, *control = &director->control;
        double chance = chance_of(treated, control);
        director->look.unread = 0;
        director->evidence_needed = 1 / alpha;
        director->evidence = 1 / fmax(chance, 1e-300);
        if (chance < alpha)
                staged_stop(director, "A look at p = %.2g stopped it: %u of %u were hurt, and %u of %u of control.", chance, treated->failed,
                            treated->proven + treated->failed, control->failed, control->proven + control->failed);
}

/* The clock of the other ramp, were all its measurements good. */
static void judge(struct director *director)
{
        bool has_answers = director->heard.proven || director->heard.failed;
        bool is_time = director->now_ms >= director->opened_ms + director->bake_ms + RAMP_LOOKS * RAMP_LOOK_MS;
        if (is_time && has_answers && !staged_is_last(director))
                staged_open_next(director);
}

static void say(const struct director *director, char *text, size_t size)
{
        const struct tally *treated = &director->all, *control = &director->control;
        if (staged_is_last(director))
                snprintf(text, size, "The test is over and found nothing: everybody may have it, and nobody looks.");
        else
                snprintf(text, size, "Step %u of %d, %u %%: %u of %u were hurt, and %u of %u of control; the chance of that is %.2g.", director->open + 1,
                         RAMP_STAGES, staged_ramp_ppm[director->open] / 10000, treated->failed, treated->proven + treated->failed, control->failed,
                         control->proven + control->failed, chance_of(treated, control));
}

static const struct practice practice = { .stages = RAMP_STAGES, .ends_ppm = staged_ramp_ppm, .has_control = true, .judge = judge, .hear = hear, .say = say };

static enum err open(const struct director_fleet *fleet, const struct rollout_policy *policy, struct director **ret_director, struct why *why)
{
        return staged_open(&practice, fleet, policy, ret_director, why);
}

const struct director_ops director_peeking = {
        .name = "peeking", .what = "5, 10, 25, 50, 100 % against control; a z-test after every 50 answers, stops at the first p < 0.001",
        .open = open, .close = staged_close, .tick = staged_tick, .pick = staged_pick, .granted = staged_granted, .report = staged_report,
        .seen = staged_seen, .withdraw = staged_withdraw, .view = staged_view, .may_pick = staged_may_pick,
};
