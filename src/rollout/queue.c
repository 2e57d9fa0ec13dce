#include "rollout/queue.h"

#include <assert.h>

static void swap(struct candidate *a, struct candidate *b)
{
        struct candidate was = *a;
        *a = *b;
        *b = was;
}

static void sink(const struct queue *queue, const struct queue_block *block, uint32_t at)
{
        struct candidate *heap = &queue->items[block->first];
        for (uint32_t child = 2 * at + 1; child < block->count; at = child, child = 2 * at + 1) {
                if (child + 1 < block->count && queue->comes_before(&heap[child + 1], &heap[child]))
                        child++;
                if (!queue->comes_before(&heap[child], &heap[at]))
                        return;
                swap(&heap[child], &heap[at]);
        }
}

static const struct candidate *first_of(const struct queue *queue, uint32_t at)
{
        return &queue->items[queue->blocks[queue->front[at]].first];
}

static void sink_block(struct queue *queue, uint32_t at)
{
        for (uint32_t child = 2 * at + 1; child < queue->front_count; at = child, child = 2 * at + 1) {
                if (child + 1 < queue->front_count && queue->comes_before(first_of(queue, child + 1), first_of(queue, child)))
                        child++;
                if (!queue->comes_before(first_of(queue, child), first_of(queue, at)))
                        return;
                uint32_t was = queue->front[child];
                queue->front[child] = queue->front[at];
                queue->front[at] = was;
        }
}

static void count_blocks(struct queue *queue, size_t count)
{
        while (queue->touched)
                queue->blocks[queue->front[--queue->touched]] = (struct queue_block){ 0 };
        for (size_t i = 0; i < count; i++)
                if (!queue->blocks[queue->items[i].block].count++)
                        queue->front[queue->touched++] = queue->items[i].block;
        queue->front_count = queue->touched;
}

/* In place, each straight to its block (McIlroy, Bostic, McIlroy 1993: the American flag). */
static void sort_into_blocks(struct queue *queue)
{
        uint32_t first = 0;
        for (uint32_t i = 0; i < queue->front_count; i++) {
                struct queue_block *block = &queue->blocks[queue->front[i]];
                block->first = block->next = first;
                first += block->count;
        }
        for (uint32_t i = 0; i < queue->front_count; i++) {
                uint32_t number = queue->front[i];
                struct queue_block *block = &queue->blocks[number];
                while (block->next < block->first + block->count) {
                        struct candidate *item = &queue->items[block->next];
                        if (item->block == number)
                                block->next++;
                        else
                                swap(item, &queue->items[queue->blocks[item->block].next++]);
                }
        }
}

void queue_arrange(struct queue *queue, size_t count, candidate_order *comes_before)
{
        queue->comes_before = comes_before;
        count_blocks(queue, count);
        sort_into_blocks(queue);
        for (uint32_t i = 0; i < queue->front_count; i++) {
                const struct queue_block *block = &queue->blocks[queue->front[i]];
                for (uint32_t at = block->count / 2; at-- > 0;)
                        sink(queue, block, at);
        }
        for (uint32_t at = queue->front_count / 2; at-- > 0;)
                sink_block(queue, at);
}

struct candidate *queue_first(const struct queue *queue)
{
        const struct queue_block *block = &queue->blocks[queue->front[0]];
        return queue->front_count && block->count ? &queue->items[block->first] : NULL;
}

struct candidate queue_take(struct queue *queue)
{
        struct queue_block *block = &queue->blocks[queue->front[0]];
        struct candidate first = queue->items[block->first];
        assert(block->count);
        queue->items[block->first] = queue->items[block->first + --block->count];
        sink(queue, block, 0);
        return first;
}

void queue_sink(struct queue *queue)
{
        sink(queue, &queue->blocks[queue->front[0]], 0);
}

void queue_settle(struct queue *queue)
{
        uint32_t first = queue->front[0];
        if (queue_is_empty(queue))
                return;
        if (!queue->blocks[first].count) {
                queue->front[0] = queue->front[--queue->front_count];
                queue->front[queue->front_count] = first;
        }
        sink_block(queue, 0);
}
