/* past.h - how devices of a stream fared before: what its earlier rollouts saw that no release caused.
 *
 * Counted are leases that were granted and have their outcome: of control in every rollout of the stream, of those that got the release in the
 * rollouts that were completed. Only the newest LIMIT_PAST_LEASES leases of the server are looked at, whatever their stream. */
#pragma once

#include "server/store/db.h"

enum { PAST_HOURS = 24 };

/* dark: at the deadline; late: of these, came after it; lease_ms: their time under watch, in all. */
struct past_arm { int64_t leases, dark, late, harmed, crashes, lease_ms; };
struct past_spread { int64_t median, p90, p99; };      /* -1: nobody */

struct past {
        int64_t rollouts;                        /* that some of them were of */
        struct past_arm control, treated;
        struct past_spread answer_ms, late_ms;   /* answers in time, after the bake was over; late ones, after the deadline */
        struct past_hour { int64_t leases, dark; } hours[PAST_HOURS];      /* both arms, by the hour (UTC) of the deadline */
};

MUST_CHECK enum err past_look(struct db *db, const char *stream, struct past *ret_past, struct why *why);
