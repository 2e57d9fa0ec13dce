/* quarantine.h - files that a rule says are to be put away, moved to a folder; each asked about first.
 *
 * A file is renamed and nothing else: never copied, never over another, never to another file system. Only the file that was scanned is moved, as
 * far as a name can be held to one. Without a plain `allow` nothing happens. */
#pragma once

#include "base/err.h"
#include "base/own.h"

#include <stdbool.h>
#include <sys/stat.h>

struct quarantine;

/* `folder` must be there; `socket` is the agent's, see firebreak-ask(3). NULL: nobody is asked. Both are borrowed. */
MUST_CHECK enum err quarantine_open(const char *folder, const char *socket, struct quarantine **ret_quarantine, struct why *why);
void quarantine_close(struct quarantine *quarantine);                    /* NULL is fine */
OWN_DEFINE(quarantine, struct quarantine *, quarantine_close)

/* Is this open folder the quarantine itself? */
bool quarantine_is(const struct quarantine *quarantine, int folder);

/* `folder` and `name` as for openat(2); `path` is what is asked about, absolute; `scanned` is the file that the rule matched. */
struct quarantine_file { int folder; const char *name, *path; const struct stat *scanned; };
/* False: `why` says what kept it where it is. */
bool quarantine_take(struct quarantine *quarantine, const struct quarantine_file *file, struct why *why);
