/* gate.h - may we still believe that it is harmless? Inside rollout/ only.
 *
 * An e-process (evalue.h) per signal for each group; a process multiplies the factors of its cells. What happens in one cell
 * within one slot of time is one tied event. Devices at risk of an explicit signal are those whose lease began and that were
 * neither harmed nor due before the slot, proven or not; of darkness, those whose deadline is in it, and never those who are watched. Evidence is a weighted average of all processes. */
#pragma once

#include "rollout/book.h"

void gate_begins(struct rollout *rollout, struct lease *lease);              /* granted: at risk from now on */
/* It was harmed so in this slot; of one lease the first harm counts, and what comes after its deadline does if it is watched. */
void gate_harmed(struct rollout *rollout, struct lease *lease, enum rollout_signal signal, int64_t slot);
void gate_declined(struct rollout *rollout, struct lease *lease);            /* as if it had never been at risk */
void gate_due(struct rollout *rollout, struct lease *lease, int64_t slot);   /* its deadline is here, answered or DARK */
void gate_silence(struct rollout *rollout, bool was_silent);                 /* a control device's deadline has come */

bool gate_can_close(const struct rollout *rollout, int64_t now_ms);          /* the slot of the events so far is over */
void gate_close(struct rollout *rollout);                                    /* makes evidence of them */
/* What control explains of the slot that is not over. False: not much has come to pass since the last look. */
bool gate_look_ahead(struct rollout *rollout);
void gate_restart(struct rollout *rollout);                                  /* after an override */
/* A lease needs this cell no more. */
void gate_leaves_cell(struct rollout *rollout, uint32_t cell);

/* Of leases past their deadline (watch.h). */
void gate_watches(struct rollout *rollout, struct lease *lease);             /* proven: at risk among those of its block, if there is room for its shares */
void gate_watched_no_more(struct rollout *rollout, struct lease *lease, int64_t slot);      /* harmed, or censored */

bool gate_is_unknown(const struct rollout *rollout);
bool gate_says_halt(const struct rollout *rollout);
