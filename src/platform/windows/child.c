#include "platform/child.h"

#include "platform/windows/spawn.h"
#include "platform/windows/wake.h"
#include "platform/windows/wide.h"

#include <stdio.h>
#include <string.h>
#include <windows.h>

enum { CHILDREN_MAX = 128, CRASHED = 0xC0000000u, KILLED = 9 };

const char child_self[] = "\\\\.\\firebreak-self";
const char child_input[] = "\\\\.\\firebreak-input";

/* What the system of others keeps of a child until its end was taken: Windows keeps it with its handles. */
static struct kept { struct spawned is; HANDLE wait; bool is_killed; } children[CHILDREN_MAX];

static struct kept *find(uint32_t pid)
{
        for (size_t i = 0; i < CHILDREN_MAX; i++)
                if (children[i].is.pid == pid)
                        return &children[i];
        return NULL;
}

static void CALLBACK on_end(void *user, BOOLEAN is_timeout)
{
        (void)user, (void)is_timeout;
        wake_up();
}

/* No handle of it is closed while it could still be called about it. */
static void forget(struct kept *kept)
{
        if (kept->wait)
                (void)UnregisterWaitEx(kept->wait, INVALID_HANDLE_VALUE);
        kept->wait = NULL;
        kept->is_killed = false;
        spawn_close(&kept->is);
}

enum err child_start(const struct child_setup *setup, struct child *ret_child, struct why *why)
{
        struct kept *kept = find(0);
        const struct child_limits none = { 0 }, *limits = setup->limits ? setup->limits : &none;
        if (!kept)
                return FAIL(why, ERR_LIMIT, "starting %.150s: %d children already", setup->argv[0], CHILDREN_MAX);
        const struct spawn spawn = { .argv = setup->argv, .input = setup->input, .output = setup->output, .errors = setup->errors, .folder = setup->folder,
                                     .cpu_s = limits->cpu_s, .memory_bytes = limits->memory_bytes, .is_alone = setup->limits != NULL, .has_no_privileges = setup->limits != NULL };
        if (setup->user)
                return FAIL(why, ERR_REFUSED, "starting %.150s: on Windows as no other user", setup->argv[0]);
        (void)wake_event();
        enum err e = spawn_start(&spawn, &kept->is, why);
        if (!e && !RegisterWaitForSingleObject(&kept->wait, kept->is.process, on_end, NULL, INFINITE, WT_EXECUTEONLYONCE)) {
                e = WIN_FAIL(why, GetLastError(), "starting %.150s", setup->argv[0]);
                spawn_kill(&kept->is);
                forget(kept);
        }
        if (!e)
                *ret_child = (struct child){ (int)kept->is.pid };
        return e;
}

enum err child_fork(int (*run)(void *user), void *user, struct child *ret_child, struct why *why)
{
        (void)run, (void)user, (void)ret_child;
        return FAIL(why, ERR_UNAVAILABLE, "Windows cannot split a process");
}

enum err child_detach(const struct child_setup *setup, struct why *why)
{
        struct spawned spawned;
        const struct spawn spawn = { .argv = setup->argv, .input = setup->input, .output = setup->output, .errors = setup->errors, .folder = setup->folder, .has_no_job = true };
        enum err e = spawn_start(&spawn, &spawned, why);
        if (!e)
                spawn_close(&spawned);
        return e;
}

bool child_signal(const struct child *child, const char *name)
{
        struct kept *kept = child->pid > 0 ? find((uint32_t)child->pid) : NULL;
        if (!kept || WaitForSingleObject(kept->is.process, 0) == WAIT_OBJECT_0)
                return false;
        if (strcmp(name, "TERM") == 0)
                return kept->is.stop && SetEvent(kept->is.stop);
        kept->is_killed = strcmp(name, "KILL") == 0;
        return kept->is_killed && TerminateJobObject(kept->is.job, KILLED);
}

bool child_ended(struct child *child, struct child_end *ret_end)
{
        DWORD code = 0;
        struct kept *kept = child->pid > 0 ? find((uint32_t)child->pid) : NULL;
        if (!kept || WaitForSingleObject(kept->is.process, 0) != WAIT_OBJECT_0)
                return false;
        (void)GetExitCodeProcess(kept->is.process, &code);
        *ret_end = (struct child_end){ kept->is_killed || code >= CRASHED, (int)code };
        spawn_kill(&kept->is);                   /* what it started and left behind */
        forget(kept);
        child->pid = 0;
        return true;
}

void child_kill(struct child *child)
{
        struct kept *kept = child->pid > 0 ? find((uint32_t)child->pid) : NULL;
        if (kept) {
                spawn_kill(&kept->is);
                forget(kept);
        }
        child->pid = 0;
}

/* An exception has its number where a signal would be. */
void child_end_text(const struct child_end *end, char *text, int size)
{
        if (end->is_signal && !end->code)
                snprintf(text, (size_t)size, "ended, not by us");
        else if ((uint32_t)end->code >= CRASHED)
                snprintf(text, (size_t)size, "exception 0x%08x", (unsigned)end->code);
        else
                snprintf(text, (size_t)size, "%s %d", end->is_signal ? "killed" : "exit", end->code);
}

bool child_pid_signal(int pid, const char *name)
{
        (void)pid, (void)name;
        return false;
}

bool child_pid_lives(int pid)
{
        HANDLE process = pid > 1 ? OpenProcess(SYNCHRONIZE, FALSE, (DWORD)pid) : NULL;
        bool is_alive = process && WaitForSingleObject(process, 0) == WAIT_TIMEOUT;
        if (process)
                CloseHandle(process);
        return is_alive;
}

int child_own_pid(void)
{
        return (int)GetCurrentProcessId();
}

/* Windows takes the network from a process only in an app container, which no ordinary program starts in. */
bool child_offline_works(void)
{
        return false;
}

bool child_is_alone(void)
{
        return false;
}

enum err child_leave_network(struct why *why)
{
        return FAIL(why, ERR_UNAVAILABLE, "a network of one's own: Windows has none");
}
