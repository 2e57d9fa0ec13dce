/* offer.h - what the verifier found in the server's metadata for one stream, and what may be done about it. Pure.
 *
 * An offer lets a device prepare a release and ask for its lease; whether it may be installed, judge.h says. */
#pragma once

#include "trust/verdict.h"

enum offer_state { OFFER_NONE, OFFER_GO, OFFER_HOLD, OFFER_WITHDRAW };
struct offer {
        enum offer_state state;
        bool is_admitted;
        uint64_t counter, note_length;
        uint64_t fallback;               /* the release that the server names as proven before the newest; 0: none */
        uint8_t target[32];
        int64_t expires;                 /* unix seconds: no lease is asked for after it */
        size_t withdrawn_count;          /* whatever is offered: who runs one of these goes back */
        uint64_t withdrawn[COHORT_WITHDRAWN_MAX];
        size_t withdrawal_count;
        struct withdrawal withdrawals[WITHDRAWALS_MAX];      /* of what was withdrawn: since when, and how fast */
};

/* Of a verdict that accepts. */
struct offer offer_of(const struct verdict *verdict);
/* After a refusal nothing new starts; whatever else was heard stays. */
void offer_hold(struct offer *offer);
bool offer_admits(const struct offer *offer);
/* May its lease be asked for? */
bool offer_is_open(const struct offer *offer, int64_t now_s);
bool offer_withdraws(const struct offer *offer, uint64_t counter);
