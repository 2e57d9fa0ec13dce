#include "server/store/db.h"
#include "platform/child.h"
#include "platform/file.h"
#include "platform/file_limit.h"
#include "server/store/schema.h"

#include "support/sweep.h"
#include "support/test.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <sys/resource.h>
#include <sys/wait.h>

static const char *const two_steps[] = { "CREATE TABLE a (x INTEGER NOT NULL UNIQUE) STRICT", "CREATE TABLE b (y TEXT) STRICT" };
static const char *const broken_step[] = { "CREATE TABLE a (x INTEGER) STRICT; CREATE TABLE a (x INTEGER) STRICT" };

static struct db *two_tables(void)
{
        struct db *db = NULL;
        CHECK(db_open(":memory:", &db, NULL) == OK && db_migrate(db, two_steps, 2, NULL) == OK);
        return db;
}

static int64_t rows(struct db *db)
{
        int64_t count = -1;
        CHECK(db_number(db, "SELECT count(*) FROM a", NO_VALUES, -1, &count, NULL) == OK);
        return count;
}

TEST(db_run, binds_and_reads_back_every_type)
{
        OWN(db) struct db *db = NULL;
        CHECK(db_open(":memory:", &db, NULL) == OK);
        CHECK(db_run(db, "CREATE TABLE t (a INTEGER, b TEXT, c BLOB, d TEXT) STRICT", NO_VALUES, NULL) == OK);
        CHECK(db_run(db, "INSERT INTO t VALUES (?,?,?,?)", VALUES(bind_int(INT64_MIN), bind_text("ü"), bind_blob("\0x", 2), bind_text(NULL)), NULL) == OK);
        OWN(query) struct query *q = NULL;
        bool has = false;
        CHECK(db_query(db, "SELECT a, b, c, d FROM t", NO_VALUES, &q, NULL) == OK && query_next(q, &has, NULL) == OK && has);
        size_t length = 0;
        CHECK(query_int(q, 0) == INT64_MIN && strcmp(query_text(q, 1), "ü") == 0);
        CHECK(memcmp(query_blob(q, 2, &length), "\0x", 2) == 0 && length == 2);
        CHECK(query_is_null(q, 3) && query_text(q, 3)[0] == 0);
        CHECK(query_next(q, &has, NULL) == OK && !has);
}

TEST(db_run, refuses_what_the_schema_forbids)
{
        OWN(db) struct db *db = two_tables();
        struct why why;
        CHECK(db_run(db, "INSERT INTO a VALUES (?)", VALUES(bind_int(1)), NULL) == OK);
        CHECK(db_run(db, "INSERT INTO a VALUES (?)", VALUES(bind_int(1)), &why) == ERR_REFUSED);
        CHECK(db_run(db, "INSERT INTO a VALUES (?)", VALUES(bind_text("no number")), &why) == ERR_REFUSED);
        CHECK(rows(db) == 1);
}

/* Or the next transaction could not begin, for ever. */
TEST(db_rollback, needs_no_memory)
{
        OWN(db) struct db *db = two_tables();
        SWEEP_MEMORY {
                if (db_begin(db, NULL) == OK && db_run(db, "INSERT INTO a VALUES (1)", NO_VALUES, NULL) == OK)
                        CHECK(db_is_in_transaction(db));
                db_rollback(db);
                CHECK(!db_is_in_transaction(db));
        }
        CHECK(rows(db) == 0);
}

TEST(db_back, undoes_to_the_mark_and_no_further)
{
        OWN(db) struct db *db = two_tables();
        CHECK(db_begin(db, NULL) == OK && db_run(db, "INSERT INTO a VALUES (1)", NO_VALUES, NULL) == OK);
        CHECK(db_mark(db, NULL) == OK && db_run(db, "INSERT INTO a VALUES (2)", NO_VALUES, NULL) == OK && db_back(db, NULL) == OK);
        CHECK(db_mark(db, NULL) == OK && db_run(db, "INSERT INTO a VALUES (3)", NO_VALUES, NULL) == OK && db_keep(db, NULL) == OK);
        CHECK(db_commit(db, NULL) == OK && rows(db) == 2);
        CHECK(db_begin(db, NULL) == OK && db_run(db, "DELETE FROM a", NO_VALUES, NULL) == OK);
        db_rollback(db);
        CHECK(rows(db) == 2);
}

