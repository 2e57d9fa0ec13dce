#include "platform/mounts.h"

enum err mounts_names(const char *path, paths_visit *visit, void *user, struct why *why)
{
        (void)visit, (void)user;
        return FAIL(why, ERR_NOT_FOUND, "%.150s: Windows does not say where else it is mounted", path);
}
