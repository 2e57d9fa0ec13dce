#include "agent/offer.h"

#include <string.h>

struct offer offer_of(const struct verdict *verdict)
{
        static const enum offer_state states[] = { [COHORT_GO] = OFFER_GO, [COHORT_HOLD] = OFFER_HOLD, [COHORT_WITHDRAW] = OFFER_WITHDRAW };
        struct offer offer = {
                .state = verdict->counter ? states[verdict->state] : OFFER_NONE, .is_admitted = verdict->is_admitted,
                .counter = verdict->counter, .fallback = verdict->fallback, .note_length = verdict->note_length, .expires = verdict->expires,
        };
        memcpy(offer.target, verdict->target, sizeof(offer.target));
        offer.withdrawn_count = verdict->withdrawn_count;
        memcpy(offer.withdrawn, verdict->withdrawn, sizeof(offer.withdrawn));
        offer.withdrawal_count = verdict->withdrawal_count;
        memcpy(offer.withdrawals, verdict->withdrawals, sizeof(offer.withdrawals));
        return offer;
}

void offer_hold(struct offer *offer)
{
        if (offer->state == OFFER_GO)
                offer->state = OFFER_HOLD;
}

bool offer_admits(const struct offer *offer)
{
        return offer->state == OFFER_GO && offer->is_admitted;
}

bool offer_is_open(const struct offer *offer, int64_t now_s)
{
        return offer_admits(offer) && now_s < offer->expires;
}

bool offer_withdraws(const struct offer *offer, uint64_t counter)
{
        bool is_withdrawn = counter && offer->state == OFFER_WITHDRAW && offer->counter == counter;
        for (size_t i = 0; counter && i < offer->withdrawn_count; i++)
                is_withdrawn |= offer->withdrawn[i] == counter;
        return is_withdrawn;
}
