#include "platform/windows/log_pump.h"

#include "platform/windows/wide.h"

#include <fcntl.h>
#include <io.h>
#include <stdio.h>
#include <windows.h>

enum { BLOCK_BYTES = 4096, DRAIN_MS = 1000, LOOK_MS = 10, OLD_CHARS = 3 };

/* One for each process, as standard error is: the thread and who drains it have nowhere else to look. */
static struct pump {
        HANDLE from, to;
        wchar_t path[WIDE_PATH_MAX], old[WIDE_PATH_MAX + OLD_CHARS];
        uint64_t used, bytes_max, lost;
        LONG is_busy;
} pump;

static bool open_file(void)
{
        LARGE_INTEGER length;
        const DWORD shared = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
        pump.to = CreateFileW(pump.path, FILE_APPEND_DATA | FILE_READ_ATTRIBUTES | SYNCHRONIZE, shared, NULL, OPEN_ALWAYS, FILE_FLAG_OPEN_REPARSE_POINT, NULL);
        if (pump.to == INVALID_HANDLE_VALUE)
                return false;
        pump.used = GetFileSizeEx(pump.to, &length) ? (uint64_t)length.QuadPart : 0;
        return true;
}

static void turn_over(void)
{
        CloseHandle(pump.to);
        (void)MoveFileExW(pump.path, pump.old, MOVEFILE_REPLACE_EXISTING);
        (void)open_file();
}

static void put(const char *bytes, DWORD length)
{
        char said[80];
        DWORD written;
        if (pump.to == INVALID_HANDLE_VALUE && !open_file()) {
                pump.lost += length;
                return;
        }
        if (pump.used + length > pump.bytes_max)
                turn_over();
        if (pump.to == INVALID_HANDLE_VALUE || pump.used + length > pump.bytes_max) {
                pump.lost += length;
                return;
        }
        if (pump.lost) {
                int used = snprintf(said, sizeof(said), "(%llu bytes were lost: the log could not be written)\r\n", (unsigned long long)pump.lost);
                if (WriteFile(pump.to, said, (DWORD)used, &written, NULL)) {
                        pump.used += written;
                        pump.lost = 0;
                }
        }
        if (WriteFile(pump.to, bytes, length, &written, NULL))
                pump.used += written;
        else
                pump.lost += length;
}

/* At the end of a line where there is one, so that none is torn between two files. */
static DWORD WINAPI work(void *user)
{
        (void)user;
        char bytes[BLOCK_BYTES];
        DWORD used = 0, length;
        while (ReadFile(pump.from, bytes + used, BLOCK_BYTES - used, &length, NULL)) {
                InterlockedExchange(&pump.is_busy, 1);
                used += length;
                DWORD end = used;
                while (end && bytes[end - 1] != '\n')
                        end--;
                if (!end && used == BLOCK_BYTES)
                        end = used;
                if (end)
                        put(bytes, end);
                memmove(bytes, bytes + end, used - end);
                used -= end;
                InterlockedExchange(&pump.is_busy, 0);
        }
        return 0;
}

/* A service has none of these files, and freopen() of what is not open is refused by wine; so they are made to be another that is open. */
static bool become(FILE *standard, int pipe_file, DWORD which)
{
        FILE *file = _fdopen(pipe_file, "wb");
        if (!file)
                return false;
        *standard = *file;
        return setvbuf(standard, NULL, _IONBF, 0) == 0 && SetStdHandle(which, (HANDLE)_get_osfhandle(pipe_file));
}

enum err log_pump_start(const char *path, uint64_t bytes_max, struct why *why)
{
        HANDLE write_end;
        if (!wide_path(path, pump.path))
                return FAIL(why, ERR_USAGE, "%.150s: not a path that Windows takes", path);
        (void)_snwprintf(pump.old, WIDE_PATH_MAX + OLD_CHARS, L"%ls.1", pump.path);
        pump.bytes_max = bytes_max;
        if (!open_file())
                return WIN_FAIL(why, GetLastError(), "the log %s", path);
        if (!CreatePipe(&pump.from, &write_end, NULL, 0))
                return WIN_FAIL(why, GetLastError(), "the log %s", path);
        int pipe_file = _open_osfhandle((intptr_t)write_end, _O_APPEND | _O_BINARY);
        if (pipe_file < 0 || !become(stdout, pipe_file, STD_OUTPUT_HANDLE) || !become(stderr, pipe_file, STD_ERROR_HANDLE))
                return FAIL(why, ERR_IO, "the log %s: standard error cannot be replaced", path);
        HANDLE thread = CreateThread(NULL, 0, work, NULL, 0, NULL);
        if (!thread)
                return WIN_FAIL(why, GetLastError(), "the log %s", path);
        CloseHandle(thread);
        return OK;
}

void log_pump_drain(void)
{
        DWORD waits = 0;
        for (int ms = 0; ms < DRAIN_MS; ms += LOOK_MS) {
                bool is_empty = pump.from && PeekNamedPipe(pump.from, NULL, 0, NULL, &waits, NULL) && !waits;
                if (is_empty && !InterlockedCompareExchange(&pump.is_busy, 0, 0))
                        return;
                Sleep(LOOK_MS);
        }
}
