/* checkin.h - the hot path: a check-in is answered from memory, without the store.
 *
 * The MAC is checked with the key derived from the server's secret, so that no table of devices is needed: only a device that
 * was enrolled knows its key. The answer is the same for all devices within a second, and is made once. Who was seen goes to
 * the store in bulk. */
#pragma once

#include "server/api/cache.h"
#include "server/api/exchange.h"
#include "server/api/store_link.h"

enum { CHECKIN_BUSY_PACE_MS = 30000 };         /* most, for a device that is armed or on probation */

struct checkin {
        const uint8_t *secret;                 /* 32 bytes, borrowed */
        const struct cache *cache;
        struct buf ready[2];                   /* whole answers: for the idle, for the busy */
        size_t ready_body[2];
        int64_t ready_s;
        uint64_t ready_changes;
        size_t seen_count;
        uint64_t seen_lost;
        struct store_seen seen[IPC_SEEN_MAX];
};

void checkin_init(struct checkin *checkin, const uint8_t *secret, const struct cache *cache);
void checkin_done(struct checkin *checkin);

/* Before the body is read: is there a device, and is its clock near ours? */
MUST_CHECK enum err checkin_check_head(const struct http_request *request, int64_t now_s, struct why *why);
void checkin_answer(struct checkin *checkin, struct exchange *exchange, int64_t now_s, const char *date);
void checkin_flush(struct checkin *checkin, struct store_link *link);
