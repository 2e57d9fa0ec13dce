#include "server/store/audit.h"
#include "server/store/schema.h"

#include "support/test.h"

#include <string.h>

static struct db *three_lines(void)
{
        struct db *db = NULL;
        CHECK(db_open(":memory:", &db, NULL) == OK && schema_migrate(db, NULL) == OK);
        for (int i = 0; i < 3; i++) {
                struct audit_line line = { 1000 + i, "ann", "rollout.hold", "edr/4", "looks odd" };
                CHECK(audit_add(db, &line, NULL) == OK);
        }
        /* As somebody would who owns the file. */
        CHECK(db_run(db, "DROP TRIGGER audit_stay", NO_VALUES, NULL) == OK && db_run(db, "DROP TRIGGER audit_keep", NO_VALUES, NULL) == OK);
        return db;
}

TEST(audit_verify, follows_the_chain_from_the_first_line)
{
        OWN(db) struct db *db = three_lines();
        int64_t lines = 0;
        CHECK(audit_verify(db, &lines, NULL) == OK && lines == 3);
}

TEST(audit_verify, sees_each_field_that_was_changed)
{
        static const char *const changes[] = {
                "UPDATE audit SET at_ms = 7 WHERE number = 2",        "UPDATE audit SET who = 'bob' WHERE number = 2",
                "UPDATE audit SET what = 'x' WHERE number = 2",       "UPDATE audit SET subject = 'edr/5' WHERE number = 2",
                "UPDATE audit SET detail = '' WHERE number = 2",      "UPDATE audit SET hash = zeroblob(32) WHERE number = 2",
                "UPDATE audit SET who = 'annr', what = 'ollout.hold' WHERE number = 2",
        };
        for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
                OWN(db) struct db *db = three_lines();
                int64_t lines = 0;
                struct why why;
                CHECK(db_run(db, changes[i], NO_VALUES, NULL) == OK);
                CHECK(audit_verify(db, &lines, &why) == ERR_UNTRUSTED && strstr(why.text, "line 2"));
        }
}

TEST(audit_verify, sees_a_line_that_was_taken_out)
{
        OWN(db) struct db *db = three_lines();
        int64_t lines = 0;
        CHECK(db_run(db, "DELETE FROM audit WHERE number = 2", NO_VALUES, NULL) == OK);
        CHECK(audit_verify(db, &lines, NULL) == ERR_UNTRUSTED);
}

TEST(audit_add, refuses_what_is_longer_than_anything_people_write)
{
        OWN(db) struct db *db = three_lines();
        static char text[1 << 17];
        memset(text, 'x', sizeof(text) - 1);
        struct audit_line line = { 1, "ann", "x", "y", text };
        CHECK(audit_add(db, &line, NULL) == ERR_LIMIT);
}
