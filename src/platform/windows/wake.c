#include "platform/windows/wake.h"

#include "platform/windows/wide.h"

#include <stdio.h>
#include <windows.h>

/* One for each process, as the signals of others are: handlers of the system's have nowhere else to look. */
static HANDLE event;
static LONG is_to_end;

void *wake_event(void)
{
        if (!event)
                event = CreateEventW(NULL, TRUE, FALSE, NULL);
        return event;
}

void wake_up(void)
{
        if (event)
                SetEvent(event);
}

void wake_to_end(void)
{
        InterlockedExchange(&is_to_end, 1);
        wake_up();
}

bool wake_take(void)
{
        if (event)
                ResetEvent(event);
        return InterlockedCompareExchange(&is_to_end, 0, 0);
}

void *wake_stop_event(uint32_t pid)
{
        wchar_t name[64];
        (void)swprintf(name, sizeof(name) / sizeof(name[0]), L"Local\\firebreak-stop-%lu", (unsigned long)pid);
        return CreateEventW(NULL, TRUE, FALSE, name);
}

static void CALLBACK on_stop(void *user, BOOLEAN is_timeout)
{
        (void)user, (void)is_timeout;
        wake_to_end();
}

/* Where a console, a session or the machine ends, Windows ends the process as soon as this returns: the main thread does it first. */
static BOOL WINAPI on_console(DWORD kind)
{
        enum { BEFORE_WE_ARE_ENDED_MS = 4500 };
        wake_to_end();
        if (kind == CTRL_CLOSE_EVENT || kind == CTRL_LOGOFF_EVENT || kind == CTRL_SHUTDOWN_EVENT)
                Sleep(BEFORE_WE_ARE_ENDED_MS);
        return TRUE;
}

enum err wake_listen(struct why *why)
{
        HANDLE wait, stop = wake_stop_event(GetCurrentProcessId());
        if (!wake_event() || !stop || !RegisterWaitForSingleObject(&wait, stop, on_stop, NULL, INFINITE, WT_EXECUTEONLYONCE) || !SetConsoleCtrlHandler(on_console, TRUE))
                return WIN_FAIL(why, GetLastError(), "listening for an end");
        return OK;
}
