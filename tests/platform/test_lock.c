#include "platform/lock.h"
#include "platform/child.h"
#include "platform/file.h"
#include "support/test.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

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

static int keep(void *user)
{
        struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
        int file = open(user, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        return file < 0 || fcntl(file, F_SETLK, &all) || pause();
}

TEST(lock, of_another_process_is_seen)
{
        char folder[64], path[80];
        struct child other;
        CHECK(file_temporary(folder, NULL) == OK);
        snprintf(path, sizeof(path), "%s/lock", folder);
        CHECK(!lock_is_held(path) && child_fork(keep, path, &other, NULL) == OK);
        for (int i = 0; i < 5000 && !lock_is_held(path); i++)
                usleep(1000);
        CHECK(lock_is_held(path));
        child_kill(&other);
        CHECK(!lock_is_held(path));
        file_remove_tree(folder);
}
