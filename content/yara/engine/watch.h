/* watch.h - a folder and all below it, of which only what is new or changed is scanned.
 *
 * A file counts as unchanged while device, inode, size and both its times are. Links and other kinds of files are passed over.
 *
 * Does not decide when: see serve.h. */
#pragma once

#include "base/err.h"
#include "base/own.h"

#include <stdbool.h>

struct scan;
struct watch;

/* `folder` is borrowed. It need not exist yet. */
MUST_CHECK enum err watch_open(const char *folder, struct watch **ret_watch, struct why *why);
void watch_close(struct watch *watch);                    /* NULL is fine */
OWN_DEFINE(watch, struct watch *, watch_close)

/* One round. `is_stopped` is asked between files and ends it early; it then begins anew the next time.
 * ERR_NOT_FOUND, ERR_IO: the folder; ERR_LIMIT: more than LIMIT_WATCHED_FILES files, the rest was not looked at; ERR_NOMEM. */
MUST_CHECK enum err watch_round(struct watch *watch, struct scan *scan, bool (*is_stopped)(void), struct why *why);
void watch_forget(struct watch *watch);                   /* everything is new again: the rules changed */
