#include "platform/paths.h"

#include "base/arena.h"
#include "platform/windows/wide.h"

#include <stdlib.h>
#include <string.h>
#include <windows.h>

enum { MATCHES_MAX = 4096, MATCHES_BYTES = 4 << 20 };

bool paths_is_absolute(const char *path)
{
        bool has_drive = ((path[0] >= 'a' && path[0] <= 'z') || (path[0] >= 'A' && path[0] <= 'Z')) && path[1] == ':' && (path[2] == '/' || path[2] == '\\');
        return has_drive || (path[0] == '\\' && path[1] == '\\');
}

static int by_name(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

static enum err visit_sorted(char **names, size_t count, const char *pattern, paths_visit *visit, void *user, struct why *why)
{
        enum err e = OK;
        char path[PATH_MAX];
        const char *slash = strrchr(pattern, '/');
        qsort(names, count, sizeof(names[0]), by_name);
        for (size_t i = 0; !e && i < count; i++)
                if (snprintf(path, sizeof(path), "%.*s%s", slash ? (int)(slash - pattern) + 1 : 0, pattern, names[i]) < (int)sizeof(path))
                        e = visit(user, path, why);
        return e;
}

/* `*` and `?` in the last part alone. */
enum err paths_like(const char *pattern, paths_visit *visit, void *user, struct why *why)
{
        wchar_t wide[WIDE_PATH_MAX];
        WIN32_FIND_DATAW found;
        HANDLE search = wide_path(pattern, wide) ? FindFirstFileW(wide, &found) : INVALID_HANDLE_VALUE;
        if (search == INVALID_HANDLE_VALUE)
                return OK;
        OWN(arena) struct arena *arena = arena_new(MATCHES_BYTES);
        char **names = arena ? arena_alloc(arena, MATCHES_MAX, sizeof(names[0])) : NULL;
        size_t count = 0;
        enum err e = names ? OK : FAIL(why, ERR_NOMEM, "looking for %.150s", pattern);
        while (!e) {
                char name[4 * MAX_PATH];
                bool is_one = wide_narrow(found.cFileName, name, sizeof(name)) && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
                if (is_one && (count == MATCHES_MAX || !(names[count++] = arena_strdup(arena, name))))
                        e = FAIL(why, ERR_LIMIT, "more than %d files are like %.150s", MATCHES_MAX, pattern);
                if (!FindNextFileW(search, &found))
                        break;
        }
        FindClose(search);
        if (!e)
                e = visit_sorted(names, count, pattern, visit, user, why);
        return e;
}

enum err paths_real(const char *path, char real[static PATH_MAX], struct why *why)
{
        wchar_t wide[WIDE_PATH_MAX], final[WIDE_PATH_MAX];
        HANDLE file = wide_path(path, wide) ? CreateFileW(wide, 0, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL)
                                            : INVALID_HANDLE_VALUE;
        if (file == INVALID_HANDLE_VALUE)
                return WIN_FAIL(why, GetLastError(), "%.150s", path);
        DWORD length = GetFinalPathNameByHandleW(file, final, WIDE_PATH_MAX, 0);
        CloseHandle(file);
        return length && length < WIDE_PATH_MAX && wide_narrow_path(final, real, PATH_MAX) ? OK : FAIL(why, ERR_LIMIT, "%.150s: too long a path", path);
}

enum err paths_own_program(char program[static PATH_MAX], struct why *why)
{
        wchar_t wide[WIDE_PATH_MAX];
        DWORD length = GetModuleFileNameW(NULL, wide, WIDE_PATH_MAX);
        return length && length < WIDE_PATH_MAX && wide_narrow_path(wide, program, PATH_MAX) ? OK : FAIL(why, ERR_LIMIT, "the path of this program is too long");
}

bool paths_is_own_program(const char *path)
{
        char own[PATH_MAX], real[PATH_MAX];
        struct why why;
        return paths_own_program(own, &why) == OK && paths_real(path, real, &why) == OK && _stricmp(own, real) == 0;
}

enum err paths_own_folder(char folder[static PATH_MAX], struct why *why)
{
        enum err e = paths_own_program(folder, why);
        if (!e)
                *strrchr(folder, '/') = 0;
        return e;
}
