#include "platform/sandbox.h"

#include "base/mem.h"
#include "platform/clock.h"
#include "platform/windows/pair.h"
#include "platform/windows/spawn.h"
#include "platform/windows/wide.h"

#include <string.h>
#include <winsock2.h>

enum { CRASHED = 0xC0000000u, CPU_TICKS_PER_MS = 10000, ENVIRONMENT_CHARS = 32000, LOOK_EACH_MS = 60000 };

struct outer {
        int output[2], errors[2];
        struct spawned child;
        wchar_t *environment;
};

static void close_end(int *end)
{
        if (*end != -1)
                (void)closesocket((SOCKET)wide_handle(*end));
        *end = -1;
}

static void outer_release(struct outer *outer)
{
        if (outer->child.pid) {
                spawn_kill(&outer->child);
                spawn_close(&outer->child);
        }
        for (int i = 0; i < 2; i++) {
                close_end(&outer->output[i]);
                close_end(&outer->errors[i]);
        }
        mem_free(outer->environment);
}

/* Names without their values are copied from ours: without these two no program of Windows starts. */
static enum err add_variable(wchar_t *block, size_t *used, const char *text, struct why *why)
{
        size_t left = ENVIRONMENT_CHARS - 1 - *used;
        if (!wide_text(text, block + *used, left))
                return FAIL(why, ERR_LIMIT, "an environment of more than %d characters", ENVIRONMENT_CHARS);
        *used += wcslen(block + *used) + 1;
        return OK;
}

static enum err add_ours(wchar_t *block, size_t *used, const wchar_t *name, struct why *why)
{
        wchar_t value[WIDE_PATH_MAX];
        char text[3 * WIDE_PATH_MAX], narrow[64];
        DWORD length = GetEnvironmentVariableW(name, value, WIDE_PATH_MAX);
        if (!length || length >= WIDE_PATH_MAX || !wide_narrow(name, narrow, sizeof(narrow)))
                return OK;
        size_t at = (size_t)snprintf(text, sizeof(text), "%s=", narrow);
        return wide_narrow(value, text + at, sizeof(text) - at) ? add_variable(block, used, text, why) : OK;
}

static enum err make_environment(const struct sandbox_run *run, struct outer *outer, struct why *why)
{
        static const wchar_t *const ours[] = { L"PATH", L"SystemRoot", L"TEMP", L"TMP" };
        size_t used = 0;
        outer->environment = mem_new(ENVIRONMENT_CHARS, sizeof(wchar_t));
        enum err e = outer->environment ? OK : FAIL(why, ERR_NOMEM, "out of memory");
        for (size_t i = 0; !e && i < sizeof(ours) / sizeof(ours[0]); i++)
                e = add_ours(outer->environment, &used, ours[i], why);
        for (size_t i = 0; !e && run->environment && run->environment[i]; i++)
                e = add_variable(outer->environment, &used, run->environment[i], why);
        return e;
}

static enum err start(const struct sandbox_run *run, struct outer *outer, struct why *why)
{
        enum err e = make_environment(run, outer, why);
        if (!e)
                e = pair_open(outer->output, why);
        if (!e)
                e = pair_open(outer->errors, why);
        const struct spawn spawn = {
                .argv = run->argv, .input = -1, .output = outer->output[1], .errors = outer->errors[1], .folder = run->scratch, .environment = outer->environment,
                .cpu_s = run->limits.cpu_s, .memory_bytes = run->limits.memory_bytes, .is_alone = !run->limits.may_start_processes, .has_no_privileges = true,
        };
        if (!e)
                e = spawn_start(&spawn, &outer->child, why);
        close_end(&outer->output[1]);
        close_end(&outer->errors[1]);
        return e;
}

/* What goes beyond the ceiling is read and thrown away, or the program would wait for us. */
static void take(int *end, struct buf *into, bool *ret_is_cut)
{
        char bytes[4096];
        int got = recv((SOCKET)wide_handle(*end), bytes, sizeof(bytes), 0);
        if (got <= 0) {
                close_end(end);
                return;
        }
        size_t room = into->length_max - into->length, length = (size_t)got < room ? (size_t)got : room;
        buf_add(into, bytes, length);
        *ret_is_cut |= length < (size_t)got;
}

