/* handover.h - a process that goes on as another program: same number, same children, the open files that it names.
 *
 * For a supervisor that is replaced while what it started keeps running: no child of it notices. What goes wrong before the other program
 * begins is an error here, and nothing has changed; what goes wrong after that the watcher, or whoever starts us, has to answer.
 * A process of Windows keeps its program (system.h: SYSTEM_HANDOVER). There a keeper stands above each supervisor: it starts the other program, and lets it run when
 * this one has ended, which takes what it started with it; the keeper is the watcher, too. */
#pragma once

#include "base/err.h"
#include "platform/child.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct handover {
        const char *const *argv;         /* NULL-ended; argv[0] is a path */
        const int *files;                /* they stay open, all others but 0 to 2 do not; the first holds what is handed over: channel_memory() */
        size_t count;
        void (*leave)(void *user);       /* only where nothing that this process started runs on: ends it, as soon as the other program is sure to come */
        void *user;
};
/* Returns only when it failed. ERR_NOT_FOUND, ERR_REFUSED: no such program, or it may not be run; ERR_CONTENT: it is none; all else is this
 * moment's fault. */
MUST_CHECK enum err handover_to(const struct handover *handover, struct why *why);
/* In the other program: what was handed over, all of it; `number` is that of the first file, as a word. Not *ret_is_handed: a keeper started this process, and not
 * for another one. ERR_USAGE: nobody handed anything over. ERR_LIMIT: it is longer. ERR_SYNTAX: shorter. */
MUST_CHECK enum err handover_receive(const char *number, void *bytes, size_t length, bool *ret_is_handed, struct why *why);
/* The file, or the beat, is ours from now on, and no child's. False: it is not open. */
bool handover_take(int file);
/* Is it a child of this process that still runs? One that has ended counts: its end is yet to be taken (child_ended()). */
bool handover_is_child(int pid);

/* A child that ends this process when nobody has written to *ret_beat for so long, while the machine was awake; also when there is nobody left who
 * could. It runs what runs now, whatever program this process goes on as, and holds nothing of ours when this returns. Where a keeper does this there is no
 * child, and it begins with the other program. */
MUST_CHECK enum err handover_watch(int64_t silence_ms, int *ret_beat, struct child *ret_watcher, struct why *why);
void handover_beat(int beat);                                                  /* never waits */
void handover_unwatch(int beat, struct child *watcher);                        /* -1, none: fine */

/* Where a supervisor has a keeper: becomes it. Starts `argv`, and again whenever one that came after it ends and has named no other; returns when that first one
 * ends by itself, with an error where it ended with one, or when this process is told to end and who runs has ended: in stop_ms, or it is killed. */
struct handover_keep { const char *const *argv; int64_t stop_ms; };
MUST_CHECK enum err handover_keep(const struct handover_keep *keep, struct why *why);
