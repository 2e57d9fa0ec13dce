#include "platform/channel.h"

#include "platform/clock.h"
#include "platform/windows/at.h"
#include "platform/windows/pair.h"
#include "platform/windows/wake.h"
#include "platform/windows/wide.h"

#include <assert.h>
#include <string.h>
#include <winsock2.h>

enum { MESSAGE_MAX = 16 << 20, WAIT_MAX_MS = 60000, MEMORY_TRIES = 16 };

enum err channel_open(int ret_ends[2], struct why *why)
{
        return pair_open(ret_ends, why);
}

enum err channel_stream(int ret_ends[2], struct why *why)
{
        return pair_open(ret_ends, why);
}

enum err channel_pipe(int ret_ends[2], struct why *why)
{
        return pair_open(ret_ends, why);
}

/* What listens at a path elsewhere are units of systemd. */
enum err channel_connect(const char *path, enum channel_kind kind, int *ret_end, struct why *why)
{
        (void)kind, (void)ret_end;
        return FAIL(why, ERR_UNAVAILABLE, "connecting to %.150s: on Windows nothing listens at a path", path);
}

void channel_close(int end)
{
        if (end == -1)
                return;
        if (pair_is_socket(end))
                (void)closesocket((SOCKET)wide_handle(end));
        else if (wide_handle(end) != wake_event())
                CloseHandle(wide_handle(end));
}

/* A socket has no boundaries of its own: each message has its length before it. */
enum err channel_send(int end, const void *bytes, size_t length, struct why *why)
{
        uint32_t header = (uint32_t)length;
        if (length > MESSAGE_MAX)
                return FAIL(why, ERR_IO, "sending %zu bytes: too many", length);
        enum err e = pair_send(end, &header, sizeof(header), why);
        return e ? e : pair_send(end, bytes, length, why);
}

enum err channel_receive(int end, void *bytes, size_t bytes_max, size_t *ret_length, struct why *why)
{
        uint32_t header = 0;
        enum err e = pair_receive(end, &header, sizeof(header), why);
        if (e || header <= bytes_max) {
                if (!e)
                        e = pair_receive(end, bytes, header, why);
                if (!e)
                        *ret_length = header;
                return e;
        }
        if (header > MESSAGE_MAX)
                return FAIL(why, ERR_UNAVAILABLE, "the other process sends what is no message");
        for (size_t left = header; !e && left;) {
                char part[4096];
                size_t one = left < sizeof(part) ? left : sizeof(part);
                e = pair_receive(end, part, one, why);
                left -= one;
        }
        return e ? e : FAIL(why, ERR_LIMIT, "a message of %u bytes", header);
}

/* What is waited for: an event of the system itself, or one that is set when the socket has something. */
struct waiting {
        HANDLE events[CHANNEL_WAIT_MAX];
        size_t at[CHANNEL_WAIT_MAX];             /* in the caller's list */
        bool is_socket[CHANNEL_WAIT_MAX];
        DWORD count;
};

static enum err watch(struct waiting *waiting, size_t at, int file, struct why *why)
{
        bool is_socket = pair_is_socket(file);
        HANDLE event = is_socket ? WSACreateEvent() : wide_handle(file);
        if (is_socket && (!event || WSAEventSelect((SOCKET)wide_handle(file), event, FD_READ | FD_CLOSE | FD_ACCEPT) != 0)) {
                if (event)
                        WSACloseEvent(event);
                return FAIL(why, ERR_IO, "waiting: Windows Sockets report error %d", WSAGetLastError());
        }
        waiting->events[waiting->count] = event;
        waiting->at[waiting->count] = at;
        waiting->is_socket[waiting->count++] = is_socket;
        return OK;
}

/* A socket that was watched does not wait any more until it is told to. */
static void unwatch(const struct waiting *waiting, const int *files)
{
        for (DWORD i = 0; i < waiting->count; i++) {
                u_long waits = 0;
                SOCKET socket = (SOCKET)wide_handle(files[waiting->at[i]]);
                if (!waiting->is_socket[i])
                        continue;
                (void)WSAEventSelect(socket, NULL, 0);
                (void)ioctlsocket(socket, FIONBIO, &waits);
                WSACloseEvent(waiting->events[i]);
        }
}

