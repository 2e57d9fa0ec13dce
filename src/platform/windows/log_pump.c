#include "platform/windows/log_pump.h"

#include "platform/windows/wide.h"

#include <fcntl.h>
#include <io.h>
#include <stdio.h>
#include <string.h>
#include <windows.h>

enum { BLOCK_BYTES = 4096, DRAIN_MS = 1000, OLD_CHARS = 3 };

/* One for each process, as standard error is: the thread and who drains it have nowhere else to look. */
static struct pump {
        HANDLE from, to, drained;
        wchar_t path[WIDE_PATH_MAX], old[WIDE_PATH_MAX + OLD_CHARS];
        uint64_t used, bytes_max, lost;
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

/* How much of it is written now: to the end of a line where there is one, so that none is torn between two files. */
static DWORD whole_lines(const char *bytes, DWORD used)
{
        DWORD end = used;
        while (end && bytes[end - 1] != '\n')
                end--;
        return end || used < BLOCK_BYTES ? end : used;
}

/* A NUL, which no log line has, is from who drains: all that was said before it has come. */
static DWORD WINAPI work(void *user)
{
        (void)user;
        char bytes[BLOCK_BYTES];
        DWORD used = 0, length;
        while (ReadFile(pump.from, bytes + used, BLOCK_BYTES - used, &length, NULL)) {
                used += length;
                const char *mark = memchr(bytes, 0, used);
                DWORD end = mark ? (DWORD)(mark - bytes) : whole_lines(bytes, used);
                if (end)
                        put(bytes, end);
                if (mark) {
                        end++;
                        SetEvent(pump.drained);
                }
                memmove(bytes, bytes + end, used - end);
                used -= end;
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
        pump.drained = CreateEventW(NULL, TRUE, FALSE, NULL);
        HANDLE thread = pump.drained ? CreateThread(NULL, 0, work, NULL, 0, NULL) : NULL;
        if (!thread)
                return WIN_FAIL(why, GetLastError(), "the log %s", path);
        CloseHandle(thread);
        return OK;
}

void log_pump_drain(void)
{
        if (!pump.drained || !ResetEvent(pump.drained))
                return;
        (void)fflush(stdout);
        if (fputc(0, stderr) == 0)
                (void)WaitForSingleObject(pump.drained, DRAIN_MS);
}
