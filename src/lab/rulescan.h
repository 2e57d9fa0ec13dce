/* rulescan.h - what a text of YARA rules says it holds, told without the engine: rules by name, and what no release may have.
 *
 * Tolerant: never fails, takes any bytes, and guesses at what does not parse; the engine is the judge of syntax. Its count of
 * rules is what the engine's is held against, so that a rule which an engine drops in silence is noticed. Allocates nothing. */
#pragma once

#include <stddef.h>

enum rulescan_kind {
        RULESCAN_RULE,           /* `name` is the rule's */
        RULESCAN_INCLUDE,        /* reads another file; `name` is the quoted path */
        RULESCAN_MATCH_ALL,      /* the rule `name` matches everything */
        RULESCAN_LOOP,           /* a loop of more than RULESCAN_LOOP_MAX rounds, in the rule `name` */
};

enum { RULESCAN_LOOP_MAX = 1000000 };    /* facts: 4*10^9 rounds hang for good; a million take milliseconds */

struct rulescan_event {
        enum rulescan_kind kind;
        unsigned line;
        const char *name;        /* borrowed from the text, not NUL-ended */
        size_t name_length;
};
typedef void rulescan_visit(void *user, const struct rulescan_event *event);

void rulescan(const char *text, size_t length, rulescan_visit *visit, void *user);