static bool find_ready(const struct waiting *waiting, const int *files, bool *ret_ready)
{
        bool is_any = false;
        for (DWORD i = 0; i < waiting->count; i++) {
                bool is_ready = waiting->is_socket[i] ? pair_wait(files[waiting->at[i]], false, 0) : WaitForSingleObject(waiting->events[i], 0) == WAIT_OBJECT_0;
                ret_ready[waiting->at[i]] = is_ready;
                is_any |= is_ready;
        }
        return is_any;
}

enum err channel_wait(const int *files, size_t count, int64_t timeout_ms, bool *ret_ready, struct why *why)
{
        assert(count <= CHANNEL_WAIT_MAX);
        struct waiting waiting = { .count = 0 };
        DWORD timeout = timeout_ms < 0 ? 0 : timeout_ms > WAIT_MAX_MS ? WAIT_MAX_MS : (DWORD)timeout_ms;
        enum err e = OK;
        memset(ret_ready, 0, count * sizeof(*ret_ready));
        for (size_t i = 0; !e && i < count; i++)
                if (files[i] != -1)
                        e = watch(&waiting, i, files[i], why);
        if (!e && !waiting.count)
                Sleep(timeout);
        if (!e && waiting.count && !find_ready(&waiting, files, ret_ready)) {
                if (WaitForMultipleObjects(waiting.count, waiting.events, FALSE, timeout) == WAIT_FAILED)
                        e = WIN_FAIL(why, GetLastError(), "waiting");
                else
                        (void)find_ready(&waiting, files, ret_ready);
        }
        unwatch(&waiting, files);
        return e;
}

size_t channel_pipe_take(int end, void *bytes, size_t bytes_max)
{
        bool is_gone;
        size_t count = end == -1 ? 0 : pair_waiting(end, &is_gone);
        int got = count ? recv((SOCKET)wide_handle(end), bytes, (int)(count < bytes_max ? count : bytes_max), 0) : 0;
        return got > 0 ? (size_t)got : 0;
}

enum err channel_signals(int *ret_file, struct why *why)
{
        enum err e = wake_listen(why);
        if (!e)
                *ret_file = wide_file(wake_event());
        return e;
}

bool channel_signals_take(int file)
{
        (void)file;
        return wake_take();
}

void channel_child_signals(void)
{
}

static BOOL WINAPI on_console(DWORD kind)
{
        return kind == CTRL_C_EVENT || kind == CTRL_BREAK_EVENT;
}

void channel_child_deaf(void)
{
        (void)SetConsoleCtrlHandler(on_console, TRUE);
}

static int64_t now_ms(void)
{
        struct clock *clock = clock_system();
        return clock->ops->steady_ms(clock);
}

enum err channel_pour(int end, const void *bytes, size_t length, int64_t timeout_ms, struct why *why)
{
        SOCKET socket = (SOCKET)wide_handle(end);
        int64_t until_ms = now_ms() + timeout_ms;
        u_long waits_not = 1, waits = 0;
        enum err e = OK;
        (void)ioctlsocket(socket, FIONBIO, &waits_not);
        for (size_t done = 0; !e && done < length;) {
                int sent = send(socket, (const char *)bytes + done, (int)(length - done), 0);
                int64_t left_ms = until_ms - now_ms();
                done += sent > 0 ? (size_t)sent : 0;
                if (sent < 0 && WSAGetLastError() != WSAEWOULDBLOCK)
                        e = FAIL(why, ERR_UNAVAILABLE, "the other process is gone");
                else if (done < length && left_ms <= 0)
                        e = FAIL(why, ERR_TIMEOUT, "the other process took too long");
                else if (sent < 0)
                        (void)pair_wait(end, true, left_ms);
        }
        (void)ioctlsocket(socket, FIONBIO, &waits);
        if (!e && shutdown(socket, SD_SEND))
                e = FAIL(why, ERR_UNAVAILABLE, "the other process is gone");
        return e;
}

