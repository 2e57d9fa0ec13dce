#include "server/store/db.h"

#include "base/mem.h"
#include "platform/os_error.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <string.h>

enum { STATEMENTS = 256, BUSY_WAIT_MS = 1000 };

struct query {
        struct db *db;
        const char *sql;
        sqlite3_stmt *statement;
        bool is_open;
};

struct db {
        sqlite3 *handle;
        struct query queries[STATEMENTS];      /* open addressing by the text's address */
        size_t query_count;
};

/* SQLite's memory comes from base/mem, so that a sweep meets each of its allocations too. */
struct block { int64_t size, padding; };

static void *block_new(int size)
{
        struct block *block = mem_new(1, sizeof(*block) + (size_t)size);
        if (!block)
                return NULL;
        block->size = size;
        return block + 1;
}

static void block_free(void *memory)
{
        mem_free(memory ? (struct block *)memory - 1 : NULL);
}

static void *block_resize(void *memory, int size)
{
        struct block *block = mem_resize((struct block *)memory - 1, sizeof(*block) + (size_t)size);
        if (!block)
                return NULL;
        block->size = size;
        return block + 1;
}

static int block_size(void *memory) { return memory ? (int)((struct block *)memory - 1)->size : 0; }
static int block_round(int size) { return (size + 7) & ~7; }
static int block_init(void *user) { (void)user; return SQLITE_OK; }
static void block_shutdown(void *user) { (void)user; }

static const sqlite3_mem_methods memory = { block_new, block_free, block_resize, block_size, block_round, block_init, block_shutdown, NULL };

/* What a result code of SQLite means to a caller, and what to do about it. Extended codes that are not here fall back to their low byte. */
static const struct meaning {
        int code;
        enum err err;
        const char *advice;
} meanings[] = {
        { SQLITE_IOERR_NOMEM, ERR_NOMEM, "out of memory" },
        { SQLITE_IOERR, ERR_IO, "the disk failed; see the system's log for what is wrong with it" },
        { SQLITE_BUSY, ERR_BUSY, "another process has the database open; stop it" },
        { SQLITE_LOCKED, ERR_BUSY, "the database is locked" },
        { SQLITE_FULL, ERR_FULL, "the disk is full; free some space in the data folder" },
        { SQLITE_NOMEM, ERR_NOMEM, "out of memory" },
        { SQLITE_CONSTRAINT, ERR_REFUSED, "against a rule of the database" },
        { SQLITE_CORRUPT, ERR_IO, "the database is damaged; restore firebreak.db from a backup" },
        { SQLITE_NOTADB, ERR_IO, "firebreak.db is not a database; restore it from a backup" },
        { SQLITE_READONLY, ERR_IO, "the database cannot be written; check the data folder's owner and mode" },
        { SQLITE_PERM, ERR_IO, "the database cannot be opened; check the data folder's owner and mode" },
        { SQLITE_CANTOPEN, ERR_IO, "the database cannot be opened; check the data folder's owner and mode" },
        { SQLITE_TOOBIG, ERR_LIMIT, "a value is too large" },
};

/* What the system said to the last failed call for the database or, `which` JOURNAL_POINTER, its log. */
static int last_errno(struct db *db, int which)
{
        sqlite3_file *file = NULL;
        int number = 0;
        if (sqlite3_file_control(db->handle, "main", which, &file) != SQLITE_OK || !file || !file->pMethods)
                return 0;
        return file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &number) == SQLITE_OK ? number : 0;
}

/* SQLite knows only one way in which there is no room. */
static enum err no_room(struct db *db, int code, struct why *why)
{
        static const int files[] = { SQLITE_FCNTL_JOURNAL_POINTER, SQLITE_FCNTL_FILE_POINTER };
        for (size_t i = 0; i < 2 && db->handle && code == SQLITE_IOERR_WRITE; i++) {
                int number = last_errno(db, files[i]);
                if (number == EFBIG || number == EDQUOT)
                        return OS_FAIL(why, number, "the database");
        }
        return OK;
}

static enum err fail(struct db *db, int code, struct why *why)
{
        enum err full = no_room(db, code, why);
        if (full)
                return full;
        const char *detail = db->handle ? sqlite3_errmsg(db->handle) : sqlite3_errstr(code);
        for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
                if (meanings[i].code == code || meanings[i].code == (code & 0xff))
                        return FAIL(why, meanings[i].err, "%s (%s)", meanings[i].advice, detail);
        return FAIL(why, ERR_IO, "database: %s", detail);
}

