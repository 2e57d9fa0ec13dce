/* gate.h - may we still believe that it is harmless? Inside rollout/ only.
 *
 * An e-process (evalue.h) per signal for each group; a process multiplies the factors of its cells. What happens in one cell
 * within one slot of time is one tied event. Devices at risk of an explicit signal are those whose lease had not ended before
 * the slot; of darkness, those whose deadline is in it. Evidence is a weighted average of all processes. */
#pragma once

#include "rollout/book.h"

/* A lease on time ended with this signal, or with none (ROLLOUT_SIGNALS). */
void gate_ended(struct rollout *rollout, struct lease *lease, enum rollout_signal signal, int64_t slot);
void gate_silence(struct rollout *rollout, bool was_silent);                 /* a control device's deadline has come */

bool gate_can_close(const struct rollout *rollout, int64_t now_ms);          /* the slot of the events so far is over */
void gate_close(struct rollout *rollout);                                    /* makes evidence of them */
void gate_restart(struct rollout *rollout);                                  /* after an override */

bool gate_is_unknown(const struct rollout *rollout);
bool gate_says_halt(const struct rollout *rollout);
