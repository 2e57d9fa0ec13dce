#include "platform/user.h"

#include "platform/os_error.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RECORD_BYTES = 4096 };

enum err user_find(const char *name, struct user *ret_user, struct why *why)
{
        char record[RECORD_BYTES];
        struct passwd entry, *found = NULL;
        int failed = getpwnam_r(name, &entry, record, sizeof(record), &found);
        if (failed)
                return OS_FAIL(why, failed, "looking for the user %.60s", name);
        if (!found)
                return FAIL(why, ERR_NOT_FOUND, "there is no user %.60s on this machine", name);
        *ret_user = (struct user){ entry.pw_uid, entry.pw_gid };
        return OK;
}

bool user_may_change(void)
{
        return geteuid() == 0;
}

static enum err give(int folder, const char *path, const struct user *user, struct why *why)
{
        struct stat info;
        if (fstat(folder, &info))
                return OS_FAIL(why, errno, "opening %.150s", path);
        if (info.st_uid == user->number && info.st_gid == user->group && (info.st_mode & 07777) == 0700)
                return OK;
        if (fchown(folder, user->number, user->group) || fchmod(folder, 0700))
                return OS_FAIL(why, errno, "giving %.150s to user %u", path, user->number);
        return OK;
}

enum err user_give_folder(const char *path, const struct user *user, struct why *why)
{
        int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (folder < 0)
                return OS_FAIL(why, errno, "opening %.150s", path);
        enum err e = give(folder, path, user, why);
        close(folder);
        return e;
}

bool user_become(const struct user *user)
{
        return !setgroups(0, NULL) && !setresgid(user->group, user->group, user->group) && !setresuid(user->number, user->number, user->number);
}
