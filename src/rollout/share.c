#include "rollout/share.h"

#include "base/mem.h"

#include <assert.h>

enum err shares_open(struct shares *shares, uint32_t count_max, struct why *why)
{
        uint32_t buckets = 16;
        while (buckets < count_max)
                buckets *= 2;
        *shares = (struct shares){ .count_max = count_max, .bucket_mask = buckets - 1, .free = NO_SHARE, .touched = NO_SHARE };
        shares->items = mem_new(count_max, sizeof(*shares->items));
        shares->events = mem_new(count_max, sizeof(*shares->events));
        shares->buckets = mem_new(buckets, sizeof(*shares->buckets));
        if (!shares->items || !shares->events || !shares->buckets)
                return FAIL(why, ERR_NOMEM, "out of memory for %u shares", count_max);
        for (uint32_t i = 0; i < buckets; i++)
                shares->buckets[i] = NO_SHARE;
        return OK;
}

void shares_close(struct shares *shares)
{
        mem_free(shares->items);
        mem_free(shares->events);
        mem_free(shares->buckets);
        *shares = (struct shares){ .free = NO_SHARE, .touched = NO_SHARE };
}

uint32_t shares_left(const struct shares *shares)
{
        return shares->free_count + (shares->count_max - shares->used);
}

static uint32_t *bucket_of(const struct shares *shares, uint32_t cell, uint32_t group)
{
        uint64_t key = ((uint64_t)cell << 10 ^ group) * 0x9E3779B97F4A7C15;
        return &shares->buckets[(uint32_t)(key >> 32) & shares->bucket_mask];
}

void share_expect(const struct shares *shares, uint32_t cell, uint32_t group)
{
        __builtin_prefetch(bucket_of(shares, cell, group));
}

void share_expect_item(const struct shares *shares, uint32_t cell, uint32_t group)
{
        uint32_t first = *bucket_of(shares, cell, group);
        if (first != NO_SHARE)
                __builtin_prefetch(&shares->items[first]);
}

uint32_t share_find(const struct shares *shares, uint32_t cell, uint32_t group)
{
        uint32_t at = *bucket_of(shares, cell, group);
        while (at != NO_SHARE && (shares->items[at].cell != cell || shares->items[at].group != group))
                at = shares->items[at].next_in_bucket;
        return at;
}

static uint32_t take(struct shares *shares)
{
        uint32_t at = shares->free;
        if (at == NO_SHARE) {
                assert(shares->used < shares->count_max);
                return shares->used++;
        }
        shares->free = shares->items[at].next_in_cell;
        shares->free_count--;
        return at;
}

uint32_t share_add(struct shares *shares, uint32_t cell, uint32_t group, uint32_t *first_of_cell)
{
        uint32_t at = take(shares), *bucket = bucket_of(shares, cell, group);
        shares->items[at] = (struct share){ .cell = cell, .group = (uint16_t)group, .next_in_bucket = *bucket, .next_in_cell = *first_of_cell, .next_touched = NO_SHARE };
        *bucket = *first_of_cell = at;
        return at;
}

void share_touch(struct shares *shares, uint32_t at)
{
        struct share *share = &shares->items[at];
        if (share->is_touched)
                return;
        share->is_touched = true;
        share->next_touched = shares->touched;
        shares->touched = at;
}

static void unlink_from_bucket(struct shares *shares, uint32_t at)
{
        struct share *share = &shares->items[at];
        uint32_t *link = bucket_of(shares, share->cell, share->group);
        while (*link != at)
                link = &shares->items[*link].next_in_bucket;
        *link = share->next_in_bucket;
}

void shares_drop(struct shares *shares, uint32_t first_of_cell)
{
        for (uint32_t at = first_of_cell, next; at != NO_SHARE; at = next) {
                assert(!shares->items[at].is_touched);
                unlink_from_bucket(shares, at);
                next = shares->items[at].next_in_cell;
                shares->items[at].next_in_cell = shares->free;
                shares->free = at;
                shares->free_count++;
        }
}
