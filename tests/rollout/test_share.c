#include "rollout/share.h"

#include "support/sim_random.h"
#include "support/sweep.h"
#include "support/test.h"

enum { COUNT_MAX = 64, CELLS = 12, GROUPS = 9, STEPS = 5000 };

struct table { struct shares shares; uint32_t first[CELLS]; bool has[CELLS][GROUPS]; };

static void table_init(struct table *table)
{
        *table = (struct table){ .shares = { .count_max = 0 } };
        CHECK(shares_open(&table->shares, COUNT_MAX, NULL) == OK);
        for (unsigned cell = 0; cell < CELLS; cell++)
                table->first[cell] = NO_SHARE;
}

static void check(const struct table *table)
{
        uint32_t used = 0;
        for (uint32_t cell = 0; cell < CELLS; cell++)
                for (uint32_t group = 0; group < GROUPS; group++) {
                        uint32_t at = share_find(&table->shares, cell, group);
                        CHECK((at != NO_SHARE) == table->has[cell][group]);
                        CHECK(at == NO_SHARE || (table->shares.items[at].cell == cell && table->shares.items[at].group == group));
                        used += at != NO_SHARE;
                }
        CHECK(shares_left(&table->shares) == COUNT_MAX - used);
}

static void drop(struct table *table, uint32_t cell)
{
        shares_drop(&table->shares, table->first[cell]);
        table->first[cell] = NO_SHARE;
        for (uint32_t group = 0; group < GROUPS; group++)
                table->has[cell][group] = false;
}

TEST(shares, are_found_until_their_cell_is_dropped_and_are_used_again)
{
        struct table table;
        struct sim_random random;
        sim_random_init(&random, 1);
        table_init(&table);
        for (unsigned step = 0; step < STEPS; step++) {
                uint32_t cell = (uint32_t)sim_random_below(&random, CELLS), group = (uint32_t)sim_random_below(&random, GROUPS);
                if (sim_random_below(&random, 8) == 0)
                        drop(&table, cell);
                else if (!table.has[cell][group] && shares_left(&table.shares)) {
                        (void)share_add(&table.shares, cell, group, &table.first[cell]);
                        table.has[cell][group] = true;
                }
                check(&table);
        }
        CHECK(table.shares.used == COUNT_MAX);
        shares_close(&table.shares);
}

TEST(share, is_touched_once)
{
        struct table table;
        table_init(&table);
        uint32_t a = share_add(&table.shares, 1, 1, &table.first[1]), b = share_add(&table.shares, 1, 2, &table.first[1]);
        share_touch(&table.shares, a);
        share_touch(&table.shares, b);
        share_touch(&table.shares, a);
        CHECK(table.shares.touched == b && table.shares.items[b].next_touched == a && table.shares.items[a].next_touched == NO_SHARE);
        shares_close(&table.shares);
}

TEST(shares, give_back_all_they_took_when_memory_runs_out)
{
        SWEEP_MEMORY {
                struct shares shares = { .count_max = 0 };
                enum err e = shares_open(&shares, COUNT_MAX, NULL);
                CHECK(e == OK || e == ERR_NOMEM);
                shares_close(&shares);
        }
}
