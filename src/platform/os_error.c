#include "platform/os_error.h"

#include <errno.h>
#include <string.h>

static const struct row {
        int number;
        enum err err;
        const char *text;            /* NULL: what the C library calls it */
} rows[] = {
        { ENOENT, ERR_NOT_FOUND, NULL },
        { ENOTDIR, ERR_NOT_FOUND, "a part of the path is not a folder" },
        { EEXIST, ERR_BUSY, "there already" },
        { EBUSY, ERR_BUSY, NULL },
        { ENOTEMPTY, ERR_BUSY, "a folder with something in it is there already" },
        { EISDIR, ERR_REFUSED, "a folder is in its place: move it away" },
        { EADDRINUSE, ERR_BUSY, "another program listens there: stop it or choose another port" },
        { ENOSPC, ERR_FULL, "no room on the file system: free some or give it more" },
        { EDQUOT, ERR_FULL, "the disk quota is used up: free some or raise it" },
        { ENOMEM, ERR_NOMEM, NULL },
        { EMFILE, ERR_LIMIT, "too many open files in this process: raise its limit (ulimit -n)" },
        { ENFILE, ERR_LIMIT, "too many open files on this machine: raise fs.file-max" },
        { EFBIG, ERR_FULL, "past a limit on the size of files: raise it (ulimit -f, LimitFSIZE)" },
        { ENAMETOOLONG, ERR_LIMIT, NULL },
        { ELOOP, ERR_REFUSED, "a symbolic link is in the way; links are not followed here" },
        { ENXIO, ERR_REFUSED, "a socket or device is in its place: move it away" },
        { EACCES, ERR_REFUSED, "permission denied: check owner and mode" },
        { EPERM, ERR_REFUSED, "not permitted: check owner, mode and mount options" },
        { EROFS, ERR_IO, "the file system is read-only: check it and mount it writable" },
        { EIO, ERR_IO, "the device reports an error: check the disk" },
        { ETIMEDOUT, ERR_TIMEOUT, NULL },
        { ECONNREFUSED, ERR_UNAVAILABLE, "nothing listens there" },
        { EHOSTUNREACH, ERR_UNAVAILABLE, NULL },
        { ENETUNREACH, ERR_UNAVAILABLE, NULL },
};

enum err os_start(struct why *why, int number, const char *file, int line)
{
        const struct row *row = NULL;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && !row; i++)
                if (rows[i].number == number)
                        row = &rows[i];
        char name[96];
        const char *text = row && row->text ? row->text : strerror_r(number, name, sizeof(name));
        return why_start(why, row ? row->err : ERR_IO, file, line, "%s", text);
}
