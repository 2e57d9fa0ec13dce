/* queue.h - a line of candidates, each block's in the order in which they are asked, and the blocks by who is first in each. Inside rollout/ only.
 *
 * Heaps: only as many are ordered as are taken. It borrows all its memory, and knows nothing of devices. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 48 bytes. at: in the line. */
struct candidate { uint32_t at, block, class; double suspicion, excess, gain; uint64_t key; };
typedef bool candidate_order(const struct candidate *a, const struct candidate *b);

struct queue_block { uint32_t first, count, next; };      /* a heap in items; next: while they are sorted into blocks */
struct queue {
        struct candidate *items;
        struct queue_block *blocks;              /* of each block; all zero but while a line is in order */
        uint32_t *front, front_count, touched;   /* a heap of blocks that have candidates; behind it those that have none any more, of `touched` in all */
        candidate_order *comes_before;
};

/* Puts items[0 .. count) in order. Whatever was in the queue is forgotten. */
void queue_arrange(struct queue *queue, size_t count, candidate_order *comes_before);
static inline bool queue_is_empty(const struct queue *queue) { return !queue->front_count; }

/* The block of the first of all: its first, NULL if it has none left; its first, taken out; and, once its first comes later than it did, down. Which block it is changes with queue_settle()
 * alone: to be called after each of these two before the first of all is asked for. */
struct candidate *queue_first(const struct queue *queue);
struct candidate queue_take(struct queue *queue);
void queue_sink(struct queue *queue);
void queue_settle(struct queue *queue);
