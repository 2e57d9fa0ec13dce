#include "platform/disk_folder.h"

#include "base/mem.h"
#include "platform/os_error.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
        READ_BYTES = 16 << 10,       /* on the stack, a call */
        PART_TRIES = 10,             /* to lock a file that others finish meanwhile */
        TREE_DEPTH_MAX = 160,        /* of remove_tree(): one open folder a level; a release's path goes 127 deep */
};

/* A new file waits under this name in the same folder until it is whole. What a power cut leaves behind is
 * not listed and is taken over by the next try. */
enum { PENDING_BYTES = DISK_NAME_MAX + 1 + sizeof(DISK_PENDING) };

struct disk_folder {
        struct disk disk;
        int root, lock;              /* lock -1: not held */
};

static void close_fd(int fd)
{
        if (fd >= 0)
                close(fd);
}
OWN_DEFINE(fd, int, close_fd)

#define GIVE_FD(fd) __extension__({ int given_ = (fd); (fd) = -1; given_; })

/* The folder that holds the last part of a path, and that part. */
struct place {
        int folder;
        char name[DISK_NAME_MAX + 1];
};
static void place_release(struct place *place) { close_fd(place->folder); }

static enum err open_below(int folder, const char *name, int *ret_fd, struct why *why)
{
        int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return OS_FAIL(why, errno, "folder %s", name);
        *ret_fd = fd;
        return OK;
}

/* Part by part with O_NOFOLLOW, so that no symbolic link on the way can lead out. */
static enum err place_open(struct disk *disk, const char *path, struct place *ret_place, struct why *why)
{
        enum err e = disk_path_check(path, why);
        if (e)
                return e;
        OWN(fd) int folder = fcntl(((struct disk_folder *)disk)->root, F_DUPFD_CLOEXEC, 0);
        if (folder < 0)
                return OS_FAIL(why, errno, "%s", path);
        size_t length;
        for (; length = strcspn(path, "/"), path[length]; path += length + 1) {
                char name[DISK_NAME_MAX + 1] = "";
                memcpy(name, path, length);
                OWN(fd) int next = -1;
                e = open_below(folder, name, &next, why);
                if (e)
                        return e;
                int old = folder;
                folder = GIVE_FD(next);
                close(old);
        }
        memcpy(ret_place->name, path, length + 1);
        ret_place->folder = GIVE_FD(folder);
        return OK;
}

/* Places start closed: OWN(place) struct place p = NOWHERE. */
#define NOWHERE { .folder = -1 }

/* The folder itself; "" is the root. */
static enum err open_folder(struct disk *disk, const char *path, int *ret_fd, struct why *why)
{
        if (!*path)
                return open_below(((struct disk_folder *)disk)->root, ".", ret_fd, why);
        OWN(place) struct place place = NOWHERE;
        enum err e = place_open(disk, path, &place, why);
        return e ? e : open_below(place.folder, place.name, ret_fd, why);
}

static enum err sync_fd(int fd, const char *name, struct why *why)
{
        return fsync(fd) ? OS_FAIL(why, errno, "writing %s to the device", name) : OK;
}

static enum err write_all(int fd, const void *bytes, size_t length, struct why *why)
{
        for (const char *from = bytes; length;) {
                ssize_t written = write(fd, from, length);
                if (written < 0 && errno == EINTR)
                        continue;
                if (written < 0)
                        return OS_FAIL(why, errno, "writing %zu bytes", length);
                from += written;
                length -= (size_t)written;
        }
        return OK;
}

static enum err open_new(int folder, const char *name, unsigned mode, int *ret_fd, struct why *why)
{
        int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
        if (fd < 0)
                return OS_FAIL(why, errno, "new file %s", name);
        *ret_fd = fd;
        return OK;
}

static enum err write_new(int folder, const char *name, const void *bytes, size_t length, struct why *why)
{
        OWN(fd) int fd = -1;
        enum err e = open_new(folder, name, 0600, &fd, why);
        if (!e)
                e = write_all(fd, bytes, length, why);
        return e ? e : sync_fd(fd, name, why);
}

/* The pending file takes its place; the folder is then made durable. */
static enum err settle(const struct place *place, const char *pending, struct why *why)
{
        if (renameat(place->folder, pending, place->folder, place->name))
                return OS_FAIL(why, errno, "replacing %s", place->name);
        return sync_fd(place->folder, place->name, why);
}

