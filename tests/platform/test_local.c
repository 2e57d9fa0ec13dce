#include "platform/channel.h"
#include "platform/file.h"
#include "platform/local.h"
#include "support/test.h"

#include <grp.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOBODY = 65534 };
static char folder[64], path[128];
static int listener = -1;
static unsigned group;

static enum err begin(const char *name, const char *group_name)
{
        CHECK(file_temporary(folder, NULL) == OK && chmod(folder, 0755) == 0);
        snprintf(path, sizeof(path), "%s/%s", folder, name);
        return local_listen(path, group_name, &listener, &group, NULL);
}

static void end(void)
{
        channel_close(listener);
        listener = -1;
        file_remove_tree(folder);
}

TEST(local, carries_whole_messages_both_ways_and_never_waits)
{
        struct local_peer peer = { -1, 0 };
        char bytes[8];
        size_t length = 0;
        int mine = -1;
        CHECK(begin("run/ask", NULL) == OK && group == (unsigned)LOCAL_NO_GROUP);
        CHECK(local_accept(listener, group, &peer) == ERR_NOT_FOUND);
        CHECK(local_connect(path, &mine, NULL) == OK && local_accept(listener, group, &peer) == OK && peer.user == geteuid());
        CHECK(local_take(peer.end, bytes, sizeof(bytes), &length) == LOCAL_NOTHING);
        CHECK(local_give(mine, "one", 3) && local_give(mine, "two and more", 12) && local_give(mine, "three", 5));
        CHECK(local_take(peer.end, bytes, sizeof(bytes), &length) == LOCAL_MESSAGE && length == 3 && memcmp(bytes, "one", 3) == 0);
        CHECK(local_take(peer.end, bytes, sizeof(bytes), &length) == LOCAL_TOO_LONG && local_take(peer.end, bytes, sizeof(bytes), &length) == LOCAL_MESSAGE && length == 5);
        int sent = 0;
        while (sent < 100000 && local_give(peer.end, "nobody reads this", 17))
                sent++;
        CHECK(sent > 0 && sent < 100000);
        channel_close(mine);
        CHECK(local_take(peer.end, bytes, sizeof(bytes), &length) == LOCAL_GONE && !local_give(peer.end, "x", 1));
        channel_close(peer.end);
        end();
}

TEST(local, takes_the_place_of_a_socket_that_was_left_and_of_nothing_else)
{
        int other = -1, mine = -1;
        unsigned other_group;
        CHECK(begin("ask", NULL) == OK);
        channel_close(listener);
        CHECK(local_connect(path, &mine, NULL) == ERR_NOT_FOUND);
        CHECK(local_listen(path, NULL, &listener, &group, NULL) == OK && local_connect(path, &mine, NULL) == OK);
        channel_close(mine);
        CHECK(unlink(path) == 0 && local_connect(path, &mine, NULL) == ERR_NOT_FOUND && file_write(path, "mine", 4, NULL) == OK);
        CHECK(local_listen(path, NULL, &other, &other_group, NULL) == ERR_REFUSED && file_kind(path) == FILE_REGULAR);
        end();
}

TEST(local, listens_in_no_folder_that_others_may_write_to)
{
        int other = -1;
        struct why why;
        CHECK(begin("ask", NULL) == OK && chmod(folder, 0775) == 0);
        CHECK(local_listen(path, NULL, &other, &group, &why) == ERR_REFUSED && strstr(why.text, folder));
        CHECK(local_listen("relative/ask", NULL, &other, &group, &why) == ERR_USAGE);
        end();
}

TEST(local, says_what_is_wrong_with_a_name)
{
        char longer[200];
        struct why why;
        int other = -1;
        memset(longer, 'x', sizeof(longer) - 1);
        longer[0] = '/';
        longer[sizeof(longer) - 1] = 0;
        CHECK(local_listen(longer, NULL, &other, &group, &why) == ERR_USAGE && strstr(why.text, "107"));
        CHECK(local_connect(longer, &other, &why) == ERR_USAGE);
        CHECK(begin("ask", "no-such-group-here") == ERR_USAGE);
        end();
}

/* What becomes of user nobody, with the group or without: 0 let in, 1 could not connect, 2 refused when it had. */
static int as_nobody(bool is_member)
{
        int child = fork(), status = 0;
        if (child == 0) {
                int mine = -1;
                char byte;
                gid_t groups[1] = { group };
                if (setgroups(is_member, groups) || setgid(NOBODY) || setuid(NOBODY) || local_connect(path, &mine, NULL))
                        _exit(1);
                while (read(mine, &byte, 1) < 0)         /* the other side closes it, whoever we are */
                        usleep(1000);
                _exit(2);
        }
        struct local_peer peer = { -1, 0 };
        enum err e = ERR_NOT_FOUND;
        for (int i = 0; i < 200 && e == ERR_NOT_FOUND && waitpid(child, &status, WNOHANG) == 0; i++, usleep(5000))
                e = local_accept(listener, group, &peer);
        channel_close(e == OK ? peer.end : -1);
        if (e != ERR_NOT_FOUND)
                (void)waitpid(child, &status, 0);
        return e == OK ? 0 : e == ERR_REFUSED ? 2 : WEXITSTATUS(status);
}

TEST(local, lets_in_the_group_and_nobody_else)
{
        struct stat info;
        if (geteuid() != 0)
                return;
        CHECK(begin("ask", "daemon") == OK && group != (unsigned)LOCAL_NO_GROUP);
        CHECK(stat(path, &info) == 0 && (info.st_mode & 0777) == 0660 && info.st_gid == group);
        CHECK(as_nobody(true) == 0 && as_nobody(false) == 1);
        /* Whatever became of the file's mode, who it is counts. */
        CHECK(chmod(path, 0777) == 0 && as_nobody(false) == 2 && as_nobody(true) == 0);
        end();
        CHECK(begin("ask", NULL) == OK && stat(path, &info) == 0 && (info.st_mode & 0777) == 0600);
        end();
}
