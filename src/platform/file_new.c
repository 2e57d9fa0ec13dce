#include "platform/file_new.h"

#include "base/mem.h"
#include "platform/os_error.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct file_new {
        int folder;                              /* locked while we write */
        bool is_there;                           /* beside: ours, and not in its place yet */
        char path[PATH_MAX], beside[PATH_MAX];
};

static void fd_release(int *fd)
{
        if (*fd >= 0)
                close(*fd);
}

/* A file system without locks has none to wait for. */
static enum err open_folder(struct file_new *file, const char *folder, struct why *why)
{
        file->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (file->folder < 0)
                return OS_FAIL(why, errno, "folder %s", folder);
        return flock(file->folder, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK ? FAIL(why, ERR_BUSY, "another process is writing into %s: try again", folder) : OK;
}

static enum err name_both(struct file_new *file, const char *path, struct why *why)
{
        const char *slash = strrchr(path, '/');
        char folder[PATH_MAX];
        int before = slash ? (int)(slash - path) + 1 : 0;
        if (!path[before] || (size_t)snprintf(file->path, sizeof(file->path), "%s", path) >= sizeof(file->path) ||
            (size_t)snprintf(file->beside, sizeof(file->beside), "%.*s.%s.new", before, path, path + before) >= sizeof(file->beside))
                return FAIL(why, ERR_USAGE, "%.200s: not the path of a file of less than %d bytes", path, PATH_MAX - 6);
        snprintf(folder, sizeof(folder), "%.*s", before ? before : 1, before ? path : ".");
        return open_folder(file, folder, why);
}

static enum err write_all(int fd, const void *bytes, size_t length, struct why *why)
{
        for (const char *from = bytes; length;) {
                ssize_t written = write(fd, from, length);
                if (written < 0 && errno != EINTR)
                        return OS_FAIL(why, errno, "writing");
                from += written > 0 ? written : 0;
                length -= written > 0 ? (size_t)written : 0;
        }
        return fsync(fd) ? OS_FAIL(why, errno, "writing it to the device") : OK;
}

static enum err write_beside(struct file_new *file, const void *bytes, size_t length, struct why *why)
{
        struct stat old;
        unlink(file->beside);
        OWN(fd) int fd = open(file->beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return OS_FAIL(why, errno, "%s", file->beside);
        file->is_there = true;
        if (stat(file->path, &old) == 0 && old.st_uid != geteuid())
                (void)!fchown(fd, old.st_uid, old.st_gid);       /* root may; who may not gets it as his own */
        enum err e = write_all(fd, bytes, length, why);
        return e ? DURING(why, e, "%s", file->beside) : OK;
}

enum err file_new_write(const char *path, const void *bytes, size_t length, struct file_new **ret_file, struct why *why)
{
        OWN(file_new) struct file_new *file = mem_new(1, sizeof(*file));
        if (!file)
                return FAIL(why, ERR_NOMEM, "no memory to write %.200s", path);
        file->folder = -1;
        enum err e = name_both(file, path, why);
        if (!e)
                e = write_beside(file, bytes, length, why);
        if (!e)
                *ret_file = GIVE(file);
        return e;
}

void file_new_close(struct file_new *file)
{
        if (!file)
                return;
        if (file->is_there)
                unlink(file->beside);
        fd_release(&file->folder);
        mem_free(file);
}

const char *file_new_path(const struct file_new *file)
{
        return file->beside;
}

/* Never over what is there, also when that came this moment. A file system that knows no such renaming knows links. */
static int rename_only_new(const struct file_new *file)
{
        if (renameat2(AT_FDCWD, file->beside, AT_FDCWD, file->path, RENAME_NOREPLACE) == 0)
                return 0;
        if (errno != EINVAL && errno != ENOSYS)
                return -1;
        return link(file->beside, file->path) == 0 ? unlink(file->beside) : -1;
}

enum err file_new_settle(struct file_new *file, enum file_place place, struct why *why)
{
        if (place == FILE_REPLACE ? rename(file->beside, file->path) : rename_only_new(file))
                return OS_FAIL(why, errno, "%s", file->path);
        file->is_there = false;
        return fsync(file->folder) ? OS_FAIL(why, errno, "writing %s to the device", file->path) : OK;
}
