#include "agent/pinned.h"

#include "base/limits.h"
#include "platform/file.h"

#include <stdio.h>

enum { NAME_MAX_BYTES = 32 };

enum err pinned_read(const char *trust, const char *name, struct buf *into, struct why *why)
{
        char path[LIMIT_PATH_BYTES + 1 + NAME_MAX_BYTES];
        if (snprintf(path, sizeof(path), "%s/%s", trust, name) >= (int)sizeof(path))
                return FAIL(why, ERR_LIMIT, "the path of %s is too long", name);
        return file_read(path, into, why);
}
