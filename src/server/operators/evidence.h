/* evidence.h - what labs found on a release, and whether it is enough to start. */
#pragma once

#include "evidence/gate.h"
#include "server/operators/releases.h"

/* All records of a release, oldest first. They were checked when they came; they are checked again each time they are used. */
struct findings {
        struct record *records;
        size_t count;
};
MUST_CHECK enum err findings_read(const struct call *call, const struct release *release, struct findings *ret_findings, struct why *why);
void findings_done(struct findings *findings);
static inline void findings_release(struct findings *findings) { findings_done(findings); }

void findings_decide(const struct call *call, const struct release *release, const struct findings *findings, struct gate_decision *ret_decision);