struct bind bind_text(const char *text)
{
        return text ? (struct bind){ BIND_TEXT, 0, text, strlen(text) } : bind_null();
}

static enum err execute(struct db *db, const char *sql, struct why *why)
{
        int code = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
        return code == SQLITE_OK ? OK : fail(db, code, why);
}

static enum err settle(struct db *db, struct why *why)
{
        (void)sqlite3_extended_result_codes(db->handle, 1);
        (void)sqlite3_busy_timeout(db->handle, BUSY_WAIT_MS);
        (void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        (void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
        return execute(db, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
                           "PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY", why);
}

enum err db_open(const char *path, struct db **ret_db, struct why *why)
{
        /* Before first use only; later calls answer MISUSE, which is fine: it is set already. */
        (void)sqlite3_config(SQLITE_CONFIG_MALLOC, &memory);
        (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);

        OWN(db) struct db *db = mem_new(1, sizeof(*db));
        if (!db)
                return FAIL(why, ERR_NOMEM, "out of memory");
        int code = sqlite3_open_v2(path, &db->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
        enum err e = code == SQLITE_OK ? settle(db, why) : fail(db, code, why);
        if (e)
                return DURING(why, e, "%s", path);
        *ret_db = GIVE(db);
        return OK;
}

void db_close(struct db *db)
{
        if (!db)
                return;
        for (size_t i = 0; i < STATEMENTS; i++)
                (void)sqlite3_finalize(db->queries[i].statement);
        int code = sqlite3_close(db->handle);
        assert(code == SQLITE_OK);
        mem_free(db);
}

static struct query *slot_for(struct db *db, const char *sql)
{
        size_t at = ((uintptr_t)sql >> 3) * 0x9E3779B1u % STATEMENTS;
        while (db->queries[at].sql && db->queries[at].sql != sql)
                at = (at + 1) % STATEMENTS;
        return &db->queries[at];
}

static enum err prepared(struct db *db, const char *sql, struct query **ret_query, struct why *why)
{
        struct query *query = slot_for(db, sql);
        if (!query->statement) {
                assert(db->query_count < STATEMENTS - 1);
                int code = sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &query->statement, NULL);
                if (code != SQLITE_OK) {
                        (void)sqlite3_finalize(query->statement);
                        query->statement = NULL;
                        return fail(db, code, why);
                }
                query->db = db;
                query->sql = sql;
                db->query_count++;
        }
        assert(!query->is_open);
        *ret_query = query;
        return OK;
}

static int bind_one(sqlite3_stmt *statement, int at, const struct bind *value)
{
        switch (value->type) {
        case BIND_INT: return sqlite3_bind_int64(statement, at, value->number);
        case BIND_TEXT: return sqlite3_bind_text64(statement, at, value->bytes, value->length, SQLITE_STATIC, SQLITE_UTF8);
        case BIND_BLOB: return sqlite3_bind_blob64(statement, at, value->length ? value->bytes : "", value->length, SQLITE_STATIC);
        case BIND_NULL:
        case BIND_END: break;
        }
        return sqlite3_bind_null(statement, at);
}

enum err db_query(struct db *db, const char *sql, const struct bind *values, struct query **ret_query, struct why *why)
{
        struct query *query = NULL;
        enum err e = prepared(db, sql, &query, why);
        if (e)
                return e;
        int at = 0;
        for (const struct bind *value = values; value->type != BIND_END; value++) {
                int code = bind_one(query->statement, ++at, value);
                if (code != SQLITE_OK)
                        return fail(db, code, why);
        }
        assert(at == sqlite3_bind_parameter_count(query->statement));
        query->is_open = true;
        *ret_query = query;
        return OK;
}

enum err query_next(struct query *query, bool *ret_has_row, struct why *why)
{
        int code = sqlite3_step(query->statement);
        if (code != SQLITE_ROW && code != SQLITE_DONE)
                return fail(query->db, code, why);
        *ret_has_row = code == SQLITE_ROW;
        return OK;
}

int64_t query_int(struct query *query, int column) { return sqlite3_column_int64(query->statement, column); }
bool query_is_null(struct query *query, int column) { return sqlite3_column_type(query->statement, column) == SQLITE_NULL; }

const char *query_text(struct query *query, int column)
{
        const unsigned char *text = sqlite3_column_text(query->statement, column);
        return text ? (const char *)text : "";
}

const void *query_blob(struct query *query, int column, size_t *ret_length)
{
        const void *bytes = sqlite3_column_blob(query->statement, column);
        *ret_length = (size_t)sqlite3_column_bytes(query->statement, column);
        return bytes ? bytes : "";
}

void query_end(struct query *query)
{
        if (!query)
                return;
        (void)sqlite3_reset(query->statement);
        (void)sqlite3_clear_bindings(query->statement);
        query->is_open = false;
}

enum err db_run(struct db *db, const char *sql, const struct bind *values, struct why *why)
{
        OWN(query) struct query *query = NULL;
        bool has_row = false;
        enum err e = db_query(db, sql, values, &query, why);
        return e ? e : query_next(query, &has_row, why);
}

int64_t db_last_number(const struct db *db) { return sqlite3_last_insert_rowid(db->handle); }
int64_t db_changed(const struct db *db) { return sqlite3_changes64(db->handle); }

enum err db_number(struct db *db, const char *sql, const struct bind *values, int64_t otherwise, int64_t *ret_number, struct why *why)
{
        OWN(query) struct query *query = NULL;
        bool has_row = false;
        enum err e = db_query(db, sql, values, &query, why);
        if (!e)
                e = query_next(query, &has_row, why);
        if (e)
                return e;
        *ret_number = has_row && !query_is_null(query, 0) ? query_int(query, 0) : otherwise;
        return OK;
}

static const char rollback[] = "ROLLBACK";

/* Begins nothing that could not be undone without memory, which is when it has to be. */
enum err db_begin(struct db *db, struct why *why)
{
        struct query *undo = NULL;
        enum err e = prepared(db, rollback, &undo, why);
        db_rollback(db);
        return e ? e : db_run(db, "BEGIN IMMEDIATE", NO_VALUES, why);
}

enum err db_commit(struct db *db, struct why *why) { return db_run(db, "COMMIT", NO_VALUES, why); }
enum err db_end(struct db *db, enum err e, struct why *why)
{
        if (!e)
                e = db_commit(db, why);
        if (e)
                db_rollback(db);
        return e;
}

enum err db_mark(struct db *db, struct why *why) { return db_run(db, "SAVEPOINT mark", NO_VALUES, why); }
enum err db_keep(struct db *db, struct why *why) { return db_run(db, "RELEASE mark", NO_VALUES, why); }

enum err db_back(struct db *db, struct why *why)
{
        enum err e = db_run(db, "ROLLBACK TO mark", NO_VALUES, why);
        return e ? e : db_keep(db, why);
}

bool db_is_in_transaction(const struct db *db) { return !sqlite3_get_autocommit(db->handle); }

void db_rollback(struct db *db)
{
        if (db_is_in_transaction(db) && db_run(db, rollback, NO_VALUES, NULL) != OK)
                return;                                       /* db_begin() tries again */
}

static enum err migrate_one(struct db *db, const char *step, size_t to, struct why *why)
{
        char stamp[64];
        snprintf(stamp, sizeof(stamp), "PRAGMA user_version=%zu", to);
        enum err e = execute(db, "BEGIN IMMEDIATE", why);
        if (!e)
                e = execute(db, step, why);
        if (!e)
                e = execute(db, stamp, why);
        if (!e)
                e = execute(db, "COMMIT", why);
        if (e)
                db_rollback(db);
        return e;
}

enum err db_migrate(struct db *db, const char *const *steps, size_t step_count, struct why *why)
{
        int64_t version = 0;
        enum err e = db_number(db, "PRAGMA user_version", NO_VALUES, 0, &version, why);
        if (e)
                return e;
        if (version < 0 || (size_t)version > step_count)
                return FAIL(why, ERR_REFUSED, "the database has schema %" PRId64 ", this program knows %zu; start the newer firebreakd", version,
                            step_count);
        for (size_t i = (size_t)version; i < step_count; i++) {
                e = migrate_one(db, steps[i], i + 1, why);
                if (e)
                        return DURING(why, e, "migration %zu", i + 1);
        }
        return OK;
}