static void take_what_is_there(struct outer *outer, struct sandbox_result *result)
{
        while (outer->output[0] != -1 && pair_wait(outer->output[0], false, 0))
                take(&outer->output[0], &result->output, &result->is_output_cut);
        while (outer->errors[0] != -1 && pair_wait(outer->errors[0], false, 0))
                take(&outer->errors[0], &result->errors, &result->is_errors_cut);
}

static HANDLE watched(int end)
{
        HANDLE event = end == -1 ? NULL : WSACreateEvent();
        if (event)
                (void)WSAEventSelect((SOCKET)wide_handle(end), event, FD_READ | FD_CLOSE);
        return event;
}

/* Until it says something or ends, or its time is up. */
static void wait_once(struct outer *outer, DWORD timeout_ms)
{
        HANDLE events[3] = { outer->child.process };
        DWORD count = 1;
        int *const ends[] = { &outer->output[0], &outer->errors[0] };
        for (size_t i = 0; i < 2; i++) {
                HANDLE event = watched(*ends[i]);
                if (event)
                        events[count++] = event;
        }
        if (!(outer->output[0] != -1 && pair_wait(outer->output[0], false, 0)) && !(outer->errors[0] != -1 && pair_wait(outer->errors[0], false, 0)))
                (void)WaitForMultipleObjects(count, events, FALSE, timeout_ms);
        for (size_t i = 0; i < 2; i++) {
                u_long waits = 0;
                if (*ends[i] == -1)
                        continue;
                (void)WSAEventSelect((SOCKET)wide_handle(*ends[i]), NULL, 0);
                (void)ioctlsocket((SOCKET)wide_handle(*ends[i]), FIONBIO, &waits);
        }
        for (DWORD i = 1; i < count; i++)
                WSACloseEvent(events[i]);
}

/* False: its time was up. Who left children behind is not waited for: they go with the job. */
static bool attend(const struct sandbox_run *run, struct outer *outer, struct sandbox_result *result)
{
        struct clock *clock = clock_system();
        int64_t began = clock->ops->steady_ms(clock);
        for (;;) {
                bool has_ended = WaitForSingleObject(outer->child.process, 0) == WAIT_OBJECT_0;
                take_what_is_there(outer, result);
                result->wall_ms = clock->ops->steady_ms(clock) - began;
                int64_t left = run->limits.wall_ms ? run->limits.wall_ms - result->wall_ms : LOOK_EACH_MS;
                if (has_ended || left <= 0)
                        return has_ended;
                wait_once(outer, left < LOOK_EACH_MS ? (DWORD)left : LOOK_EACH_MS);
        }
}

static void measure(const struct outer *outer, struct sandbox_result *result)
{
        JOBOBJECT_BASIC_ACCOUNTING_INFORMATION times;
        JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits;
        if (QueryInformationJobObject(outer->child.job, JobObjectBasicAccountingInformation, &times, sizeof(times), NULL))
                result->cpu_ms = (times.TotalUserTime.QuadPart + times.TotalKernelTime.QuadPart) / CPU_TICKS_PER_MS;
        if (QueryInformationJobObject(outer->child.job, JobObjectExtendedLimitInformation, &limits, sizeof(limits), NULL))
                result->memory_bytes = limits.PeakJobMemoryUsed;
}

enum err sandbox_run(const struct sandbox_run *run, struct sandbox_result *result, struct why *why)
{
        OWN(outer) struct outer outer = { .output = { -1, -1 }, .errors = { -1, -1 } };
        enum err e = start(run, &outer, why);
        if (e)
                return e;
        result->is_timeout = !attend(run, &outer, result);
        DWORD code = 0;
        (void)GetExitCodeProcess(outer.child.process, &code);
        measure(&outer, result);
        e = buf_check(&result->output, why);
        if (!e)
                e = buf_check(&result->errors, why);
        result->is_signal = !result->is_timeout && code >= CRASHED;
        result->code = (int)code;
        result->walls = SANDBOX_PROCESSES | SANDBOX_RLIMIT;
        return e;
}
