/* policy_facts.h - what this machine can tell for policy.h: its battery, its network, its time zones.
 *
 * Nothing here fails: what cannot be read is not known. */
#pragma once

#include "agent/config_policy.h"
#include "agent/policy.h"

enum { POLICY_SHIFTS_MAX = 8 };          /* of one zone within the days that are looked ahead */

struct policy_machine {
        enum policy_known is_metered, on_mains;
        int charge;
        struct utc_shift shifts[CALENDAR_WINDOWS_MAX][POLICY_SHIFTS_MAX];
        struct calendar_zone zones[CALENDAR_WINDOWS_MAX];
};

/* Only what the policy asks for is looked at. */
void policy_look(const struct agent_policy *policy, int64_t now_s, struct policy_machine *ret_machine);
/* The machine's part of the facts; the rest are zeros. Borrows it. */
struct policy_facts policy_facts(const struct policy_machine *machine, int64_t now_s);
