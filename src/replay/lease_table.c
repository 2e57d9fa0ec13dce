#include "replay/lease_table.h"

#include "base/mem.h"

#include <assert.h>

enum { TRIES_MAX = 3, ROOM_AT_FIRST = 1024 };

enum err lease_table_open(struct lease_table *table, const struct director_fleet *fleet, const struct rollout_policy *policy, struct why *why)
{
        *table = (struct lease_table){ .devices = fleet->devices, .start_ms = fleet->start_ms, .lease_ms = (policy->bake_s + policy->gap_s) * 1000 };
        table->newest = mem_new(fleet->devices, sizeof(*table->newest));
        if (!table->newest)
                return FAIL(why, ERR_NOMEM, "out of memory for the leases of %u devices", fleet->devices);
        for (uint32_t device = 0; device < fleet->devices; device++)
                table->newest[device] = NO_ROW;
        return OK;
}

void lease_table_close(struct lease_table *table)
{
        mem_free(table->rows);
        mem_free(table->newest);
        *table = (struct lease_table){ .rows = NULL };
}

static bool is_over(const struct lease_table *table, const struct lease_row *row, int64_t now_ms)
{
        return now_ms >= table->start_ms + (int64_t)row->due_s * 1000;
}

static uint32_t due_s(const struct lease_table *table, int64_t due_ms)
{
        return (uint32_t)((due_ms - table->start_ms + 999) / 1000);
}

bool lease_table_is_free(const struct lease_table *table, uint32_t device, int64_t now_ms)
{
        assert(device < table->devices);
        if (table->newest[device] == NO_ROW)
                return true;
        const struct lease_row *row = &table->rows[table->newest[device]];
        bool came_to_nothing = row->status == ROW_DECLINED || row->status == ROW_LAPSED || (row->status == ROW_RESERVED && is_over(table, row, now_ms));
        bool was_control = row->is_control && row->status > ROW_OPEN;
        return (came_to_nothing || was_control) && row->tries < TRIES_MAX;
}

static enum err grow(struct lease_table *table, struct why *why)
{
        uint32_t room = table->room ? table->room + table->room / 2 : ROOM_AT_FIRST;
        struct lease_row *rows = mem_resize(table->rows, room * sizeof(*rows));
        if (!rows)
                return FAIL(why, ERR_NOMEM, "out of memory for %u leases", room);
        table->rows = rows;
        table->room = room;
        return OK;
}

enum err lease_table_reserve(struct lease_table *table, const struct lease_row *row, int64_t now_ms, uint32_t *ret_handle, struct why *why)
{
        assert(lease_table_is_free(table, row->device, now_ms));
        enum err e = table->count == table->room ? grow(table, why) : OK;
        if (e)
                return e;
        uint32_t before = table->newest[row->device], handle = table->count++;
        uint8_t tries = before == NO_ROW ? 0 : table->rows[before].tries;
        if (before != NO_ROW && table->rows[before].status == ROW_RESERVED)
                table->rows[before].status = ROW_LAPSED;
        table->rows[handle] = *row;
        table->rows[handle].status = ROW_RESERVED;
        table->rows[handle].tries = (uint8_t)(tries + !row->is_control);
        table->rows[handle].due_s = due_s(table, now_ms + table->lease_ms);
        table->newest[row->device] = handle;
        *ret_handle = handle;
        return OK;
}

enum err lease_table_grant(struct lease_table *table, uint32_t handle, int64_t now_ms, int64_t *ret_deadline_ms, struct why *why)
{
        if (handle >= table->count)
                return FAIL(why, ERR_NOT_FOUND, "there is no lease %u", handle);
        struct lease_row *row = &table->rows[handle];
        if (row->status == ROW_LAPSED || (row->status == ROW_RESERVED && is_over(table, row, now_ms)))
                return FAIL(why, ERR_EXPIRED, "nobody came for lease %u in time; ask again", handle);
        if (row->status != ROW_RESERVED)
                return FAIL(why, ERR_REFUSED, "lease %u was granted before", handle);
        row->status = ROW_OPEN;
        row->due_s = due_s(table, now_ms + table->lease_ms);
        *ret_deadline_ms = now_ms + table->lease_ms;
        return OK;
}

enum err lease_table_find(struct lease_table *table, uint32_t handle, struct lease_row **ret_row, struct why *why)
{
        if (handle >= table->count || table->rows[handle].status == ROW_RESERVED || table->rows[handle].status == ROW_LAPSED)
                return FAIL(why, ERR_NOT_FOUND, "lease %u was never granted", handle);
        *ret_row = &table->rows[handle];
        return OK;
}

uint32_t lease_table_next_due(struct lease_table *table, int64_t now_ms)
{
        while (table->next_due < table->count && is_over(table, &table->rows[table->next_due], now_ms)) {
                uint32_t handle = table->next_due++;
                if (table->rows[handle].status == ROW_OPEN)
                        return handle;
                if (table->rows[handle].status == ROW_RESERVED)
                        table->rows[handle].status = ROW_LAPSED;
        }
        return NO_ROW;
}

uint32_t bucket_ppm(uint64_t bucket)
{
        return (uint32_t)((bucket >> 32) * 1000000 >> 32);
}
