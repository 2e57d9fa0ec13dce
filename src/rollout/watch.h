/* watch.h - after the deadline: a proven device is watched, until the rollout's own watch is over. Inside rollout/ only.
 *
 * What breaks at the next reboot or days later is compared as what breaks in the bake is: treated with control of the same cohort, at the same time. A cohort are those
 * of a block that were picked within one lease's time: they stood in line together, and have habits in common. At risk of harm that is told are all whose newest lease is proven and past its deadline, in both
 * arms: the risk sets of a log-rank test in calendar time. Of silence, which takes listening, a random sample, in rounds of a lease's time, the same for all, so that
 * devices are due together. Whoever is not heard of in a whole round is lost, until heard of. The sample's excess stands for all who are watched.
 *
 * Control are held-out devices that were drawn as the others were (decision 012): of those who may have it, whoever is left in the end is like nobody.
 * Whoever has moved on to another release, as the caller says, is censored. */
#pragma once

#include "rollout/book.h"

/* So many of each arm are listened to at most, and of treated ones so many for each that is held out. Who it is depends on the salted bucket alone: the first to come would be those who were
 * exposed first, which are not like the others. */
enum { LISTENED_MAX = ROLLOUT_LISTENED_MAX / 2, LISTENED_PER_CONTROL = 4 };
void watch_open(struct rollout *rollout);
bool watch_samples(const struct rollout *rollout, uint64_t bucket, bool is_control);
uint32_t watch_listened_max(const struct rollout *rollout);                  /* room for both arms */

void watch_begin(struct rollout *rollout, uint32_t handle, int64_t slot);    /* if it is proven, past its deadline and its device's newest */
void watch_end(struct rollout *rollout, uint32_t handle);                    /* it was harmed */
bool watch_has(const struct rollout *rollout, uint32_t device);              /* it is watched */
void watch_leave(struct rollout *rollout, uint32_t device);                  /* censored */
void watch_hears(struct rollout *rollout, uint32_t handle);

int64_t watch_round_ms(const struct rollout *rollout);                       /* when the round is over; NEVER */
void watch_round(struct rollout *rollout, int64_t slot);                     /* it is over: its slot begins */
void watch_resume(struct rollout *rollout);                                  /* nobody listened for a while */
