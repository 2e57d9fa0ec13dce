#include "rollout/due.h"

#include "support/sim_random.h"
#include "support/test.h"

enum { LEASES = 300, SEEDS = 50 };

struct book { struct lease leases[LEASES]; uint32_t places[LEASES]; struct rollout rollout; };

static void add(struct book *book, int64_t due_ms)
{
        book->leases[book->rollout.lease_count].due_ms = due_ms;
        due_add(&book->rollout, book->rollout.lease_count++);
}

static int64_t earliest(const struct book *book)
{
        int64_t due_ms = NEVER;
        for (uint32_t i = 0; i < book->rollout.lease_count; i++)
                if (!book->leases[i].is_due && book->leases[i].due_ms < due_ms)
                        due_ms = book->leases[i].due_ms;
        return due_ms;
}

/* All up to the time, each once, by their handles. */
static void take(struct book *book, int64_t until_ms)
{
        uint32_t count = 0, expected = 0;
        const uint32_t *handles = due_take(&book->rollout, until_ms, &count);
        for (uint32_t i = 0; i < book->rollout.lease_count; i++) {
                struct lease *lease = &book->leases[i];
                if (lease->is_due || lease->due_ms > until_ms)
                        continue;
                CHECK(expected < count && handles[expected] == i);
                expected++;
                lease->is_due = true;
        }
        CHECK(count == expected);
}

TEST(due, comes_out_by_time_and_in_the_order_of_handles)
{
        for (uint64_t seed = 0; seed < SEEDS; seed++) {
                struct book book = { .rollout = { .lease_count = 0 } };
                struct sim_random random;
                sim_random_init(&random, seed);
                book.rollout.leases = book.leases;
                book.rollout.due = book.places;
                for (int64_t now = 0; book.rollout.lease_count < LEASES || earliest(&book) != NEVER; now += 10) {
                        for (uint64_t more = sim_random_below(&random, 8); more && book.rollout.lease_count < LEASES; more--)
                                add(&book, now + (int64_t)sim_random_below(&random, 200));
                        for (uint32_t i = 0; i < book.rollout.lease_count; i++)
                                if (!book.leases[i].is_due && sim_random_below(&random, 10) == 0) {
                                        book.leases[i].due_ms += (int64_t)sim_random_below(&random, 50);
                                        due_moved(&book.rollout, i);
                                }
                        CHECK(due_next_ms(&book.rollout) == earliest(&book));
                        take(&book, now);
                        CHECK(due_next_ms(&book.rollout) == earliest(&book));
                }
        }
}
