#include "server/api/cache.h"

#include "base/arena.h"
#include "base/limits.h"
#include "base/mem.h"
#include "format/hex.h"
#include "trust/sha.h"

#include <string.h>

struct state {
        uint64_t changes;
        int64_t epoch, pace_ms;
        size_t revoked_count, file_count;
        char (*revoked)[33];
        struct cache_file *files;
        struct arena *arena;                   /* holds all of the above, but the contents */
};

struct cache {
        struct state state;
};

static void state_done(struct state *state)
{
        for (size_t i = 0; i < state->file_count; i++)
                block_free(state->files[i].content);
        arena_free(state->arena);
        *state = (struct state){ 0 };
}
static void state_release(struct state *state) { state_done(state); }

enum err cache_open(struct cache **ret_cache, struct why *why)
{
        *ret_cache = mem_new(1, sizeof(**ret_cache));
        return *ret_cache ? OK : FAIL(why, ERR_NOMEM, "out of memory");
}

void cache_close(struct cache *cache)
{
        if (!cache)
                return;
        state_done(&cache->state);
        mem_free(cache);
}

/* Most files stay as they were: their content is shared, not copied. */
static struct block *content_of(const struct cache *cache, const struct store_file *from)
{
        const struct cache_file *old = cache_find(cache, from->repository, from->name, strlen(from->name));
        if (old && old->content->length == from->length && memcmp(old->content->bytes, from->bytes, from->length) == 0)
                return block_share(old->content);
        return block_new(from->bytes, from->length);
}

static bool copy_file(const struct cache *cache, const struct store_file *from, struct state *state)
{
        struct cache_file *file = &state->files[state->file_count];
        file->repository = arena_strdup(state->arena, from->repository);
        file->name = arena_strdup(state->arena, from->name);
        file->content = content_of(cache, from);
        if (!file->content)
                return false;
        state->file_count++;
        uint8_t digest[32];
        sha256(from->bytes, from->length, digest);
        file->etag[0] = '"';
        hex_encode(digest, sizeof(digest), file->etag + 1);
        file->etag[65] = '"';
        return file->repository && file->name;
}

static bool copy(const struct cache *cache, const struct store_public *from, struct state *state)
{
        state->arena = arena_new(LIMIT_PUBLIC_BYTES);
        if (!state->arena)
                return false;
        state->revoked = arena_alloc(state->arena, from->revoked_count + 1, sizeof(*state->revoked));
        state->files = arena_alloc(state->arena, from->file_count + 1, sizeof(*state->files));
        if (!state->revoked || !state->files)
                return false;
        if (from->revoked_count)
                memcpy(state->revoked, from->revoked, from->revoked_count * sizeof(*state->revoked));
        state->revoked_count = from->revoked_count;
        for (size_t i = 0; i < from->file_count; i++)
                if (!copy_file(cache, &from->files[i], state))
                        return false;
        state->changes = from->changes;
        state->epoch = from->epoch;
        state->pace_ms = from->pace_ms;
        return true;
}

enum err cache_replace(struct cache *cache, const struct store_public *state, struct why *why)
{
        OWN(state) struct state fresh = { 0 };
        if (!copy(cache, state, &fresh))
                return FAIL(why, ERR_NOMEM, "out of memory");
        struct state old = cache->state;
        cache->state = fresh;
        fresh = old;
        return OK;
}

bool cache_is_filled(const struct cache *cache) { return cache->state.arena != NULL; }
int64_t cache_epoch(const struct cache *cache) { return cache->state.epoch; }
int64_t cache_pace_ms(const struct cache *cache) { return cache->state.pace_ms; }
uint64_t cache_changes(const struct cache *cache) { return cache->state.changes; }

bool cache_is_revoked(const struct cache *cache, const char *device)
{
        size_t low = 0, high = cache->state.revoked_count;
        while (low < high) {
                size_t middle = low + (high - low) / 2;
                int order = strcmp(cache->state.revoked[middle], device);
                if (order == 0)
                        return true;
                if (order < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return false;
}

/* Some tens of files: looked through one by one. */
const struct cache_file *cache_find(const struct cache *cache, const char *repository, const char *name, size_t name_length)
{
        for (size_t i = 0; i < cache->state.file_count; i++) {
                const struct cache_file *file = &cache->state.files[i];
                if (strcmp(file->repository, repository) == 0 && strlen(file->name) == name_length && memcmp(file->name, name, name_length) == 0)
                        return file;
        }
        return NULL;
}
