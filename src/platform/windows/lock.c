#include "platform/lock.h"

#include "platform/clock.h"
#include "platform/windows/wide.h"

#include <windows.h>

enum { AGAIN_MS = 50 };

/* Nobody else can open it for writing: the lock is the open file itself, and goes with the process. */
enum err lock_take(const char *path, int64_t wait_ms, int *ret_lock, struct why *why)
{
        wchar_t wide[WIDE_PATH_MAX];
        struct clock *clock = clock_system();
        int64_t until = clock->ops->steady_ms(clock) + wait_ms;
        if (!wide_path(path, wide))
                return FAIL(why, ERR_USAGE, "the lock %.150s: not a path that Windows takes", path);
        for (;;) {
                HANDLE file = CreateFileW(wide, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_DELETE, NULL, OPEN_ALWAYS, FILE_FLAG_OPEN_REPARSE_POINT, NULL);
                if (file != INVALID_HANDLE_VALUE) {
                        *ret_lock = wide_file(file);
                        return OK;
                }
                if (GetLastError() != ERROR_SHARING_VIOLATION)
                        return WIN_FAIL(why, GetLastError(), "the lock %s", path);
                if (clock->ops->steady_ms(clock) >= until)
                        return FAIL(why, ERR_BUSY, "%s is held by another process: stop that one first", path);
                clock->ops->sleep_ms(clock, AGAIN_MS);
        }
}

/* Locks by fcntl(2) are not known here. */
bool lock_is_held(const char *path)
{
        (void)path;
        return false;
}

void lock_give(int lock)
{
        if (lock != -1)
                CloseHandle(wide_handle(lock));
}
