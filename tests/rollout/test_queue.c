#include "rollout/queue.h"

#include "base/mem.h"
#include "support/sim_random.h"
#include "support/test.h"

enum { MANY = 500, BLOCKS = 40 };
struct room { struct candidate items[MANY]; struct queue_block blocks[BLOCKS]; uint32_t front[BLOCKS]; struct queue queue; };

static bool is_less(const struct candidate *a, const struct candidate *b) { return a->key < b->key; }

static void fill(struct room *room, uint32_t count, uint32_t blocks, struct sim_random *random)
{
        for (uint32_t i = 0; i < count; i++)
                room->items[i] = (struct candidate){ .at = i, .block = (uint32_t)sim_random_below(random, blocks), .key = sim_random_below(random, 100) };
        room->queue.items = room->items;
        room->queue.blocks = room->blocks;
        room->queue.front = room->front;
        queue_arrange(&room->queue, count, is_less);
}

TEST(queue, gives_the_first_of_all_again_and_again)
{
        static struct room room;
        struct sim_random random;
        sim_random_init(&random, 1);
        for (uint32_t round = 0; round < 50; round++) {      /* also after one that was left half-taken */
                uint32_t count = (uint32_t)sim_random_below(&random, MANY), taken = 0;
                uint64_t last = 0;
                fill(&room, count, 1 + round % BLOCKS, &random);
                for (; !queue_is_empty(&room.queue) && (round % 3 || taken < count / 2); taken++) {
                        struct candidate first = queue_take(&room.queue);
                        CHECK(first.key >= last);
                        last = first.key;
                        queue_settle(&room.queue);
                }
                CHECK(taken == (round % 3 ? count : count / 2));
        }
}

TEST(queue, gives_the_rest_of_a_block_in_order_before_it_settles)
{
        static struct room room;
        struct sim_random random;
        sim_random_init(&random, 2);
        fill(&room, MANY, BLOCKS, &random);
        bool is_done[BLOCKS] = { false };
        uint32_t taken = 0;
        while (!queue_is_empty(&room.queue)) {
                uint32_t block = queue_first(&room.queue)->block;
                uint64_t last = 0;
                CHECK(!is_done[block]);
                for (; queue_first(&room.queue); taken++) {
                        struct candidate next = queue_take(&room.queue);
                        CHECK(next.block == block && next.key >= last);
                        last = next.key;
                }
                is_done[block] = true;
                queue_settle(&room.queue);
        }
        CHECK(taken == MANY);
}

TEST(queue, lets_one_that_got_worse_fall_behind_in_its_block_and_its_block_behind_others)
{
        static struct room room;
        const uint64_t keys[] = { 1, 2, 3, 4 };
        for (uint32_t i = 0; i < 4; i++)
                room.items[i] = (struct candidate){ .at = i, .block = i / 2, .key = keys[i] };
        room.queue = (struct queue){ .items = room.items, .blocks = room.blocks, .front = room.front };
        queue_arrange(&room.queue, 4, is_less);
        queue_first(&room.queue)->key = 9;
        queue_sink(&room.queue);
        CHECK(queue_first(&room.queue)->at == 1);
        queue_first(&room.queue)->key = 8;
        queue_sink(&room.queue);
        queue_settle(&room.queue);
        const uint32_t order[] = { 2, 3, 1, 0 };
        for (uint32_t i = 0; i < 4; i++, queue_settle(&room.queue))
                CHECK(queue_take(&room.queue).at == order[i]);
        CHECK(queue_is_empty(&room.queue));
}
