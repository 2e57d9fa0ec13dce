/* finding.h - what a check found, gathered into one status and one sentence. */
#pragma once

#include "evidence/record.h"

struct found {
        enum record_status status;
        bool is_critical;
        int64_t cases, failed;           /* `failed` counts what makes it a FAIL */
        struct record_saw saw;
        char corpus[65];                 /* digest; zeros when there is none */
        char why[RECORD_WHY_MAX + 1];    /* the first faults, then how many more */
        unsigned left_out;
};

void found_init(struct found *found);                      /* PASS, until something speaks against it */
/* The content is at fault. */
void found_fault(struct found *found, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The check broke, and proves nothing: it is no pass, but the content may be fine. */
void found_broken(struct found *found, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Once, at the end: says how many faults the sentence leaves out. */
void found_end(struct found *found);
