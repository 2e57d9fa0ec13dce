/* withdrawal.h - a release that was taken back: since when, over how long, and when a device that has it proven goes back.
 *
 * If all went back as soon as they hear of it, a fleet would restart its engines within one interval of asking, and if going back
 * hurts, all would be hurt before anybody knew. So the share of the fleet that went back grows as a rollout does: it is 2^-17 (8 in
 * a million) at the beginning and doubles with each seventeenth of the time, in a straight line in between, until it is all of
 * it. A device's place in that is its bucket of the release (cohort.h), which nobody can choose. Integers only: the device, the
 * simulator and whoever checks them find the same moment.
 *
 * For devices that run it and are well. Whoever is on trial with it, or was harmed by it, waits for nothing. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json;

enum {
        WITHDRAWAL_DOUBLINGS = 17,
        WITHDRAWAL_SKEW_S = 300,             /* how far a clock may be behind the server's, which does not talk to devices further off */
        WITHDRAWAL_OVER_S = 600,             /* where nobody says otherwise: long enough to see how the first fare, at the usual pace of questions */
        WITHDRAWAL_JITTER_S = 30,            /* between the first and the last of those who come too late, as after an outage */
        WITHDRAWALS_MAX = 33,                /* in one word of the director: all that a cohort document can name as withdrawn */
};

struct withdrawal {
        uint64_t counter;
        int64_t since_s, over_s;             /* unix seconds; 0 to LIMIT_ROLL_BACK_S, 0: at once */
};

/* How long after the withdrawal it is the turn of a bucket: 0 to over_s, in ms. */
int64_t withdrawal_turn_ms(uint64_t bucket, int64_t over_s);
/* When a device goes back that hears of it at `heard_ms`, unix milliseconds, or starts anew then: at its turn; when that is over, or
 * its clock cannot be right, then, and no more than WITHDRAWAL_JITTER_S, nor over_s, later. */
int64_t withdrawal_moment_ms(const struct withdrawal *withdrawal, uint64_t bucket, int64_t heard_ms);
bool withdrawal_is_valid(const struct withdrawal *withdrawal);

/* `custom` of a cohort document's target, docs/guide/formats.md, 2.1. NULL: nothing to say. */
struct json *withdrawals_json(const struct withdrawal *withdrawals, size_t count);
/* An entry that is none is left out, which means at once: nonsense must not keep anybody on a release that was taken back. */
size_t withdrawals_read(const struct json *custom, struct withdrawal withdrawals[WITHDRAWALS_MAX]);
/* NULL: nothing is said of it. */
const struct withdrawal *withdrawal_find(const struct withdrawal *withdrawals, size_t count, uint64_t counter);
