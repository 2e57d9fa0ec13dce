/* pacer.h - how many more? Inside rollout/ only.
 *
 * For every group: outstanding + attributed <= B. Outstanding is the lesser of two bounds on the harm that exposures under way
 * may still do: all the young ones at the rate d that is not ruled out yet, or each unanswered one for certain. */
#pragma once

#include "rollout/book.h"

void pacer_refresh(struct rollout *rollout);                                 /* attributed, spent and stuck, of the groups that changed */
void pacer_refresh_bounds(struct rollout *rollout);                          /* d of all, before many are asked for room */
double pacer_excess(const struct group *group);                              /* d(s) */
void pacer_close(struct rollout *rollout);                                   /* the groups that let nobody in, for a whole line; their bounds are fresh */
void pacer_count_exposed(struct rollout *rollout);                           /* one more, now: for the cap */
bool pacer_admits(const struct rollout *rollout, const struct rollout_device *device);
bool pacer_is_spent(const struct rollout *rollout);                          /* the budget of any group */
struct rollout_spent pacer_spent(const struct rollout *rollout);             /* the group that stands nearest to it (view.h) */
/* What holds it for the budget: harm of B; nothing but harm, in some group; silence of those who had it proven; or no room, and nothing under way. */
enum pacer_stop { PACER_SPENT, PACER_NOTHING_BUT_HARM, PACER_LOST, PACER_NO_ROOM };
enum pacer_stop pacer_stop(const struct rollout *rollout);
bool pacer_is_stuck(const struct rollout *rollout);                          /* harm, no room, and nothing under way that could make any */
uint32_t pacer_window(const struct rollout *rollout, const struct group *group);
/* The same at this pacer_excess(), which costs more than all the rest. */
uint32_t pacer_window_at(const struct rollout *rollout, const struct group *group, double excess);
bool pacer_is_capped(const struct rollout *rollout, int64_t now_ms);         /* by cap or ceiling: then pacer_left() need not be asked, which costs more */
uint32_t pacer_left(const struct rollout *rollout, int64_t now_ms);         /* new exposures that cap, spread and ceiling still allow */
/* The signed ceiling: what it leaves now, and when it leaves more; NEVER. */
struct ceiling_room { uint32_t left; int64_t next_ms; };
struct ceiling_room pacer_ceiling(const struct rollout *rollout, int64_t now_ms);
void pacer_accept(struct rollout *rollout);                                  /* the harm so far, after an override */
