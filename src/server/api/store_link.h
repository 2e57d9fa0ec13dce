/* store_link.h - the api process's line to the store: asks without waiting, remembers who asked.
 *
 * The queue is bounded. A request that finds it full is turned away, but one that must not be lost (a report of harm) may
 * still take one of the places that are kept for it. */
#pragma once

#include "server/api/exchange.h"
#include "server/ipc.h"

#include <uv.h>

struct store_link;

struct store_link_events {
        void (*answer)(void *user, struct exchange *exchange, const struct ipc_answer *answer);
        void (*news)(void *user, const struct store_public *state);
        void (*lost)(void *user, const struct why *why);                /* the store is gone, or talks nonsense */
};

/* `end` of a link, borrowed. */
MUST_CHECK enum err store_link_open(uv_loop_t *loop, int end, const struct store_link_events *events, void *user, struct store_link **ret_link,
                                    struct why *why);
/* The loop must run on before store_link_done(). */
void store_link_close(struct store_link *link);
void store_link_done(struct store_link *link);

/* ERR_BUSY: the queue is full. events->answer() follows, unless store_link_forget() comes first. */
MUST_CHECK enum err store_link_ask(struct store_link *link, struct exchange *exchange, const struct store_request *request, bool is_urgent, struct why *why);
void store_link_forget(struct store_link *link, struct exchange *exchange);
/* False: there is no room now. */
bool store_link_seen(struct store_link *link, const struct store_seen *seen, size_t count);