TEST(db_migrate, leaves_nothing_of_a_step_that_failed)
{
        OWN(db) struct db *db = NULL;
        struct why why;
        CHECK(db_open(":memory:", &db, NULL) == OK && db_migrate(db, broken_step, 1, &why) != OK);
        int64_t version = -1;
        CHECK(db_number(db, "PRAGMA user_version", NO_VALUES, -1, &version, NULL) == OK && version == 0);
        CHECK(db_migrate(db, two_steps, 2, NULL) == OK && rows(db) == 0);
}

TEST(db_migrate, goes_on_where_an_older_program_stopped_and_refuses_a_newer_database)
{
        OWN(db) struct db *db = NULL;
        struct why why;
        CHECK(db_open(":memory:", &db, NULL) == OK && db_migrate(db, two_steps, 1, NULL) == OK);
        CHECK(db_run(db, "INSERT INTO a VALUES (7)", NO_VALUES, NULL) == OK);
        CHECK(db_migrate(db, two_steps, 2, NULL) == OK && rows(db) == 1);
        CHECK(db_migrate(db, two_steps, 1, &why) == ERR_REFUSED && strstr(why.text, "newer"));
}

TEST(db_open, says_what_is_wrong_with_a_file)
{
        char path[] = "/tmp/test_store_db.XXXXXX";
        int fd = mkstemp(path);
        struct why why;
        struct db *db = NULL;
        CHECK(fd >= 0 && write(fd, "this is no database, it is a text of some length............................................", 90) == 90);
        CHECK(db_open(path, &db, &why) == ERR_IO && strstr(why.text, "restore"));
        CHECK(db_open("/nowhere/at/all.db", &db, &why) == ERR_IO && !db);
        close(fd);
        unlink(path);
}

TEST(db_open, is_refused_while_another_connection_holds_the_file)
{
        char folder[] = "/tmp/test_store_db.XXXXXX", path[64];
        CHECK(mkdtemp(folder));
        snprintf(path, sizeof(path), "%s/a.db", folder);
        {
                OWN(db) struct db *first = NULL;
                CHECK(db_open(path, &first, NULL) == OK && db_migrate(first, two_steps, 2, NULL) == OK);
                struct why why;
                struct db *second = NULL;
                CHECK(db_open(path, &second, &why) == ERR_BUSY && !second);
        }
        unlink(path);
        CHECK(rmdir(folder) == 0);      /* nothing else is left behind by a clean close */
}

TEST(schema, forbids_to_rewrite_what_is_append_only)
{
        OWN(db) struct db *db = NULL;
        CHECK(db_open(":memory:", &db, NULL) == OK && schema_migrate(db, NULL) == OK);
        CHECK(db_run(db, "INSERT INTO audit VALUES (1, 0, 'a', 'b', 'c', 'd', zeroblob(32))", NO_VALUES, NULL) == OK);
        CHECK(db_run(db, "UPDATE audit SET who = 'x'", NO_VALUES, NULL) == ERR_REFUSED);
        CHECK(db_run(db, "DELETE FROM audit", NO_VALUES, NULL) == ERR_REFUSED);
        CHECK(db_run(db, "INSERT INTO versions VALUES (99, 's', 1, 1, 0)", NO_VALUES, NULL) == ERR_REFUSED);
}

