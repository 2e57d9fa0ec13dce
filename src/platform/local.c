#include "platform/local.h"

#include "platform/os_error.h"

#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 128, GROUPS_MAX = 1024, GROUP_BYTES = 16384 };

static enum err name_of(const char *path, struct sockaddr_un *ret_name, struct why *why)
{
        size_t length = strlen(path);
        if (length > LOCAL_PATH_MAX)
                return FAIL(why, ERR_USAGE, "%.120s: the path of a socket has %d bytes at most", path, LOCAL_PATH_MAX);
        *ret_name = (struct sockaddr_un){ .sun_family = AF_UNIX };
        memcpy(ret_name->sun_path, path, length);
        return OK;
}

enum err local_check(const char *path, struct why *why)
{
        return path[0] == '/' ? OK : FAIL(why, ERR_USAGE, "%.120s is no absolute path", path);
}

static enum err find_group(const char *name, unsigned *ret_group, struct why *why)
{
        struct group group, *found = NULL;
        char text[GROUP_BYTES];
        *ret_group = LOCAL_NO_GROUP;
        if (!name)
                return OK;
        int failed = getgrnam_r(name, &group, text, sizeof(text), &found);
        if (!found)
                return failed ? OS_FAIL(why, failed, "looking for the group %.64s", name) : FAIL(why, ERR_USAGE, "there is no group %.64s", name);
        *ret_group = found->gr_gid;
        return OK;
}

/* Whoever may write to the folder could put a socket of his own in the place of ours. */
static enum err check_folder(const char *path, struct why *why)
{
        char folder[LOCAL_PATH_MAX + 1];
        struct stat info;
        const char *name = strrchr(path, '/');
        if (path[0] != '/' || !name[1])
                return FAIL(why, ERR_USAGE, "%s: a socket has an absolute path", path);
        snprintf(folder, sizeof(folder), "%.*s", name == path ? 1 : (int)(name - path), path);
        if (mkdir(folder, 0755) && errno != EEXIST)
                return OS_FAIL(why, errno, "%s", folder);
        if (lstat(folder, &info))
                return OS_FAIL(why, errno, "%s", folder);
        bool is_ours = S_ISDIR(info.st_mode) && (info.st_uid == 0 || info.st_uid == geteuid()) && !(info.st_mode & (S_IWGRP | S_IWOTH));
        return is_ours ? OK : FAIL(why, ERR_REFUSED, "%s is no folder that only its owner, root or this user, may write to", folder);
}

static enum err clear_place(const char *path, struct why *why)
{
        struct stat info;
        if (lstat(path, &info))
                return errno == ENOENT ? OK : OS_FAIL(why, errno, "%s", path);
        if (!S_ISSOCK(info.st_mode))
                return FAIL(why, ERR_REFUSED, "%s is there and is no socket", path);
        return unlink(path) ? OS_FAIL(why, errno, "%s", path) : OK;
}

/* Nobody may connect before its owner and mode are right. */
static enum err put(int take_socket, const struct sockaddr_un *name, unsigned group, struct why *why)
{
        mode_t kept = umask(0777);
        bool is_bound = bind(take_socket, (const struct sockaddr *)name, sizeof(*name)) == 0;
        int failed = errno;
        (void)umask(kept);
        if (is_bound && ((group != LOCAL_NO_GROUP && lchown(name->sun_path, (uid_t)-1, group)) || chmod(name->sun_path, group != LOCAL_NO_GROUP ? 0660 : 0600)
                         || listen(take_socket, BACKLOG))) {
                failed = errno;
                (void)unlink(name->sun_path);
                is_bound = false;
        }
        return is_bound ? OK : OS_FAIL(why, failed, "%s", name->sun_path);
}

enum err local_listen(const char *path, const char *group, int *ret_socket, unsigned *ret_group, struct why *why)
{
        struct sockaddr_un name;
        unsigned number;
        enum err e = name_of(path, &name, why);
        if (!e)
                e = find_group(group, &number, why);
        if (!e)
                e = check_folder(path, why);
        if (!e)
                e = clear_place(path, why);
        if (e)
                return e;
        int end = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        e = end < 0 ? OS_FAIL(why, errno, "a socket for %s", path) : put(end, &name, number, why);
        if (e && end >= 0)
                close(end);
        if (!e) {
                *ret_socket = end;
                *ret_group = number;
        }
        return e;
}

static bool is_member(int end, unsigned group)
{
        gid_t groups[GROUPS_MAX];
        socklen_t length = sizeof(groups);
        if (group == LOCAL_NO_GROUP || getsockopt(end, SOL_SOCKET, SO_PEERGROUPS, groups, &length))
                return false;
        for (size_t i = 0; i < length / sizeof(groups[0]); i++)
                if (groups[i] == group)
                        return true;
        return false;
}

enum err local_accept(int socket, unsigned group, struct local_peer *ret_peer)
{
        struct ucred who;
        socklen_t length = sizeof(who);
        int end = accept4(socket, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (end < 0)
                return ERR_NOT_FOUND;
        bool is_known = getsockopt(end, SOL_SOCKET, SO_PEERCRED, &who, &length) == 0;
        if (is_known && (who.uid == 0 || who.uid == geteuid() || (group != LOCAL_NO_GROUP && who.gid == group) || is_member(end, group))) {
                *ret_peer = (struct local_peer){ end, who.uid };
                return OK;
        }
        close(end);
        return ERR_REFUSED;
}

enum err local_connect(const char *path, int *ret_end, struct why *why)
{
        struct sockaddr_un name;
        enum err e = name_of(path, &name, why);
        if (e)
                return e;
        int end = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (end < 0)
                return OS_FAIL(why, errno, "a socket");
        if (connect(end, (const struct sockaddr *)&name, sizeof(name)) == 0) {
                *ret_end = end;
                return OK;
        }
        int failed = errno;
        close(end);
        if (failed == EAGAIN)
                return FAIL(why, ERR_BUSY, "%s: many ask, try again", path);
        return failed == ECONNREFUSED || failed == ENOENT ? FAIL(why, ERR_NOT_FOUND, "nobody listens at %s", path) : OS_FAIL(why, failed, "%s", path);
}

enum local_taken local_take(int end, void *bytes, size_t bytes_max, size_t *ret_length)
{
        ssize_t got = recv(end, bytes, bytes_max, MSG_DONTWAIT | MSG_TRUNC);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
                return LOCAL_NOTHING;
        if (got <= 0)
                return LOCAL_GONE;       /* an empty message looks like an end, and none of ours is empty */
        if ((size_t)got > bytes_max)
                return LOCAL_TOO_LONG;
        *ret_length = (size_t)got;
        return LOCAL_MESSAGE;
}

bool local_give(int end, const void *bytes, size_t length)
{
        return send(end, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)length;
}
