/* policy.h - what the owner of this device lets begin on it, and when: facts in, a decision out. Pure.
 *
 * It stops new things and never a rescue: withdrawals, fall-backs and trials that have begun do not ask it. What is not known holds
 * nothing: a device that cannot tell its battery or its network is updated as any other.
 *
 * Reads no clock, file or configuration: see policy_facts.h and config_policy.h. */
#pragma once

#include "format/calendar.h"
#include "wire/hold.h"

#include <stdbool.h>
#include <stdint.h>

struct policy {
        uint64_t pin;                    /* the one release that may run here; 0: any */
        bool is_behind;                  /* never the newest that is offered, but the proven one before it */
        bool is_frozen;
        int64_t frozen_until_s;          /* 0: no such date */
        struct calendar windows;         /* when a release may start; none: always. In the calendar's words `device` is this device's own zone */
        bool holds_metered;
        int64_t battery_least;           /* percent, when not on mains; 0: any */
        bool needs_mains;
};

enum policy_known { POLICY_UNKNOWN, POLICY_NO, POLICY_YES };
enum { POLICY_NO_CHARGE = -1 };

struct policy_facts {
        int64_t now_s;
        const struct calendar_zone *zones;       /* one a window */
        enum policy_known is_metered, on_mains;
        int charge;                              /* percent of the emptiest battery; POLICY_NO_CHARGE: none, or not known */
        uint64_t running, offered;               /* counters; 0: the factory content, and: nothing */
        uint64_t newest, before_newest;          /* of those offered so far, and what the server names as proven before it; 0: none */
};

/* A release is fetched first; with a lease it begins to run. A window and a battery let it be fetched, a metered network lets one that
 * is here already begin. */
enum policy_step { POLICY_FETCH, POLICY_BEGIN };

struct policy_answer {
        enum wire_hold hold;
        int64_t until_s;                 /* until when the answer holds if no other fact changes; CALENDAR_NEVER: no time is known */
        uint64_t instead;                /* the older release to be asked for; 0: none */
};
struct policy_answer policy_decide(const struct policy *policy, const struct policy_facts *facts, enum policy_step step);

/* "held: frozen until 2026-12-27T06:00:00Z". `policy` names the release of a pin. */
enum { POLICY_TEXT_BYTES = 96 };
void policy_text(const struct policy *policy, const struct policy_answer *answer, char text[POLICY_TEXT_BYTES]);
