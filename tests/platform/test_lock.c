#include "platform/lock.h"
#include "platform/file.h"
#include "support/test.h"

#include <string.h>

TEST(lock, is_held_by_one_at_a_time)
{
        char folder[64], path[80];
        int first = -1, second = -1;
        struct why why;
        CHECK(file_temporary(folder, NULL) == OK);
        snprintf(path, sizeof(path), "%s/lock", folder);
        CHECK(lock_take(path, 0, &first, NULL) == OK);
        CHECK(lock_take(path, 100, &second, &why) == ERR_BUSY && second == -1);
        CHECK(strstr(why.text, "number ") && strstr(why.text, "stop that one"));
        lock_give(first);
        CHECK(lock_take(path, 0, &second, NULL) == OK);
        lock_give(second);
        lock_give(-1);
        file_remove_tree(folder);
}

TEST(lock, says_where_it_cannot_be)
{
        int lock = -1;
        struct why why = { 0 };
        CHECK(lock_take("/nowhere/at/all/lock", 0, &lock, &why) != OK);
        CHECK(lock == -1 && strstr(why.text, "/nowhere/at/all/lock"));
}
