#include "agent/offer.h"

#include "support/test.h"

#include <string.h>

static struct verdict verdict_of(enum cohort_state state)
{
        struct verdict verdict = { .status = VERDICT_ACCEPT, .state = state, .is_admitted = 1, .counter = 4, .note_length = 9, .expires = 1000, .withdrawn_count = 1 };
        memset(verdict.target, 7, sizeof(verdict.target));
        verdict.withdrawn[0] = 3;
        verdict.withdrawal_count = 1;
        verdict.withdrawals[0] = (struct withdrawal){ 3, 900, 60 };
        return verdict;
}

TEST(offer, says_what_the_verdict_says)
{
        const struct verdict verdict = verdict_of(COHORT_GO);
        const struct offer offer = offer_of(&verdict);
        CHECK(offer.state == OFFER_GO && offer.is_admitted && offer.counter == 4 && offer.note_length == 9 && offer.expires == 1000);
        CHECK(memcmp(offer.target, verdict.target, 32) == 0 && offer.withdrawals[0].over_s == 60);
}

TEST(offer, of_nothing_is_none)
{
        struct verdict verdict = verdict_of(COHORT_GO);
        verdict.counter = 0;
        const struct offer offer = offer_of(&verdict);
        CHECK(offer.state == OFFER_NONE && !offer_admits(&offer) && !offer_withdraws(&offer, 0));
}

TEST(offer, is_open_until_it_ends_and_while_it_is_go)
{
        const struct verdict verdict = verdict_of(COHORT_GO), held = verdict_of(COHORT_HOLD);
        struct offer offer = offer_of(&verdict);
        const struct offer hold = offer_of(&held);
        CHECK(offer_is_open(&offer, 999) && !offer_is_open(&offer, 1000) && offer_admits(&offer) && !offer_admits(&hold));
        offer_hold(&offer);
        CHECK(!offer_is_open(&offer, 999) && offer.counter == 4 && offer_withdraws(&offer, 3));
        offer = offer_of(&verdict);
        offer.is_admitted = false;
        CHECK(!offer_is_open(&offer, 999));
}

TEST(offer, withdraws_what_it_names_and_what_it_is_about)
{
        const struct verdict go = verdict_of(COHORT_GO), back = verdict_of(COHORT_WITHDRAW);
        const struct offer offer = offer_of(&go), withdrawn = offer_of(&back);
        CHECK(offer_withdraws(&offer, 3) && !offer_withdraws(&offer, 4) && offer_withdraws(&withdrawn, 4) && !offer_withdraws(&withdrawn, 2));
        struct offer held = withdrawn;
        offer_hold(&held);
        CHECK(held.state == OFFER_WITHDRAW);
}
