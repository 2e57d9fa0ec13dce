/* ruleset.h - the rules of one folder, compiled.
 *
 * A folder's rules are FOLDER/rules/<name>.yar, or FOLDER/<name>.yar when it has no `rules`; all in one name space, so that two rules
 * of one name are an error. Includes are refused: content never reads another file of the host. A set without a
 * single rule is an error, since a protection that finds nothing looks just like one that works.
 *
 * Does not scan: see scan.h. */
#pragma once

#include "base/err.h"
#include "base/own.h"

struct YR_RULES;

enum { RULESET_VERSION_MAX = 64 };

struct ruleset {
        struct YR_RULES *compiled;
        unsigned rules, warnings;
        char version[RULESET_VERSION_MAX + 1];   /* first line of FOLDER/VERSION, made one word; "" when there is none */
};

/* ERR_SYNTAX names file and line of what does not compile; ERR_NOT_FOUND: no folder, or no rules in it; ERR_LIMIT. */
MUST_CHECK enum err ruleset_open(const char *folder, struct ruleset **ret_set, struct why *why);
void ruleset_close(struct ruleset *set);                  /* NULL is fine */
OWN_DEFINE(ruleset, struct ruleset *, ruleset_close)