/* All that a database says of its own form. */
static void read_form(struct db *db, struct buf *into)
{
        OWN(query) struct query *q = NULL;
        bool has = false;
        CHECK(db_query(db, "SELECT group_concat(type || ' ' || name || ' ' || sql, char(10)) FROM (SELECT * FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type, name)", NO_VALUES, &q, NULL) == OK);
        CHECK(query_next(q, &has, NULL) == OK && has);
        buf_add(into, query_text(q, 0), strlen(query_text(q, 0)) + 1);
        CHECK(buf_check(into, NULL) == OK);
}

/* Whoever changes a step that stores in use have behind them, instead of adding one, finds here that they differ from new ones. */
TEST(schema_migrate, makes_of_what_an_older_program_left_what_a_new_one_begins_with)
{
        OWN(db) struct db *old = NULL, *new = NULL;
        OWN(buf) struct buf left, old_form, new_form;
        buf_init(&left, 1 << 16);
        buf_init(&old_form, 1 << 16);
        buf_init(&new_form, 1 << 16);
        CHECK(file_read(STORE_6, &left, NULL) == OK);
        CHECK(db_open(":memory:", &old, NULL) == OK && db_open(":memory:", &new, NULL) == OK);
        const char *const step = buf_text(&left);
        CHECK(db_migrate(old, &step, 1, NULL) == OK && db_run(old, "PRAGMA user_version=6", NO_VALUES, NULL) == OK);
        CHECK(schema_migrate(old, NULL) == OK && schema_migrate(new, NULL) == OK);
        read_form(old, &old_form);
        read_form(new, &new_form);
        CHECK(strcmp(buf_text(&old_form), buf_text(&new_form)) == 0);
        int64_t known = 0;
        CHECK(db_number(old, "SELECT count(*) FROM devices JOIN versions ON device = devices.number JOIN holds USING (device) WHERE seq = 1 AND running = 1", NO_VALUES, 0, &known, NULL) == OK && known == 1);
        CHECK(db_run(old, "INSERT INTO goodbyes VALUES (1, 'reboot', 1784432300, 1784432300, NULL)", NO_VALUES, NULL) == OK);
        CHECK(db_run(old, "INSERT INTO goodbyes VALUES (2, 'reboot', 1784432300, 1784432300, NULL)", NO_VALUES, NULL) == ERR_REFUSED);
}

TEST(schema_migrate, survives_every_allocation_failure)
{
        SWEEP_MEMORY {
                OWN(db) struct db *db = NULL;
                enum err e = db_open(":memory:", &db, NULL);
                if (!e)
                        e = schema_migrate(db, NULL);
                CHECK(e == OK || e == ERR_NOMEM);
        }
}

static int fill_up(void *user)
{
        OWN(db) struct db *db = NULL;
        struct why why = { 0 };
        char text[4096];
        memset(text, 'a', sizeof(text) - 1);
        text[sizeof(text) - 1] = 0;
        file_limit_size_fails();
        enum err e = db_open(user, &db, NULL);
        if (!e)
                e = db_run(db, "CREATE TABLE t (text TEXT)", NO_VALUES, NULL);
        if (e || setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 1 << 16, 1 << 16 }))
                return 99;
        for (int i = 0; i < 1000 && !e; i++)
                e = db_run(db, "INSERT INTO t VALUES (?)", VALUES(bind_text(text)), &why);
        return strstr(why.text, "LimitFSIZE") ? (int)e : 98;
}

TEST(db, takes_a_limit_on_the_size_of_files_for_a_full_disk)
{
        struct child child = { 0 };
        char folder[64], path[80];
        int status = 0;
        CHECK(file_temporary(folder, NULL) == OK);
        snprintf(path, sizeof(path), "%s/a.db", folder);
        CHECK(child_fork(fill_up, path, &child, NULL) == OK);
        CHECK(waitpid(child.pid, &status, 0) == child.pid && WIFEXITED(status) && WEXITSTATUS(status) == ERR_FULL);
        file_remove_tree(folder);
}