/* Where the new file of this name is made, before it takes its place; one that was left behind is gone. */
static enum err open_pending(struct disk *disk, const char *path, struct place *ret_place, char (*ret_pending)[PENDING_BYTES], struct why *why)
{
        enum err e = place_open(disk, path, ret_place, why);
        if (e)
                return e;
        snprintf(*ret_pending, sizeof(*ret_pending), "%s%s", DISK_PENDING, ret_place->name);
        unlinkat(ret_place->folder, *ret_pending, 0);
        return OK;
}

static enum err folder_replace(struct disk *disk, const char *path, const void *bytes, size_t length, struct why *why)
{
        OWN(place) struct place place = NOWHERE;
        char pending[PENDING_BYTES];
        enum err e = open_pending(disk, path, &place, &pending, why);
        if (e)
                return e;
        e = write_new(place.folder, pending, bytes, length, why);
        if (!e)
                e = settle(&place, pending, why);
        if (e)
                unlinkat(place.folder, pending, 0);
        return e;
}

enum err disk_folder_try(struct disk *disk, const char *path, struct why *why)
{
        OWN(place) struct place place = NOWHERE;
        char pending[PENDING_BYTES];
        enum err e = open_pending(disk, path, &place, &pending, why);
        if (e)
                return e;
        OWN(fd) int fd = -1;
        e = open_new(place.folder, pending, 0600, &fd, why);
        unlinkat(place.folder, pending, 0);
        return e;
}

