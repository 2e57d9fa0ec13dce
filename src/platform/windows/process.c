#include "platform/process.h"

#include "platform/windows/wide.h"

#include <windows.h>

#include <psapi.h>

static uint64_t number(const FILETIME *time)
{
        return (uint64_t)time->dwHighDateTime << 32 | time->dwLowDateTime;
}

/* Its own; what it started counts by itself. */
enum err process_usage(int pid, struct process_usage *ret_usage, struct why *why)
{
        HANDLE process = pid > 0 ? OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION | PROCESS_VM_READ | SYNCHRONIZE, FALSE, (DWORD)pid) : NULL;
        if (!process)
                return FAIL(why, ERR_NOT_FOUND, "there is no process %d that we may look at", pid);
        FILETIME start, end, kernel, user;
        PROCESS_MEMORY_COUNTERS_EX memory = { .cb = sizeof(memory) };
        bool is_alive = WaitForSingleObject(process, 0) == WAIT_TIMEOUT;
        bool is_known = GetProcessTimes(process, &start, &end, &kernel, &user) && GetProcessMemoryInfo(process, (PROCESS_MEMORY_COUNTERS *)&memory, sizeof(memory));
        DWORD failed = is_known ? 0 : GetLastError();
        CloseHandle(process);
        if (!is_alive)
                return FAIL(why, ERR_NOT_FOUND, "process %d has ended", pid);
        if (!is_known)
                return WIN_FAIL(why, failed, "asking what process %d uses", pid);
        *ret_usage = (struct process_usage){ number(&start), (number(&kernel) + number(&user)) / 10000, memory.PrivateUsage >> 10 };
        return OK;
}

void process_gives_back(void)
{
}
