/* scan.h - files against a set of rules, one at a time.
 *
 * Prints for each match `match RULE PATH` and then the rule's meta entries as `meta RULE key=value...`; in a path, bytes
 * that could end a line are `?`. A file that a rule with the meta entry `action = "quarantine"` matches is put away, where that is wanted, and
 * `quarantined PATH` or `left PATH: why` is printed. A file that could not be scanned to its end is an error that is counted, never a clean file. */
#pragma once

#include "base/err.h"
#include "base/own.h"

#include <stdint.h>
#include <stdio.h>

struct quarantine;
struct ruleset;
struct scan;

struct scan_counts { uint64_t files, bytes, matches, errors; };

/* Borrows `set`, which must outlive the scan; matches go to `to`. */
MUST_CHECK enum err scan_open(const struct ruleset *set, FILE *to, struct scan **ret_scan, struct why *why);
void scan_close(struct scan *scan);                       /* NULL is fine */
OWN_DEFINE(scan, struct scan *, scan_close)

/* From now on files are put away. Borrowed. */
void scan_quarantine(struct scan *scan, struct quarantine *quarantine);

/* `folder` and `name` as for openat(2); `path` is what is printed. Links are followed only when told. Failures are counted and
 * said on stderr; what is no regular file is one. */
struct scan_file { int folder; const char *name, *path; int follows_links; };
void scan_one(struct scan *scan, const struct scan_file *file);
/* Counted and said like a file that could not be scanned. */
void scan_skip(struct scan *scan, const char *path, const char *why);
const struct scan_counts *scan_counts(const struct scan *scan);
