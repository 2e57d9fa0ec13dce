/* log_entries.h - the entries of a log, each proved to be in it before anybody sees it.
 *
 * One bundle at a time: memory does not grow with the log. Pure over a tile_store. */
#pragma once

#include "log/entries.h"
#include "log/tile.h"

struct log_entries {
        const struct tile_store *store;
        const struct tree_head *head;            /* that is believed */
        uint64_t from;                           /* the first that is wanted */
        /* In their order; `bytes` are borrowed. */
        enum err (*visit)(void *user, uint64_t index, const struct entry *entry, struct why *why);
        void *user;
};
/* ERR_CONTENT: the files are not those of the head, and of that bundle nothing was visited; what the store's read() or visit() say. */
MUST_CHECK enum err log_entries_read(const struct log_entries *entries, struct why *why);
