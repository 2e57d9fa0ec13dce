/* truth.h - what is wrong with a release, device by device: whom it harms, when, and what the device then says.
 *
 * Only the simulator knows. Times are milliseconds since the rollout's start. */
#pragma once

#include "replay/fleet.h"

enum truth_sign { TRUTH_TELLS, TRUTH_IS_SILENT, TRUTH_STAYS_GREEN };

struct truth_fault {
        const struct scenario_fault *of;
        struct fleet_only only;
        enum fault_onset onset;
        enum fault_cure cure;
        enum truth_sign sign, untold;
        enum rollout_signal kind;                /* of those that tell */
};

struct truth { const struct fleet *fleet; unsigned count; struct truth_fault faults[LIMIT_FAULTS]; };

MUST_CHECK enum err truth_init(struct truth *truth, const struct fleet *fleet, const struct scenario *scenario, struct why *why);

uint32_t truth_count_susceptible(const struct truth *truth);                 /* devices, to any fault */
bool truth_refuses(const struct truth *truth, uint32_t device, int64_t at_ms);      /* its own preflight does */
/* Whether the fault will break out in a device that took the release up, or was brought back, at this time. */
bool truth_strikes(const struct truth *truth, unsigned fault, uint32_t device, int64_t at_ms);
int64_t truth_onset_ms(const struct truth *truth, unsigned fault, uint32_t device, int64_t at_ms);
enum truth_sign truth_sign(const struct truth *truth, unsigned fault, uint32_t device);
