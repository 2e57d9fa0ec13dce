/* holding.h - what the owner's policy (policy.h) keeps one stream from beginning, carried out: stream_policy.c.
 *
 * Invariant: nothing is held from the moment a lease is granted. One that may have been granted unheard is handed back. */
#pragma once

#include "agent/offer.h"
#include "agent/policy.h"

struct stream;

/* What the owner's policy says to what is offered now. */
struct holding {
        struct policy_answer answer;
        uint64_t newest, before_newest;  /* see policy.h */
        uint64_t instead;                /* the older release that is asked for; 0: none */
        uint64_t offered;                /* that the answer is about, ... */
        int step;                        /* ... and how far it had come: enum policy_step */
        int64_t look_at_ms;
        bool is_unsure;                  /* a lease may have been granted under the candidate's nonce without our hearing of it */
};

/* The owner's policy: what is new to it, whether it keeps what is offered from the next step, and which older release it names instead. */
void holding_offered(struct stream *stream, const struct offer *offer);
void holding_tick(struct stream *stream, int64_t now_ms);
bool holding_holds(const struct stream *stream);
uint64_t holding_instead(const struct stream *stream);   /* 0: none */
int64_t holding_wake_ms(const struct stream *stream, int64_t now_ms);
