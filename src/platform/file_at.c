#include "platform/file_at.h"

#include "platform/os_error.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum err file_at_open(const char *path, enum file_at_how how, int *ret_file, uint64_t *ret_length, struct why *why)
{
        struct stat info;
        int file = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | (how == FILE_AT_NO_LINK ? O_NOFOLLOW : 0));
        if (file < 0 && (errno == ELOOP || errno == ENXIO))
                return FAIL(why, ERR_REFUSED, "%s is no file", path);
        if (file < 0 && (errno == EACCES || errno == EPERM))
                return FAIL(why, ERR_IO, "%s: %s", path, strerror(errno));
        if (file < 0)
                return OS_FAIL(why, errno, "%s", path);
        if (fstat(file, &info) || !S_ISREG(info.st_mode)) {
                close(file);
                return FAIL(why, ERR_REFUSED, "%s is no file", path);
        }
        *ret_file = file;
        *ret_length = (uint64_t)info.st_size;
        return OK;
}

bool file_at_read(int file, uint64_t offset, void *bytes, size_t length)
{
        size_t done = 0;
        while (done < length) {
                ssize_t got = pread(file, (char *)bytes + done, length - done, (off_t)(offset + done));
                if (got == 0 || (got < 0 && errno != EINTR))
                        return false;
                done += got > 0 ? (size_t)got : 0;
        }
        return true;
}

enum err file_at_write(int file, uint64_t offset, const void *bytes, size_t length, struct why *why)
{
        for (size_t done = 0; done < length;) {
                ssize_t put = pwrite(file, (const char *)bytes + done, length - done, (off_t)(offset + done));
                if (put < 0 && errno == EINTR)
                        continue;
                if (put <= 0)
                        return FAIL(why, errno == ENOSPC || errno == EDQUOT ? ERR_FULL : ERR_IO, "%s", strerror(errno));
                done += (size_t)put;
        }
        return OK;
}

enum err file_at_empty(int file, struct why *why)
{
        return ftruncate(file, 0) == 0 ? OK : FAIL(why, ERR_IO, "%s", strerror(errno));
}
