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

/* Called between files, each of which takes 5 seconds at most: true ends the round early; it then begins anew the next time. */
struct watch_pulse { bool (*beat)(void *user); void *user; };

/* One round.
 * ERR_NOT_FOUND, ERR_IO: the folder; ERR_LIMIT: more than LIMIT_WATCHED_FILES files, the rest was not looked at; ERR_NOMEM. */
MUST_CHECK enum err watch_round(struct watch *watch, struct scan *scan, const struct watch_pulse *pulse, struct why *why);
void watch_forget(struct watch *watch);                   /* everything is new again: the rules changed */
