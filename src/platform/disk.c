#include "platform/disk.h"

#include <string.h>

static bool is_good_part(const char *part, size_t length)
{
        return length > 0 && length <= DISK_NAME_MAX && !(length == 1 && part[0] == '.')
               && !(length == 2 && part[0] == '.' && part[1] == '.');
}

enum err disk_path_check(const char *path, struct why *why)
{
        if (strlen(path) > DISK_PATH_MAX)
                return FAIL(why, ERR_LIMIT, "a path of more than %d bytes", DISK_PATH_MAX);
        for (const char *part = path;; part++) {
                size_t length = strcspn(part, "/");
                if (!is_good_part(part, length))
                        return FAIL(why, ERR_USAGE, "%.100s: not a relative path without empty parts, `.` or `..`", path);
                part += length;
                if (!*part)
                        return OK;
        }
}

enum err disk_name_check(const char *name, struct why *why)
{
        if (strchr(name, '/') || !is_good_part(name, strlen(name)))
                return FAIL(why, ERR_USAGE, "%.100s: not the name of a file in the same folder", name);
        return OK;
}
