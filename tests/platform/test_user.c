/* As root all of it; else only what anybody may. */
#include "platform/user.h"

#include "platform/channel.h"
#include "platform/child.h"
#include "support/test.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

TEST(user_find, knows_users_by_name)
{
        struct why why;
        struct user user = { 7, 7 };
        CHECK(user_find("root", &user, NULL) == OK && user.number == 0 && user.group == 0);
        CHECK(user_find("daemon", &user, NULL) == OK && user.number == 1);
        CHECK(user_find("no-such-user", &user, &why) == ERR_NOT_FOUND && strstr(why.text, "no-such-user") && user.number == 1);
}

TEST(user_give_folder, gives_it_to_that_user_alone)
{
        char folder[] = "/tmp/user-XXXXXX", link[64];
        struct stat info;
        const struct user other = { 65534, 65534 }, own = { getuid(), getgid() };
        CHECK(mkdtemp(folder) && chmod(folder, 0755) == 0);
        snprintf(link, sizeof(link), "%s.link", folder);
        CHECK(symlink(folder, link) == 0);
        CHECK(user_give_folder(folder, &own, NULL) == OK && stat(folder, &info) == 0 && (info.st_mode & 07777) == 0700);
        CHECK(user_give_folder(link, &own, NULL) != OK && user_give_folder("/no/such", &own, NULL) == ERR_NOT_FOUND);
        if (user_may_change())
                CHECK(user_give_folder(folder, &other, NULL) == OK && stat(folder, &info) == 0 && info.st_uid == 65534 && info.st_gid == 65534);
        else
                CHECK(user_give_folder(folder, &other, NULL) != OK);
        CHECK(unlink(link) == 0 && rmdir(folder) == 0);
}

/* What a child says of itself. */
static void say(const struct user *user, const char *folder, char text[static 64])
{
        int ends[2];
        const char *const argv[] = { "sh", "-c", "id -u; id -G; pwd", NULL };
        struct child child = { 0 };
        struct child_end end;
        CHECK(channel_pipe(ends, NULL) == OK);
        CHECK(child_start(&(struct child_setup){ .argv = argv, .input = -1, .output = ends[1], .errors = -1, .user = user, .folder = folder }, &child, NULL) == OK);
        channel_close(ends[1]);
        while (!child_ended(&child, &end))
                usleep(1000);
        CHECK(!end.is_signal && end.code == 0);
        text[channel_pipe_take(ends[0], text, 63)] = 0;
        channel_close(ends[0]);
}

TEST(child_start, lets_a_child_be_another_user_in_a_folder_that_it_could_not_reach)
{
        char folder[] = "/tmp/user-XXXXXX", below[64], text[64], expected[64];
        CHECK(mkdtemp(folder));
        snprintf(below, sizeof(below), "%s/spool", folder);
        CHECK(mkdir(below, 0755) == 0);
        if (user_may_change()) {
                say(&(struct user){ 65534, 65534 }, below, text);
                snprintf(expected, sizeof(expected), "65534\n65534\n");
                CHECK(strncmp(text, expected, strlen(expected)) == 0);
        } else {
                struct child child = { 0 };
                const char *const argv[] = { "true", NULL };
                const struct user root = { 0, 0 };
                CHECK(child_start(&(struct child_setup){ .argv = argv, .input = -1, .output = -1, .errors = -1, .user = &root }, &child, NULL) == ERR_REFUSED);
        }
        say(NULL, below, text);
        CHECK(strstr(text, below));
        CHECK(rmdir(below) == 0 && rmdir(folder) == 0);
}

/* It dies with us also as another user, although the system forgets that with the change. */
static int start_and_die(void *user)
{
        const char *const argv[] = { "sleep", "100", NULL };
        const struct user other = { 65534, 65534 };
        struct child child = { 0 };
        int end = *(int *)user;
        if (child_start(&(struct child_setup){ .argv = argv, .input = -1, .output = end, .errors = -1, .user = user_may_change() ? &other : NULL }, &child, NULL) != OK)
                return 1;
        return 0;
}

TEST(child_start, lets_no_child_outlive_its_parent)
{
        int ends[2];
        bool is_ready = false;
        struct child parent = { 0 };
        CHECK(channel_pipe(ends, NULL) == OK && child_fork(start_and_die, &ends[1], &parent, NULL) == OK);
        channel_close(ends[1]);
        CHECK(channel_wait(&ends[0], 1, 20000, &is_ready, NULL) == OK && is_ready);          /* nobody has the other end any more */
        channel_close(ends[0]);
        child_kill(&parent);
}
