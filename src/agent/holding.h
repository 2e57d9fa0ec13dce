/* holding.h - what the owner's policy (policy.h) keeps one stream from beginning, carried out: stream_policy.c.
 *
 * Invariant: nothing is held from the moment a lease is granted. One that may have been granted unheard is handed back. */
#pragma once

#include "agent/offer.h"
#include "agent/policy.h"

struct stream;

struct hold_said { enum wire_hold hold; int64_t until_s; uint64_t counter; };
/* What the owner's policy says to what is offered now. */
struct holding {
        struct policy_answer answer;
        uint64_t newest, before_newest;  /* see policy.h */
        uint64_t instead;                /* the older release that is asked for; 0: none */
        uint64_t offered;                /* that the answer is about, ... */
        int step;                        /* ... and how far it had come: enum policy_step */
        int64_t look_at_ms;
        bool is_unsure;                  /* a lease may have been granted under the candidate's nonce without our hearing of it */
        struct hold_said telling, told;  /* what is on its way to the server, and what it heard last */
        int64_t tell_at_ms;
};

/* The owner's policy: what is new to it, whether it keeps what is offered from the next step, and which older release it names instead. */
void holding_offered(struct stream *stream, const struct offer *offer);
void holding_tick(struct stream *stream, int64_t now_ms);
/* Tells the server what is held: true when the caller was used. */
bool holding_call(struct stream *stream, int64_t now_ms);
bool holding_holds(const struct stream *stream);
uint64_t holding_instead(const struct stream *stream);   /* 0: none */
int64_t holding_wake_ms(const struct stream *stream, int64_t now_ms);
