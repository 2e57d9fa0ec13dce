/* share.h - who may be compared: how many of each group are at risk in each cell. Inside rollout/ only.
 *
 * A share is one group's part of one cell, from the first lease of it that begins until the cell's last deadline. What comes,
 * goes and happens within a slot of time is counted beside what was at risk when it began, and folded in when the slot is
 * over: one pass over the shares that anything happened in. A lease costs a look-up for each of its groups, whatever the
 * size of its cell. There is a fixed number of shares; a lease that finds none left is compared with nobody. */
#pragma once

#include "rollout/rollout.h"

enum { NO_SHARE = UINT32_MAX };
enum arm_name { ARM_TREATED, ARM_CONTROL, ARMS };

struct share {
        uint32_t cell, group;
        uint32_t next_in_bucket, next_in_cell, next_touched;
        uint32_t at_risk[ARMS];                  /* when the slot began, or begun since */
        uint32_t left[ARMS];                     /* of these, ended in this slot */
        uint32_t due[ARMS];                      /* whose deadline is in this slot */
        uint32_t events[ROLLOUT_SIGNALS][ARMS];  /* in this slot */
        bool is_touched;
};

struct shares {
        struct share *items;
        uint32_t *buckets;                       /* first of each chain */
        uint32_t count_max, used, bucket_mask;   /* used: items that were ever taken */
        uint32_t free, free_count;               /* given back, chained by next_in_cell */
        uint32_t touched;                        /* in this slot, newest first */
};

MUST_CHECK enum err shares_open(struct shares *shares, uint32_t count_max, struct why *why);
void shares_close(struct shares *shares);

uint32_t shares_left(const struct shares *shares);
uint32_t share_find(const struct shares *shares, uint32_t cell, uint32_t group);
/* The caller has seen that one is left. `first_of_cell` heads the list of the cell's shares. */
uint32_t share_add(struct shares *shares, uint32_t cell, uint32_t group, uint32_t *first_of_cell);
void share_touch(struct shares *shares, uint32_t at);
/* Give back the shares of a cell. None of them is touched. */
void shares_drop(struct shares *shares, uint32_t first_of_cell);
