/* lease_table.h - who has which lease and what came of it, for policies that need to know no more.
 *
 * 12 bytes a lease and 4 a device. Memory grows by half when it is full, never shrinks. A device has at most one lease that is
 * reserved or open; an exposure that it declined or did not come for may be tried again, three times in all, as in
 * rollout/rollout.h. Counts nothing: see staged.h. */
#pragma once

#include "replay/director.h"

#include <stdbool.h>

enum row_status { ROW_RESERVED, ROW_OPEN, ROW_PROVEN, ROW_HARMED, ROW_PREFLIGHT_FAILED, ROW_DECLINED, ROW_LAPSED, ROW_DARK };

struct lease_row {
        uint32_t device, due_s;                  /* since the start, rounded up */
        uint8_t status, stage, tries;
        bool is_control;
};
_Static_assert(sizeof(struct lease_row) == 12, "there may be 17 million of them");

struct lease_table {
        struct lease_row *rows;                  /* by handle */
        uint32_t *newest;                        /* by device: its newest handle, or NO_ROW */
        uint32_t count, room, devices, next_due;
        int64_t start_ms, lease_ms;
};

enum { NO_ROW = UINT32_MAX };

MUST_CHECK enum err lease_table_open(struct lease_table *table, const struct director_fleet *fleet, const struct rollout_policy *policy, struct why *why);
void lease_table_close(struct lease_table *table);

bool lease_table_is_free(const struct lease_table *table, uint32_t device, int64_t now_ms);      /* may have a lease now */

/* Of a device that is free. `row` says of which device and stage, and whether it is control. */
MUST_CHECK enum err lease_table_reserve(struct lease_table *table, const struct lease_row *row, int64_t now_ms, uint32_t *ret_handle, struct why *why);

/* From reserved to open. ERR_NOT_FOUND, ERR_EXPIRED and ERR_REFUSED as in rollout_granted(). */
MUST_CHECK enum err lease_table_grant(struct lease_table *table, uint32_t handle, int64_t now_ms, int64_t *ret_deadline_ms, struct why *why);

/* A lease that was granted. ERR_NOT_FOUND: no such, or it never was. */
MUST_CHECK enum err lease_table_find(struct lease_table *table, uint32_t handle, struct lease_row **ret_row, struct why *why);

/* The next open lease whose deadline is over, each once; NO_ROW: none is left. One that was granted long after its turn may keep
 * younger ones waiting, but no longer than to its own deadline. */
uint32_t lease_table_next_due(struct lease_table *table, int64_t now_ms);

/* Where in 0 .. 999999 the bucket puts a device. */
uint32_t bucket_ppm(uint64_t bucket);
