#include "platform/paths.h"

#include "base/own.h"
#include "platform/os_error.h"

#include <errno.h>
#include <glob.h>
#include <string.h>
#include <sys/stat.h>

static void glob_release(glob_t *found)
{
        globfree(found);
}

enum err paths_like(const char *pattern, paths_visit *visit, void *user, struct why *why)
{
        OWN(glob) glob_t found = { 0 };
        int failed = glob(pattern, 0, NULL, &found);
        if (failed && failed != GLOB_NOMATCH)
                return FAIL(why, failed == GLOB_NOSPACE ? ERR_NOMEM : ERR_IO, "looking for %.150s", pattern);
        enum err e = OK;
        for (size_t i = 0; !e && i < found.gl_pathc; i++)
                e = visit(user, found.gl_pathv[i], why);
        return e;
}

bool paths_is_absolute(const char *path)
{
        return path[0] == '/';
}

enum err paths_real(const char *path, char real[static PATH_MAX], struct why *why)
{
        return realpath(path, real) ? OK : OS_FAIL(why, errno, "%.150s", path);
}

static const char own_program[] = "/proc/self/exe";

enum err paths_own_program(char program[static PATH_MAX], struct why *why)
{
        return paths_real(own_program, program, why);
}

bool paths_is_own_program(const char *path)
{
        struct stat one, other;
        return stat(own_program, &one) == 0 && stat(path, &other) == 0 && one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

enum err paths_own_folder(char folder[static PATH_MAX], struct why *why)
{
        enum err e = paths_own_program(folder, why);
        if (!e)
                *strrchr(folder, '/') = 0;
        return e;
}
