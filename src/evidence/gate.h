/* gate.h - is there evidence enough to start a release? If not: what is missing, in words that say whose and why.
 *
 * The latest record of a check counts, for each origin, stage, check and platform by itself: a pass of one lab, check or
 * platform never hides what another one found. Every stage of the policy takes a PASS from each origin that ran it, and from
 * one at least; a latest record that is FAIL, ERROR or MISS keeps the gate shut whatever its stage. */
#pragma once

#include "evidence/record.h"

enum { GATE_RECORDS_MAX = 1024, GATE_UNMET_MAX = 32, GATE_TEXT_MAX = 320 };   /* 4 labs, 3 stages, 8 platforms, 10 runs each */
enum { GATE_AHEAD_S = 300 };                 /* how far a lab's clock may be ahead; as for devices, formats.md 4 */

struct gate_policy {
        const char *const *stages;
        size_t stage_count;
        int64_t age_max_s;                   /* a PASS that is older is none; 0: any */
};
extern const struct gate_policy gate_policy_default;          /* S1, S2 and S4, of any age */

struct gate_question {
        const struct gate_policy *policy;
        const char *target;                  /* hex; records of other releases are not looked at */
        const struct record *records;        /* opened by record_open(), in any order */
        size_t record_count;
        int64_t now;
};

/* About 10 KB. Open when nothing is unmet. */
struct gate_decision {
        bool is_open, is_critical;           /* critical, or there are too many records to tell: no override opens it */
        size_t unmet_count;                  /* may be more than there are texts */
        char unmet[GATE_UNMET_MAX][GATE_TEXT_MAX];      /* "S4 by lab.acme (linux-amd64): FAIL: rule flag_ls matches /bin/ls" */
};

void gate_decide(const struct gate_question *question, struct gate_decision *ret_decision);

/* Two people who take it upon them to start without. */
struct gate_people { const char *first, *second, *reason; };
/* ERR_REFUSED: boot-critical, or one and the same person; ERR_USAGE: a name or the reason is missing. */
MUST_CHECK enum err gate_override(const struct gate_decision *decision, const struct gate_people *people, struct why *why);
