/* ring.h - things in a row, linked through themselves: added and taken out at once, without memory. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct ring { struct ring *before, *after; };

static inline void ring_init(struct ring *ring) { ring->before = ring->after = ring; }
static inline bool ring_is_empty(const struct ring *ring) { return ring->after == ring; }

/* Taking out what is in no ring is fine, once it was initialised. */
static inline void ring_remove(struct ring *item)
{
        item->before->after = item->after;
        item->after->before = item->before;
        ring_init(item);
}

/* As the last of `ring`. */
static inline void ring_add(struct ring *ring, struct ring *item)
{
        ring_remove(item);
        item->before = ring->before;
        item->after = ring;
        ring->before->after = item;
        ring->before = item;
}

#define RING_OWNER(item, type, member) ((type *)(void *)((char *)(item) - offsetof(type, member)))
