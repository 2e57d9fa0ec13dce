/* cache.h - what the api process says without asking the store: metadata files, epoch, pace, who is revoked. */
#pragma once

#include "server/api/block.h"
#include "server/store/store.h"

struct cache;

MUST_CHECK enum err cache_open(struct cache **ret_cache, struct why *why);
void cache_close(struct cache *cache);
OWN_DEFINE(cache, struct cache *, cache_close)

/* Takes over a new state, copied, in one step; after ERR_NOMEM the old one holds. */
MUST_CHECK enum err cache_replace(struct cache *cache, const struct store_public *state, struct why *why);

bool cache_is_filled(const struct cache *cache);
int64_t cache_epoch(const struct cache *cache);
int64_t cache_pace_ms(const struct cache *cache);
uint64_t cache_changes(const struct cache *cache);
bool cache_is_revoked(const struct cache *cache, const char *device);

/* Valid until the next cache_replace(); share `content` to keep it. NULL: there is none. */
struct cache_file {
        const char *repository, *name;
        struct block *content;
        char etag[68];                         /* in quotes: SHA-256 of the content */
};
const struct cache_file *cache_find(const struct cache *cache, const char *repository, const char *name, size_t name_length);
