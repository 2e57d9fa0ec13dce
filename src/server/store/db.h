/* db.h - the one door to SQLite: statements by text, values by type, failures as enum err.
 *
 * A database is WAL, synchronous=FULL, foreign keys on: what db_commit() returned OK for survives a power cut.
 * Statements are prepared once and kept; `sql` must therefore be a literal (it is the key of the cache).
 * One thread; one open query for each text at a time. */
#pragma once

#include "base/err.h"
#include "base/own.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;
struct query;

/* `path` may be ":memory:". ERR_BUSY: another process holds it; ERR_IO: damaged or not readable; ERR_FULL: no room. */
MUST_CHECK enum err db_open(const char *path, struct db **ret_db, struct why *why);
void db_close(struct db *db);
OWN_DEFINE(db, struct db *, db_close)

enum bind_type { BIND_END, BIND_INT, BIND_TEXT, BIND_BLOB, BIND_NULL };
struct bind {
        enum bind_type type;
        int64_t number;
        const void *bytes;
        size_t length;
};
static inline struct bind bind_int(int64_t number) { return (struct bind){ BIND_INT, number, NULL, 0 }; }
static inline struct bind bind_blob(const void *bytes, size_t length) { return (struct bind){ BIND_BLOB, 0, bytes, length }; }
static inline struct bind bind_null(void) { return (struct bind){ BIND_NULL, 0, NULL, 0 }; }
struct bind bind_text(const char *text);                      /* NULL binds NULL */

/* The values of a statement, in order: VALUES(bind_int(4), bind_text("x")). They are borrowed until the query ends. */
#define VALUES(...) ((const struct bind[]){ __VA_ARGS__, { BIND_END, 0, NULL, 0 } })
#define NO_VALUES ((const struct bind[]){ { BIND_END, 0, NULL, 0 } })

/* A statement without rows. ERR_REFUSED: a constraint of the schema says no. */
MUST_CHECK enum err db_run(struct db *db, const char *sql, const struct bind *values, struct why *why);
int64_t db_last_number(const struct db *db);                  /* of the last INSERT */
int64_t db_changed(const struct db *db);                      /* rows changed by the last statement */

/* A statement with rows:  while ((e = query_next(q, &has, why)) == OK && has) ... query_int(q, 0) */
MUST_CHECK enum err db_query(struct db *db, const char *sql, const struct bind *values, struct query **ret_query, struct why *why);
MUST_CHECK enum err query_next(struct query *query, bool *ret_has_row, struct why *why);
int64_t query_int(struct query *query, int column);
const char *query_text(struct query *query, int column);      /* borrowed until the next row; "" for NULL */
const void *query_blob(struct query *query, int column, size_t *ret_length);
bool query_is_null(struct query *query, int column);
void query_end(struct query *query);
OWN_DEFINE(query, struct query *, query_end)

/* The first column of the first row, or `otherwise` without one (or for NULL). */
MUST_CHECK enum err db_number(struct db *db, const char *sql, const struct bind *values, int64_t otherwise, int64_t *ret_number,
                              struct why *why);

/* A transaction; inside one, a mark to go back to (one at a time). db_back undoes to the mark, db_rollback undoes all. */
MUST_CHECK enum err db_begin(struct db *db, struct why *why);
MUST_CHECK enum err db_commit(struct db *db, struct why *why);
void db_rollback(struct db *db);
/* The end of one, whatever came of it: committed, or undone. `e`, or why it could not be committed. */
MUST_CHECK enum err db_end(struct db *db, enum err e, struct why *why);
MUST_CHECK enum err db_mark(struct db *db, struct why *why);
MUST_CHECK enum err db_keep(struct db *db, struct why *why);
MUST_CHECK enum err db_back(struct db *db, struct why *why);
bool db_is_in_transaction(const struct db *db);               /* a full disk ends one by itself */

/* Migrations: entry i takes the schema from version i to i + 1, each in its own transaction. A database that is newer than
 * the program is refused (ERR_REFUSED). */
MUST_CHECK enum err db_migrate(struct db *db, const char *const *steps, size_t step_count, struct why *why);
