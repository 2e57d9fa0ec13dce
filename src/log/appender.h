/* appender.h - a log that grows: new entries in, the tiles that change and the new root out.
 *
 *      appender_open(&store, &head, &appender, why);        head: of the checkpoint signed last; all zeros for a new log
 *      appender_add(appender, &entry, why);  ...
 *      appender_publish(appender, &head, why);              then sync the files, then sign a checkpoint of head, then let it out
 *
 * Holds the right edge only: a tile for each level and the last bundle, whatever the log's size. Reads at most those, when it opens.
 *
 * Invariant: until a checkpoint is signed nothing has happened. All files go out before the caller learns the head to sign; those of
 * the tree before stay as they are; and after a crash the next appender, opened at the last signed head, writes over what was never
 * signed. So: hand out no file that the newest signed head does not have (caches would keep it), and keep partial tiles until a checkpoint
 * needs the full one; one appender at a time. After a failure, close it and open anew.
 *
 * Does not sign, sync or delete anything. */
#pragma once

#include "base/own.h"
#include "log/entries.h"
#include "log/tile.h"

struct appender;

/* Borrows the store. ERR_CONTENT when the files are not those of this head: its checkpoint was signed over others. */
MUST_CHECK enum err appender_open(const struct tile_store *store, const struct tree_head *head, struct appender **ret_appender, struct why *why);
void appender_close(struct appender *appender);
OWN_DEFINE(appender, struct appender *, appender_close)

/* The entry's index is the size before. Writes full tiles as they come to be. */
MUST_CHECK enum err appender_add(struct appender *appender, const struct entry *entry, struct why *why);
/* Write the partial tiles that are not written yet. */
MUST_CHECK enum err appender_publish(struct appender *appender, struct tree_head *ret_head, struct why *why);
/* The same head without a file: to know, not to sign. */
void appender_head(const struct appender *appender, struct tree_head *ret_head);
