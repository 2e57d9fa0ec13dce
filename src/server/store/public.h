/* public.h - the copy in memory of what anybody may fetch: metadata files, epoch, revoked devices. */
#pragma once

#include "server/store/db.h"
#include "server/store/store.h"

struct public_state;

/* Reads all of it. `changes` of the new one is one more than that of `before` (NULL: the first). */
MUST_CHECK enum err public_open(struct db *db, const struct public_state *before, int64_t pace_ms, struct public_state **ret_state, struct why *why);
void public_close(struct public_state *state);
OWN_DEFINE(public, struct public_state *, public_close)

const struct store_public *public_view(const struct public_state *state);
