/* rows.h - the entries of the server's transparency log, as rows of its database: they alone say what is in the log, and in which order.
 *
 * A row is written in the transaction that does what it tells of. Tiles and checkpoints follow (tlog.h). Written also by a server
 * that has no log yet: one that comes later begins with all that was.
 *
 * Invariant: entries count from 0 without a gap, and none is ever changed or taken out. */
#pragma once

#include "log/appender.h"
#include "log/logged.h"
#include "server/store/db.h"

/* Within a transaction. What is there already is not written again, but for overrides: the same people may have the same reason twice. */
MUST_CHECK enum err rows_add(struct db *db, const struct logged *logged, int64_t at_ms, struct why *why);
/* The digest of an override: who, who else, and why. */
struct rows_override { const char *stream; int64_t counter; const char *first, *second, *reason; };
MUST_CHECK enum err rows_add_override(struct db *db, const struct rows_override *override, int64_t at_ms, struct why *why);

/* At start: roots and anchors that came to be served, and, of a database from before there were rows, its releases and evidence. */
MUST_CHECK enum err rows_catch_up(struct db *db, int64_t at_ms, struct why *why);

MUST_CHECK enum err rows_count(struct db *db, uint64_t *ret_count, struct why *why);
/* Entries from the appender's size up to before `end`. ERR_CONTENT: the rows do not reach that far. */
MUST_CHECK enum err rows_append(struct db *db, struct appender *appender, uint64_t end, struct why *why);
/* Of one entry, as it stands in the log. */
MUST_CHECK enum err rows_text(struct db *db, uint64_t entry, struct buf *into, struct why *why);
