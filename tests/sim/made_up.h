/* made_up.h - a release, a fleet, a policy, weather and trouble, all drawn from one seed. */
#pragma once

#include "replay/scenario.h"

enum { MADE_ATTRIBUTES = 3, MADE_VALUES = 4, MADE_FAULTS = 3, MADE_OUTAGES = 2 };

/* Chances in ppm. Each is none in many seeds, so that every trouble is met alone, too. */
struct trouble {
        int64_t crash;                           /* per input, before or after it */
        int64_t commit;                          /* per request that the log becomes durable; else at the end of the round */
        int64_t pause, pause_rounds;             /* per round, that nothing becomes durable for a while */
        int64_t down_rounds;                     /* after a crash, at most */
        int64_t lost_answer, dead;               /* per lease; dead: of these devices, those that never ask again */
        int64_t decline;                         /* per lease that reached its device */
        int64_t lost, late, again, late_rounds;  /* per report, beside what the weather does */
        int64_t clock_step;                      /* per round */
        int64_t sluggish;                        /* per question, that a device does not ask this time */
        int64_t freeze;                          /* per round, that a freeze begins or ends */
        int64_t order, stubborn;                 /* per round, that people say something; that they override what has stopped */
};

struct made_up {
        struct scenario scenario;
        struct scenario_attribute attributes[MADE_ATTRIBUTES];
        struct scenario_value values[MADE_ATTRIBUTES][MADE_VALUES];
        struct scenario_fault faults[MADE_FAULTS];
        const char *only[MADE_FAULTS][1];
        struct scenario_outage outages[MADE_OUTAGES];
        struct rollout_policy policy;
        struct trouble trouble;
        uint32_t devices, leases_max, rounds;    /* leases_max: 0: enough */
};

/* A row of draws. */
struct dice { uint64_t state; };
uint64_t dice_below(struct dice *dice, uint64_t n);
bool dice_say(struct dice *dice, int64_t ppm);

/* Points into itself: not to be copied. `dice`: of the seed, and further along afterwards. */
void made_up_init(struct made_up *made, struct dice *dice);