static enum err open_regular(struct disk *disk, const char *path, int *ret_fd, uint64_t *ret_length, struct why *why)
{
        OWN(place) struct place place = NOWHERE;
        enum err e = place_open(disk, path, &place, why);
        if (e)
                return e;
        /* O_NONBLOCK: a named pipe that someone put here must not hold us up. */
        OWN(fd) int fd = openat(place.folder, place.name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        struct stat stat;
        if (fd < 0 || fstat(fd, &stat))
                return OS_FAIL(why, errno, "file %s", path);
        if (!S_ISREG(stat.st_mode))
                return FAIL(why, ERR_REFUSED, "%s: not a regular file", path);
        *ret_length = (uint64_t)stat.st_size;
        *ret_fd = GIVE_FD(fd);
        return OK;
}

static enum err read_some(int fd, void *bytes, size_t bytes_max, size_t *ret_length, struct why *why)
{
        ssize_t length;
        do
                length = read(fd, bytes, bytes_max);
        while (length < 0 && errno == EINTR);
        if (length < 0)
                return OS_FAIL(why, errno, "reading");
        *ret_length = (size_t)length;
        return OK;
}

static enum err folder_read(struct disk *disk, const char *path, struct buf *into, struct why *why)
{
        OWN(fd) int fd = -1;
        uint64_t expected;
        enum err e = open_regular(disk, path, &fd, &expected, why);
        while (!e) {
                char bytes[READ_BYTES];
                size_t length = 0;
                e = read_some(fd, bytes, sizeof(bytes), &length, why);
                if (!e && !length)
                        return OK;
                if (!e) {
                        buf_add(into, bytes, length);
                        e = buf_check(into, why);
                }
                if (e)
                        return DURING(why, e, "%s", path);
        }
        return e;
}

static enum err folder_create(struct disk *disk, const char *path, unsigned mode, int *ret_file, struct why *why)
{
        OWN(place) struct place place = NOWHERE;
        enum err e = place_open(disk, path, &place, why);
        return e ? e : open_new(place.folder, place.name, mode, ret_file, why);
}

static enum err folder_file_read(struct disk *disk, int file, void *bytes, size_t bytes_max, size_t *ret_length, struct why *why)
{
        (void)disk;
        return read_some(file, bytes, bytes_max, ret_length, why);
}

static enum err folder_file_write(struct disk *disk, int file, const void *bytes, size_t length, struct why *why)
{
        (void)disk;
        return write_all(file, bytes, length, why);
}

static enum err folder_file_sync(struct disk *disk, int file, struct why *why)
{
        (void)disk;
        return sync_fd(file, "a file", why);
}

static bool folder_file_is_program(struct disk *disk, int file)
{
        (void)disk;
        struct stat stat;
        return fstat(file, &stat) == 0 && stat.st_mode & S_IXUSR;
}

static mode_t mode_of_new(unsigned wanted)
{
        mode_t kept = umask(077);                /* it cannot be asked without being set */
        (void)umask(kept);
        return (mode_t)wanted & ~kept;
}

/* Ours is what belongs to us, or to whom the whole disk does. */
static bool folder_is_as_made(struct disk *disk, const char *path, unsigned mode)
{
        struct why why;
        struct stat found, root;
        OWN(place) struct place place = NOWHERE;
        if (place_open(disk, path, &place, &why) || fstatat(place.folder, place.name, &found, AT_SYMLINK_NOFOLLOW) || fstat(((struct disk_folder *)disk)->root, &root))
                return false;
        const bool is_ours = found.st_uid == geteuid() || found.st_uid == root.st_uid;
        const bool is_alone = S_ISDIR(found.st_mode) || (S_ISREG(found.st_mode) && found.st_nlink == 1);
        return is_ours && is_alone && (found.st_mode & (07777 & ~S_ISGID)) == mode_of_new(mode);
}

static void folder_file_close(struct disk *disk, int file)
{
        (void)disk;
        close_fd(file);
}

static enum err folder_make_folder(struct disk *disk, const char *path, struct why *why)
{
        OWN(place) struct place place = NOWHERE;
        enum err e = place_open(disk, path, &place, why);
        if (e)
                return e;
        if (!mkdirat(place.folder, place.name, 0755))
                return OK;
        struct stat stat;
        if (errno == EEXIST && !fstatat(place.folder, place.name, &stat, AT_SYMLINK_NOFOLLOW) && !S_ISDIR(stat.st_mode))
                return FAIL(why, ERR_REFUSED, "%s: not a folder: move it away", path);
        return errno == EEXIST ? OK : OS_FAIL(why, errno, "new folder %s", path);
}

static enum err folder_sync_folder(struct disk *disk, const char *path, struct why *why)
{
        OWN(fd) int fd = -1;
        enum err e = open_folder(disk, path, &fd, why);
        return e ? e : sync_fd(fd, path, why);
}

static enum err folder_remove(struct disk *disk, const char *path, struct why *why)
{
        OWN(place) struct place place = NOWHERE;
        enum err e = place_open(disk, path, &place, why);
        if (e)
                return e;
        return unlinkat(place.folder, place.name, 0) ? OS_FAIL(why, errno, "removing %s", path) : OK;
}

/* syncfs() tells of what failed since the file it is given was opened: Linux 5.8. */
static enum err folder_open_system(struct disk *disk, const char *path, int *ret_file, struct why *why)
{
        return open_folder(disk, path, ret_file, why);
}

static enum err folder_sync_system(struct disk *disk, int file, struct why *why)
{
        (void)disk;
        return syncfs(file) ? OS_FAIL(why, errno, "writing a file system to the device") : OK;
}

static enum err folder_rename(struct disk *disk, const char *from, const char *to, struct why *why)
{
        OWN(place) struct place old = NOWHERE;
        OWN(place) struct place new = NOWHERE;
        enum err e = place_open(disk, from, &old, why);
        if (!e)
                e = place_open(disk, to, &new, why);
        if (e)
                return e;
        if (renameat(old.folder, old.name, new.folder, new.name))
                return OS_FAIL(why, errno, "renaming %s to %s", from, to);
        e = sync_fd(new.folder, to, why);
        return e ? e : sync_fd(old.folder, from, why);
}

struct folder_stream {
        DIR *stream;
};
static void folder_stream_release(struct folder_stream *folder)
{
        if (folder->stream)
                closedir(folder->stream);
}

/* Calls `each` for every entry of an open folder. Takes the descriptor. */
typedef enum err each_entry(void *user, int folder, const char *name, struct why *why);

static enum err for_each_entry(int take_fd, each_entry *each, void *user, struct why *why)
{
        OWN(folder_stream) struct folder_stream folder = { fdopendir(take_fd) };
        if (!folder.stream) {
                int number = errno;
                close_fd(take_fd);
                return OS_FAIL(why, number, "listing");
        }
        for (;;) {
                errno = 0;
                struct dirent *entry = readdir(folder.stream);
                if (!entry)
                        return errno ? OS_FAIL(why, errno, "listing") : OK;
                if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
                        continue;
                enum err e = each(user, dirfd(folder.stream), entry->d_name, why);
                if (e)
                        return e;
        }
}

static enum err remove_entry(void *depth_user, int folder, const char *name, struct why *why)
{
        unsigned depth = *(unsigned *)depth_user;
        if (!unlinkat(folder, name, 0) || errno == ENOENT)
                return OK;
        if (errno != EISDIR && errno != EPERM)
                return OS_FAIL(why, errno, "removing %s", name);
        if (depth == TREE_DEPTH_MAX)
                return FAIL(why, ERR_LIMIT, "removing %s: folders more than %d deep", name, TREE_DEPTH_MAX);
        int below = -1;
        enum err e = open_below(folder, name, &below, why);
        if (!e)
                e = for_each_entry(below, remove_entry, &(unsigned){ depth + 1 }, why);
        if (!e && unlinkat(folder, name, AT_REMOVEDIR))
                e = OS_FAIL(why, errno, "removing folder %s", name);
        return e;
}

static enum err folder_remove_tree(struct disk *disk, const char *path, struct why *why)
{
        OWN(place) struct place place = NOWHERE;
        enum err e = place_open(disk, path, &place, why);
        if (e)
                return e == ERR_NOT_FOUND ? OK : e;
        e = remove_entry(&(unsigned){ 1 }, place.folder, place.name, why);
        return e ? e : sync_fd(place.folder, path, why);
}

struct visit {
        disk_visit *visit;
        void *user;
};

static enum err visit_entry(void *user, int folder, const char *name, struct why *why)
{
        const struct visit *visit = user;
        struct stat stat;
        if (strncmp(name, DISK_PENDING, strlen(DISK_PENDING)) == 0)
                return OK;
        if (fstatat(folder, name, &stat, AT_SYMLINK_NOFOLLOW))
                return errno == ENOENT ? OK : OS_FAIL(why, errno, "%s", name);
        enum disk_kind kind = S_ISREG(stat.st_mode) ? DISK_FILE : S_ISDIR(stat.st_mode) ? DISK_FOLDER
                              : S_ISLNK(stat.st_mode) ? DISK_LINK : DISK_OTHER;
        return visit->visit(visit->user, name, kind, kind == DISK_FILE ? (uint64_t)stat.st_size : 0, why);
}

static enum err folder_list(struct disk *disk, const char *path, disk_visit *visit, void *user, struct why *why)
{
        int fd = -1;
        enum err e = open_folder(disk, path, &fd, why);
        return e ? e : for_each_entry(fd, visit_entry, &(struct visit){ visit, user }, why);
}

static enum err folder_point(struct disk *disk, const char *path, const char *target, struct why *why)
{
        OWN(place) struct place place = NOWHERE;
        char pending[PENDING_BYTES];
        enum err e = disk_name_check(target, why);
        if (!e)
                e = open_pending(disk, path, &place, &pending, why);
        if (e)
                return e;
        if (symlinkat(target, place.folder, pending))
                return OS_FAIL(why, errno, "new link %s", path);
        e = settle(&place, pending, why);
        if (e)
                unlinkat(place.folder, pending, 0);
        return e;
}

static enum err folder_pointed(struct disk *disk, const char *path, char target[DISK_NAME_MAX + 1], struct why *why)
{
        OWN(place) struct place place = NOWHERE;
        enum err e = place_open(disk, path, &place, why);
        if (e)
                return e;
        ssize_t length = readlinkat(place.folder, place.name, target, DISK_NAME_MAX + 1);
        if (length < 0 && errno != EINVAL)
                return OS_FAIL(why, errno, "link %s", path);
        if (length < 0 || length > DISK_NAME_MAX)
                return FAIL(why, ERR_NOT_FOUND, "%s: not a link to a name", path);
        target[length] = 0;
        return OK;
}

static enum err folder_free_bytes(struct disk *disk, uint64_t *ret_bytes, struct why *why)
{
        struct statvfs stat;
        if (fstatvfs(((struct disk_folder *)disk)->root, &stat))
                return OS_FAIL(why, errno, "asking for free room");
        *ret_bytes = (uint64_t)stat.f_bavail * stat.f_frsize;
        return OK;
}

static const struct disk_ops folder_ops = {
        .replace = folder_replace, .read = folder_read, .create = folder_create, .open = open_regular,
        .file_read = folder_file_read, .file_write = folder_file_write, .file_sync = folder_file_sync,
        .file_close = folder_file_close, .file_is_program = folder_file_is_program, .is_as_made = folder_is_as_made, .make_folder = folder_make_folder, .sync_folder = folder_sync_folder,
        .remove = folder_remove, .open_system = folder_open_system, .sync_system = folder_sync_system,
        .rename = folder_rename, .remove_tree = folder_remove_tree, .list = folder_list, .point = folder_point,
        .pointed = folder_pointed, .free_bytes = folder_free_bytes,
};

static enum err attach(int *take_fd, const char *root, struct disk **ret_disk, struct why *why)
{
        struct disk_folder *folder = mem_new(1, sizeof(*folder));
        if (!folder)
                return FAIL(why, ERR_NOMEM, "out of memory for folder %s", root);
        folder->disk.ops = &folder_ops;
        folder->root = GIVE_FD(*take_fd);
        folder->lock = -1;
        *ret_disk = &folder->disk;
        return OK;
}

static enum err sync_parent(int folder, const char *root, struct why *why)
{
        OWN(fd) int parent = openat(folder, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (parent < 0)
                return OS_FAIL(why, errno, "the folder above %s", root);
        return sync_fd(parent, root, why);
}

enum err disk_folder_open(const char *root, struct disk **ret_disk, struct why *why)
{
        bool is_new = mkdir(root, 0700) == 0;
        if (!is_new && errno != EEXIST)
                return OS_FAIL(why, errno, "making folder %s", root);
        OWN(fd) int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return OS_FAIL(why, errno, "opening folder %s", root);
        enum err e = is_new ? sync_parent(fd, root, why) : OK;
        return e ? e : attach(&fd, root, ret_disk, why);
}

static int open_inside(const char *root, const char *below)
{
        OWN(fd) int top = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
        struct open_how how = { .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT };
        return top < 0 ? -1 : (int)syscall(SYS_openat2, top, below, &how, sizeof(how));
}

enum err disk_folder_find(const char *root, const char *below, struct disk **ret_disk, struct why *why)
{
        OWN(fd) int fd = below ? open_inside(root, below) : open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return OS_FAIL(why, errno, "folder %s%s%s", root, below ? "/" : "", below ? below : "");
        return attach(&fd, root, ret_disk, why);
}

/* Nobody changes anything on a read-only file system, so nobody needs the lock that cannot be made there. */
enum err disk_folder_lock(struct disk *disk, struct why *why)
{
        struct disk_folder *folder = (struct disk_folder *)disk;
        folder->lock = openat(folder->root, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (folder->lock < 0 && errno == EROFS)
                return OK;
        if (folder->lock < 0)
                return OS_FAIL(why, errno, "the lock of the state folder");
        if (!flock(folder->lock, LOCK_EX | LOCK_NB))
                return OK;
        return errno == EWOULDBLOCK ? FAIL(why, ERR_BUSY, "the state folder is in use by another process: end that one first")
                                    : OS_FAIL(why, errno, "the lock of the state folder");
}

/* Locked before it is emptied; and what has the name then must be what was locked, or it is somebody's finished file by now. */
static enum err take_part(const struct disk_folder *folder, const char *name, int *fd, bool *ret_is_ours, struct why *why)
{
        struct stat open_one, named;
        if (fstat(*fd, &open_one))
                return OS_FAIL(why, errno, "%s", name);
        if (!S_ISREG(open_one.st_mode))
                return FAIL(why, ERR_REFUSED, "%s: not a regular file", name);
        if (flock(*fd, LOCK_EX | LOCK_NB))
                return errno == EWOULDBLOCK ? FAIL(why, ERR_BUSY, "another process is downloading into this folder") : OS_FAIL(why, errno, "locking %s", name);
        *ret_is_ours = fstatat(folder->root, name, &named, AT_SYMLINK_NOFOLLOW) == 0 && named.st_dev == open_one.st_dev && named.st_ino == open_one.st_ino;
        return *ret_is_ours && ftruncate(*fd, 0) ? OS_FAIL(why, errno, "emptying %s", name) : OK;
}

enum err disk_folder_part(struct disk *disk, const char *name, int *ret_file, struct why *why)
{
        const struct disk_folder *folder = (struct disk_folder *)disk;
        for (int tries = 0; tries < PART_TRIES; tries++) {
                bool is_ours = false;
                OWN(fd) int fd = openat(folder->root, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
                if (fd < 0)
                        return OS_FAIL(why, errno, "%s", name);
                enum err e = take_part(folder, name, &fd, &is_ours, why);
                if (e)
                        return e;
                if (is_ours) {
                        *ret_file = GIVE_FD(fd);
                        return OK;
                }
        }
        return FAIL(why, ERR_BUSY, "other processes are downloading into this folder");
}

bool disk_folder_is(const struct disk *disk, const struct disk *other)
{
        struct stat one, two;
        return fstat(((const struct disk_folder *)disk)->root, &one) == 0 && fstat(((const struct disk_folder *)other)->root, &two) == 0 && one.st_dev == two.st_dev &&
               one.st_ino == two.st_ino;
}

void disk_folder_close(struct disk *disk)
{
        if (!disk)
                return;
        close_fd(((struct disk_folder *)disk)->lock);
        close_fd(((struct disk_folder *)disk)->root);
        mem_free(disk);
}