enum err channel_drain(int end, struct buf *into, int64_t timeout_ms, struct why *why)
{
        char piece[4096];
        int64_t until_ms = now_ms() + timeout_ms;
        for (;;) {
                int64_t left_ms = until_ms - now_ms();
                if (left_ms <= 0 || !pair_wait(end, false, left_ms))
                        return FAIL(why, ERR_TIMEOUT, "the other process took too long");
                int got = recv((SOCKET)wide_handle(end), piece, sizeof(piece), 0);
                if (got == 0)
                        return OK;
                if (got < 0)
                        return FAIL(why, ERR_UNAVAILABLE, "the other process is gone");
                buf_add(into, piece, (size_t)got);
                enum err e = buf_check(into, why);
                if (e)
                        return e;
        }
}

/* The folder and the name, apart; neither may be a link. */
static enum err open_in_its_folder(const char *path, at_handle *ret_file, uint64_t *ret_length, struct why *why)
{
        char folder[WIDE_PATH_MAX];
        const char *name = strrchr(path, '/');
        if (!name || name == path || (size_t)(name - path) >= sizeof(folder))
                return FAIL(why, ERR_IO, "opening %s: no folder in the path", path);
        snprintf(folder, sizeof(folder), "%.*s", (int)(name - path), path);
        OWN(at_handle) at_handle place = NULL;
        OWN(at_handle) at_handle file = NULL;
        BY_HANDLE_FILE_INFORMATION info;
        enum err e = at_root(folder, &place, why);
        if (!e)
                e = at_own_file(place, name + 1, &file, why);
        if (!e && (!GetFileInformationByHandle(file, &info) || info.nNumberOfLinks != 1))
                e = FAIL(why, ERR_REFUSED, "it has another name, too");
        if (e)
                return DURING(why, e, "opening %s", path);
        *ret_length = (uint64_t)info.nFileSizeHigh << 32 | info.nFileSizeLow;
        *ret_file = GIVE_HANDLE(file);
        return OK;
}

enum err channel_spool_open(const char *path, uint64_t part_max, int *ret_file, uint64_t *ret_length, struct why *why)
{
        at_handle file = NULL;
        uint64_t length = 0;
        enum err e = open_in_its_folder(path, &file, &length, why);
        if (e)
                return e;
        bool is_part = length < part_max;
        if (!is_part && !SetEndOfFile(file)) {
                e = WIN_FAIL(why, GetLastError(), "emptying %s", path);
                at_close(file);
                return e;
        }
        *ret_file = wide_file(file);
        *ret_length = is_part ? length : 0;
        return OK;
}

/* A file that Windows keeps in memory while there is room, that nobody else can open, and that goes with its last handle. */
enum err channel_memory(const void *bytes, size_t length, int *ret_file, struct why *why)
{
        wchar_t folder[MAX_PATH + 1], path[MAX_PATH + 64];
        DWORD count = GetTempPathW(MAX_PATH + 1, folder);
        HANDLE file = INVALID_HANDLE_VALUE;
        for (unsigned try = 0; count && count <= MAX_PATH && file == INVALID_HANDLE_VALUE && try < MEMORY_TRIES; try++) {
                (void)swprintf(path, sizeof(path) / sizeof(path[0]), L"%lsfb-%lx-%llx-%x.mem", folder, GetCurrentProcessId(), (unsigned long long)GetTickCount64(), try);
                file = CreateFileW(path, GENERIC_READ | GENERIC_WRITE | DELETE, 0, NULL, CREATE_NEW, FILE_ATTRIBUTE_TEMPORARY | FILE_FLAG_DELETE_ON_CLOSE, NULL);
        }
        if (file == INVALID_HANDLE_VALUE)
                return WIN_FAIL(why, GetLastError(), "making a memory file");
        LARGE_INTEGER start = { .QuadPart = 0 };
        enum err e = at_write(file, bytes, length, why);
        if (!e && !SetFilePointerEx(file, start, NULL, FILE_BEGIN))
                e = WIN_FAIL(why, GetLastError(), "rewinding a memory file");
        if (e)
                CloseHandle(file);
        else
                *ret_file = wide_file(file);
        return e;
}
