/* run.h - one replay: a scenario, a policy, a seed. The same ones give the same run, byte for byte.
 *
 * Device by device, in rounds of a 48th of a lease: devices ask at their own pace, get leases, run the release, are harmed or
 * not, tell or fall silent, come back. Memory grows with the fleet (some bytes a device) and with the leases. */
#pragma once

#include "replay/director.h"
#include "replay/scenario.h"

struct replay_config {
        const struct scenario *scenario;
        const struct director_ops *director;
        struct rollout_policy policy;
        int64_t rollback_s;                      /* over which devices go back; 0: as soon as they hear of it */
        uint32_t fleet;                          /* 0: the scenario's */
        uint64_t seed;
        uint32_t points;                         /* of the series to keep; 0: none */
        int64_t tail_s;                          /* over when nobody was exposed for so long, though the watch goes on; 0: when the watch is over */
        /* Called now and then with how far it is, 0 to 1. NULL: nobody asks. */
        void (*progress)(void *user, double done);
        void *user;
};

struct replay_point { int64_t at_s; uint32_t exposed, proven, hurt, seen_hurt, window; double evidence; };

/* Counts are devices. `hurt`: harmed by the release, which only the simulator knows; a device that would have crashed or gone dark
 * anyway is not among them. */
struct replay_result {
        uint32_t fleet, susceptible, exposed, hurt, dark, recovered;      /* dark: of the hurt, those that fell silent; recovered: of the hurt, well again at the end */
        uint32_t hurt_at_stop, seen_hurt;        /* seen_hurt: what the policy counted: harmed + dark, whatever the cause */
        uint32_t unanswered, control, control_hurt;      /* when it stopped, or at the end, as the policy counted; 0 of one that has no control */
        enum rollout_stopper stopped_by;
        bool was_stopped_wrongly;                /* stopped before the release had harmed anybody */
        int64_t stop_s, complete_s;              /* since the start; -1: not. complete: the policy's complete_ppm of those that had checked in had it proven */
        int64_t reached_s;                       /* since the start: when the policy's complete_ppm of the whole fleet, held-out ones left out, had it proven; -1: not */
        double device_hours_lost;                /* sum over the hurt of the time until they were well, or the end */
        struct replay_point *points;
        uint32_t point_count;
        char sentence[ROLLOUT_SENTENCE_BYTES];   /* the policy's own words at the end */
};

MUST_CHECK enum err replay_run(const struct replay_config *config, struct replay_result *ret_result, struct why *why);
void replay_result_done(struct replay_result *result);
