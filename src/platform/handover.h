/* handover.h - a process that goes on as another program: same number, same children, the open files that it names.
 *
 * For a supervisor that is replaced while what it started keeps running: no child of it notices. What goes wrong before the other program
 * begins is an error here, and nothing has changed; what goes wrong after that the watcher, or whoever starts us, has to answer. */
#pragma once

#include "base/err.h"
#include "platform/child.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Returns only when it failed. `files` stay open, all others but 0 to 2 do not. argv[0] is a path. ERR_NOT_FOUND, ERR_REFUSED: no
 * such program, or it may not be run; ERR_CONTENT: it is none; all else is this moment's fault. */
MUST_CHECK enum err handover_to(const char *const *argv, const int *files, size_t count, struct why *why);
/* In the other program: the file is ours from now on, and no child's. False: it is not open. */
bool handover_take(int file);
/* Is it a child of this process that still runs? One that has ended counts: its end is yet to be taken (child_ended()). */
bool handover_is_child(int pid);

/* A child that ends this process when nobody has written to *ret_beat for so long, while the machine was awake; also when there is nobody left who
 * could. It runs what runs now, whatever program this process goes on as, and holds nothing of ours when this returns. To be let go: child_kill(),
 * then close the beat. */
MUST_CHECK enum err handover_watch(int64_t silence_ms, int *ret_beat, struct child *ret_watcher, struct why *why);
void handover_beat(int beat);                                                  /* never waits */

/* All of a file that was handed over, from its start. ERR_LIMIT: it is longer. ERR_SYNTAX: shorter. */
MUST_CHECK enum err handover_read(int file, void *bytes, size_t length, struct why *why);
