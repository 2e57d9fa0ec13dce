#include "replay/lease_table.h"

#include "base/own.h"
#include "support/sweep.h"
#include "support/test.h"

/* A lease lasts 10 s. */
static const struct director_fleet fleet = { .devices = 4000, .blocks = 1, .start_ms = 500 };
static const struct rollout_policy policy = { .bake_s = 8, .gap_s = 2 };

static void table_release(struct lease_table *table) { lease_table_close(table); }

static void table_init(struct lease_table *table)
{
        CHECK(lease_table_open(table, &fleet, &policy, NULL) == OK);
}

static uint32_t reserve(struct lease_table *table, uint32_t device, bool is_control, int64_t now_ms)
{
        const struct lease_row row = { .device = device, .is_control = is_control };
        uint32_t handle;
        CHECK(lease_table_is_free(table, device, now_ms));
        CHECK(lease_table_reserve(table, &row, now_ms, &handle, NULL) == OK);
        return handle;
}

static void grant(struct lease_table *table, uint32_t handle, int64_t now_ms)
{
        int64_t deadline_ms;
        CHECK(lease_table_grant(table, handle, now_ms, &deadline_ms, NULL) == OK);
        CHECK(deadline_ms == now_ms + 10000);
}

static void label(struct lease_table *table, uint32_t handle, enum row_status status)
{
        struct lease_row *row;
        CHECK(lease_table_find(table, handle, &row, NULL) == OK);
        row->status = (uint8_t)status;
}

TEST(lease_table, gives_a_device_one_exposure)
{
        OWN(table) struct lease_table table;
        table_init(&table);
        uint32_t handle = reserve(&table, 7, false, 500);
        CHECK(handle == 0 && !lease_table_is_free(&table, 7, 500) && lease_table_is_free(&table, 8, 500));
        grant(&table, handle, 600);
        CHECK(!lease_table_is_free(&table, 7, 1000000));
        label(&table, handle, ROW_PROVEN);
        CHECK(!lease_table_is_free(&table, 7, 1000000));
}

TEST(lease_table, lets_control_be_exposed_once_it_answered)
{
        OWN(table) struct lease_table table;
        table_init(&table);
        uint32_t handle = reserve(&table, 7, true, 500);
        grant(&table, handle, 500);
        CHECK(!lease_table_is_free(&table, 7, 600));
        label(&table, handle, ROW_PROVEN);
        CHECK(reserve(&table, 7, false, 600) == 1);
}

TEST(lease_table, tries_a_device_that_declines_three_times)
{
        OWN(table) struct lease_table table;
        table_init(&table);
        for (uint32_t i = 0; i < 3; i++) {
                uint32_t handle = reserve(&table, 7, false, 500);
                grant(&table, handle, 500);
                label(&table, handle, ROW_DECLINED);
        }
        CHECK(!lease_table_is_free(&table, 7, 500));
}

TEST(lease_table, forgets_a_reservation_that_nobody_came_for)
{
        OWN(table) struct lease_table table;
        int64_t deadline_ms;
        table_init(&table);
        uint32_t handle = reserve(&table, 7, false, 500);
        CHECK(!lease_table_is_free(&table, 7, 10499));
        CHECK(lease_table_is_free(&table, 7, 10500));
        CHECK(lease_table_grant(&table, handle, 10500, &deadline_ms, NULL) == ERR_EXPIRED);
        CHECK(reserve(&table, 7, false, 10500) == 1);
        CHECK(lease_table_grant(&table, handle, 10500, &deadline_ms, NULL) == ERR_EXPIRED);
}

TEST(lease_table, refuses_leases_that_are_none)
{
        OWN(table) struct lease_table table;
        struct lease_row *row;
        int64_t deadline_ms;
        table_init(&table);
        CHECK(lease_table_grant(&table, 0, 500, &deadline_ms, NULL) == ERR_NOT_FOUND);
        CHECK(lease_table_find(&table, 0, &row, NULL) == ERR_NOT_FOUND);
        uint32_t handle = reserve(&table, 7, false, 500);
        CHECK(lease_table_find(&table, handle, &row, NULL) == ERR_NOT_FOUND);
        grant(&table, handle, 500);
        CHECK(lease_table_grant(&table, handle, 500, &deadline_ms, NULL) == ERR_REFUSED);
}

TEST(lease_table, names_each_silent_lease_once_and_no_other)
{
        OWN(table) struct lease_table table;
        table_init(&table);
        for (uint32_t i = 0; i < 4; i++)
                CHECK(reserve(&table, i, false, 500) == i);
        grant(&table, 0, 500);
        grant(&table, 1, 500);
        grant(&table, 3, 1500);
        label(&table, 1, ROW_PROVEN);
        CHECK(lease_table_next_due(&table, 10499) == NO_ROW);
        CHECK(lease_table_next_due(&table, 10500) == 0);
        CHECK(lease_table_next_due(&table, 10500) == NO_ROW);
        CHECK(table.rows[2].status == ROW_LAPSED);
        CHECK(lease_table_next_due(&table, 11500) == 3);
        CHECK(lease_table_next_due(&table, 99999) == NO_ROW);
}

TEST(lease_table, grows_past_its_first_room)
{
        OWN(table) struct lease_table table;
        table_init(&table);
        for (uint32_t i = 0; i < fleet.devices; i++)
                CHECK(reserve(&table, i, false, 500) == i);
        for (uint32_t i = 0; i < fleet.devices; i++)
                CHECK(table.rows[i].device == i && table.newest[i] == i);
}

TEST(lease_table, survives_without_memory)
{
        SWEEP_MEMORY {
                struct lease_table table;
                enum err e = lease_table_open(&table, &fleet, &policy, NULL);
                for (uint32_t i = 0; i < fleet.devices && !e; i++) {
                        const struct lease_row row = { .device = i };
                        uint32_t handle;
                        e = lease_table_reserve(&table, &row, 500, &handle, NULL);
                        CHECK(!e || lease_table_is_free(&table, i, 500));
                }
                CHECK(!e || e == ERR_NOMEM);
                lease_table_close(&table);
        }
}

TEST(bucket_ppm, spreads_buckets_evenly)
{
        CHECK(bucket_ppm(0) == 0 && bucket_ppm(UINT64_MAX) == 999999);
        CHECK(bucket_ppm(UINT64_MAX / 2) == 499999 && bucket_ppm(UINT64_MAX / 2 + 1) == 500000);
}
