/* due.h - whose deadline comes next. Inside rollout/ only.
 *
 * A heap of the leases that are not due, the earliest first: leases know their place in it, so that a grant can move one.
 * A reservation goes in, a lease that is due comes out, and none goes in twice. */
#pragma once

#include "rollout/book.h"

void due_add(struct rollout *rollout, uint32_t handle);
void due_moved(struct rollout *rollout, uint32_t handle);                    /* its deadline is later than it was */
int64_t due_next_ms(const struct rollout *rollout);                          /* NEVER: there is none */

/* Takes out all up to this time, and lists them in the order of their handles, which is the order that decisions are made in.
 * The list is borrowed until due_add(). */
const uint32_t *due_take(struct rollout *rollout, int64_t until_ms, uint32_t *ret_count);
