#include "platform/windows/pass.h"

#include "base/mem.h"
#include "platform/channel.h"
#include "platform/windows/pair.h"
#include "platform/windows/wide.h"

#include <windows.h>

enum {
        WRITE_MS = 5000,                 /* for who does not read what he asked for */
        WAIT_MS = 60000,
};

struct passing {
        HANDLE pipe, read, written;
        int end;
        long *used;
        char bytes[PASS_BYTES_MAX];
};

void pass_put_down(long *used)
{
        if (used && InterlockedDecrement(used) == 0)
                mem_free(used);
}

static void passing_free(struct passing *passing)
{
        (void)CancelIoEx(passing->pipe, NULL);
        CloseHandle(passing->pipe);
        if (passing->read)
                CloseHandle(passing->read);
        if (passing->written)
                CloseHandle(passing->written);
        channel_close(passing->end);
        pass_put_down(passing->used);
        mem_free(passing);
}

static bool start_reading(struct passing *passing, OVERLAPPED *reading)
{
        *reading = (OVERLAPPED){ .hEvent = passing->read };
        ResetEvent(passing->read);
        return ReadFile(passing->pipe, passing->bytes, PASS_BYTES_MAX, NULL, reading) || GetLastError() == ERROR_IO_PENDING || GetLastError() == ERROR_MORE_DATA;
}

/* Of a message that is too long the rest is read and forgotten; how long it was is not. */
static bool take_from_pipe(struct passing *passing, OVERLAPPED *reading)
{
        struct why why;
        DWORD length = 0;
        bool is_whole = GetOverlappedResult(passing->pipe, reading, &length, FALSE);
        if (!is_whole && GetLastError() != ERROR_MORE_DATA)
                return false;
        if (channel_send(passing->end, passing->bytes, is_whole ? length : PASS_BYTES_MAX, &why))
                return false;
        while (!is_whole) {
                if (!start_reading(passing, reading))
                        return false;
                is_whole = GetOverlappedResult(passing->pipe, reading, &length, TRUE);
                if (!is_whole && GetLastError() != ERROR_MORE_DATA)
                        return false;
        }
        return start_reading(passing, reading);
}

static bool give_to_pipe(struct passing *passing)
{
        struct why why;
        char bytes[PASS_BYTES_MAX];
        size_t length = 0;
        DWORD written = 0;
        if (channel_receive(passing->end, bytes, sizeof(bytes), &length, &why))
                return false;
        OVERLAPPED writing = { .hEvent = passing->written };
        ResetEvent(passing->written);
        if (!WriteFile(passing->pipe, bytes, (DWORD)length, NULL, &writing) && GetLastError() != ERROR_IO_PENDING)
                return false;
        if (WaitForSingleObject(passing->written, WRITE_MS) != WAIT_OBJECT_0) {
                (void)CancelIoEx(passing->pipe, &writing);
                (void)GetOverlappedResult(passing->pipe, &writing, &written, TRUE);
                return false;
        }
        return GetOverlappedResult(passing->pipe, &writing, &written, FALSE);
}

static DWORD WINAPI pass(void *user)
{
        struct passing *passing = user;
        const int files[2] = { wide_file(passing->read), passing->end };
        OVERLAPPED reading;
        bool goes_on = start_reading(passing, &reading), ready[2];
        while (goes_on) {
                struct why why;
                goes_on = channel_wait(files, 2, WAIT_MS, ready, &why) == OK;
                if (goes_on && ready[0])
                        goes_on = take_from_pipe(passing, &reading);
                if (goes_on && ready[1])
                        goes_on = give_to_pipe(passing);
        }
        /* What Windows still writes into must not be freed under it. */
        DWORD length;
        (void)CancelIoEx(passing->pipe, &reading);
        (void)GetOverlappedResult(passing->pipe, &reading, &length, TRUE);
        passing_free(passing);
        return 0;
}

enum err pass_on(void *pipe, long *used, int *ret_end, struct why *why)
{
        int ends[2] = { -1, -1 };
        struct passing *passing = mem_new(1, sizeof(*passing));
        enum err e = passing ? pair_open(ends, why) : FAIL(why, ERR_NOMEM, "a connection");
        if (e) {
                mem_free(passing);
                CloseHandle(pipe);
                return e;
        }
        if (used)
                InterlockedIncrement(used);
        *passing = (struct passing){ .pipe = pipe, .end = ends[1], .used = used, .read = CreateEventW(NULL, TRUE, FALSE, NULL), .written = CreateEventW(NULL, TRUE, FALSE, NULL) };
        HANDLE thread = passing->read && passing->written ? CreateThread(NULL, 0, pass, passing, 0, NULL) : NULL;
        if (!thread) {
                passing_free(passing);
                channel_close(ends[0]);
                return FAIL(why, ERR_NOMEM, "a thread for a connection");
        }
        CloseHandle(thread);
        *ret_end = ends[0];
        return OK;
}
