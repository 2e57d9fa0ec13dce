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

/* 44 bytes: what every lease comes by. */
struct share {
        uint32_t cell, next_in_bucket, next_in_cell, next_touched;
        uint32_t at_risk[ARMS];                  /* when the slot began, or begun since */
        uint32_t left[ARMS];                     /* of these, ended in this slot */
        uint32_t due[ARMS];                      /* whose deadline is in this slot */
        uint16_t group;
        bool is_touched, has_events;
};
_Static_assert(sizeof(struct share) == 44, "a share is small, for there are millions");

/* What happened in a share in this slot; all zero without `has_events`. */
struct share_events { uint32_t counts[ROLLOUT_SIGNALS][ARMS]; };

struct shares {
        struct share *items;
        struct share_events *events;             /* of each item */
        uint32_t *buckets;                       /* first of each chain */
        uint32_t count_max, used, bucket_mask;   /* used: items that were ever taken */
        uint32_t free, free_count;               /* given back, chained by next_in_cell */
        uint32_t touched;                        /* in this slot, newest first */
};

MUST_CHECK enum err shares_open(struct shares *shares, uint32_t count_max, struct why *why);
void shares_close(struct shares *shares);

uint32_t shares_left(const struct shares *shares);
uint32_t share_find(const struct shares *shares, uint32_t cell, uint32_t group);
/* Say early what will be looked for: memory is what a look-up waits for. First the chains, then what they begin with. */
void share_expect(const struct shares *shares, uint32_t cell, uint32_t group);
void share_expect_item(const struct shares *shares, uint32_t cell, uint32_t group);
/* The caller has seen that one is left. `first_of_cell` heads the list of the cell's shares. */
uint32_t share_add(struct shares *shares, uint32_t cell, uint32_t group, uint32_t *first_of_cell);
void share_touch(struct shares *shares, uint32_t at);
/* Give back the shares of a cell. None of them is touched. */
void shares_drop(struct shares *shares, uint32_t first_of_cell);
