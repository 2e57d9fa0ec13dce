#include "platform/file.h"

#include "platform/os_error.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum file_kind file_kind(const char *path)
{
        struct stat found;
        if (stat(path, &found) != 0)
                return FILE_ABSENT;
        return S_ISREG(found.st_mode) ? FILE_REGULAR : S_ISDIR(found.st_mode) ? FILE_FOLDER : FILE_OTHER;
}

static bool is_folder_empty(const char *path)
{
        DIR *folder = opendir(path);
        bool is_empty = folder;
        for (const struct dirent *entry; is_empty && (entry = readdir(folder));)
                is_empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
        if (folder)
                closedir(folder);
        return is_empty;
}

bool file_is_empty(const char *path)
{
        struct stat found;
        if (stat(path, &found) != 0)
                return false;
        return S_ISDIR(found.st_mode) ? is_folder_empty(path) : S_ISREG(found.st_mode) && found.st_size == 0;
}

enum err file_check_regular(const char *path, struct why *why)
{
        static const char *const names[] = { [FILE_ABSENT] = NULL, [FILE_REGULAR] = NULL, [FILE_FOLDER] = "a folder", [FILE_OTHER] = "a pipe or a device" };
        enum file_kind kind = file_kind(path);
        return names[kind] ? FAIL(why, ERR_REFUSED, "%s is %s, not a file", path, names[kind]) : OK;
}

bool file_can_be_read(const char *path)
{
        return access(path, R_OK) == 0;
}

enum err file_check_own(const char *path, struct why *why)
{
        struct stat found;
        if (stat(path, &found) != 0)
                return OS_FAIL(why, errno, "%s", path);
        if (found.st_uid != geteuid())
                return FAIL(why, ERR_REFUSED, "%s is user %u's and this is user %u: start it as that one, or give it to this one (chown -R)", path, found.st_uid, geteuid());
        if (found.st_mode & (S_IWGRP | S_IWOTH))
                return FAIL(why, ERR_REFUSED, "others than its owner may write to %s: chmod 700 %s", path, path);
        return OK;
}

unsigned file_mode(const char *path)
{
        struct stat found;
        if (stat(path, &found) == 0)
                return found.st_mode & 0777;
        mode_t kept = umask(077);                /* it cannot be asked without being set */
        (void)umask(kept);
        return 0666 & ~kept;
}

void file_set_mode(const char *path, unsigned mode)
{
        (void)!chmod(path, mode);
}

uint64_t file_mark(const char *path)
{
        struct stat found;
        if (stat(path, &found) != 0)
                return 0;
        uint64_t changed = (uint64_t)found.st_ctim.tv_sec * 1000000000u + (uint64_t)found.st_ctim.tv_nsec;
        return (changed ^ found.st_ino * 0x9e3779b97f4a7c15u) | 1;
}

void file_private(void)
{
        (void)umask(077);
}

static enum err read_all(int take_file, const char *path, struct buf *into, struct why *why)
{
        enum err e = OK;
        for (ssize_t n = 1; !e && n;) {
                char part[4096];
                n = read(take_file, part, sizeof(part));
                if (n < 0 && errno != EINTR)
                        e = OS_FAIL(why, errno, "%s", path);
                if (n > 0) {
                        buf_add(into, part, (size_t)n);
                        e = buf_check(into, why);
                        if (e)
                                e = DURING(why, e, "reading %.150s", path);
                }
        }
        close(take_file);
        return e;
}

enum err file_read(const char *path, struct buf *into, struct why *why)
{
        int file = open(path, O_RDONLY | O_CLOEXEC);
        return file < 0 ? OS_FAIL(why, errno, "%s", path) : read_all(file, path, into, why);
}

enum err file_read_input(struct buf *into, struct why *why)
{
        return read_all(STDIN_FILENO, "standard input", into, why);
}

static enum err open_regular(const char *path, int *ret_file, struct why *why)
{
        struct stat found;
        int file = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (file < 0)
                return OS_FAIL(why, errno, "%s", path);
        if (fstat(file, &found) == 0 && S_ISREG(found.st_mode)) {
                *ret_file = file;
                return OK;
        }
        close(file);
        return FAIL(why, ERR_REFUSED, "%s is no file", path);
}

enum err file_read_regular(const char *path, struct buf *into, struct why *why)
{
        int file;
        enum err e = open_regular(path, &file, why);
        return e ? e : read_all(file, path, into, why);
}

enum err file_read_parts(const char *path, file_take *take, void *user, struct why *why)
{
        int file;
        enum err e = open_regular(path, &file, why);
        if (e)
                return e;
        for (ssize_t n = 1; !e && n;) {
                char part[16384];
                n = read(file, part, sizeof(part));
                if (n < 0 && errno != EINTR)
                        e = OS_FAIL(why, errno, "%s", path);
                if (n > 0)
                        take(user, part, (size_t)n);
        }
        close(file);
        return e;
}

enum err file_write(const char *path, const void *bytes, size_t length, struct why *why)
{
        int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (file < 0)
                return OS_FAIL(why, errno, "%s", path);
        enum err e = OK;
        for (size_t done = 0; !e && done < length;) {
                ssize_t n = write(file, (const char *)bytes + done, length - done);
                if (n < 0 && errno != EINTR)
                        e = OS_FAIL(why, errno, "%s", path);
                done += n > 0 ? (size_t)n : 0;
        }
        if (close(file) != 0 && !e)
                e = OS_FAIL(why, errno, "%s", path);
        return e;
}

void file_remove(const char *path)
{
        unlink(path);
}

enum err file_temporary(char path[static 64], struct why *why)
{
        const char *base = getenv("TMPDIR");
        if (!base || !base[0] || strlen(base) > 40)
                base = "/tmp";
        snprintf(path, 64, "%s/firebreak-XXXXXX", base);
        return mkdtemp(path) ? OK : OS_FAIL(why, errno, "%s", path);
}

static int remove_one(const char *path, const struct stat *found, int kind, struct FTW *where)
{
        (void)found;
        (void)kind;
        (void)where;
        remove(path);
        return 0;
}

void file_remove_tree(const char *path)
{
        nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
