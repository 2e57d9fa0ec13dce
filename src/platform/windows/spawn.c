#include "platform/windows/spawn.h"

#include "base/buf.h"
#include "base/mem.h"
#include "platform/child.h"
#include "platform/windows/wake.h"
#include "platform/windows/wide.h"

#include <string.h>
#include <windows.h>

enum { COMMAND_BYTES = 30000, KILL_MS = 10000, KILLED = 9, FILES = 3, PRIVILEGES_MAX = 64 };

/* As the C library of the other side takes it apart: a quote is doubled by a backslash, and so are the backslashes before one. */
static void add_word(struct buf *line, const char *word)
{
        if (line->length)
                buf_add_text(line, " ");
        if (*word && !strpbrk(word, " \t\n\v\"")) {
                buf_add_text(line, word);
                return;
        }
        buf_add_text(line, "\"");
        size_t slashes = 0;
        for (const char *at = word; *at; at++) {
                for (size_t i = 0; *at == '"' && i <= slashes; i++)
                        buf_add_text(line, "\\");
                slashes = *at == '\\' ? slashes + 1 : 0;
                buf_add(line, at, 1);
        }
        for (size_t i = 0; i < slashes; i++)
                buf_add_text(line, "\\");
        buf_add_text(line, "\"");
}

enum err spawn_line(const char *const *argv, wchar_t *wide, size_t wide_max, struct why *why)
{
        OWN(buf) struct buf line;
        buf_init(&line, COMMAND_BYTES);
        for (size_t i = 0; argv[i]; i++)
                add_word(&line, argv[i]);
        enum err e = buf_check(&line, why);
        return e ? e : wide_text(buf_text(&line), wide, wide_max) ? OK : FAIL(why, ERR_USAGE, "a command that is not UTF-8, or too long");
}

/* Never from the folder that we happen to be in. */
static enum err find_program(const char *name, wchar_t program[WIDE_PATH_MAX], struct why *why)
{
        wchar_t wide[WIDE_PATH_MAX], path[COMMAND_BYTES];
        if (strcmp(name, child_self) == 0)
                return GetModuleFileNameW(NULL, program, WIDE_PATH_MAX) < WIDE_PATH_MAX ? OK : FAIL(why, ERR_LIMIT, "the path of this program is too long");
        if (strpbrk(name, "/\\"))
                return wide_path(name, program) ? OK : FAIL(why, ERR_NOT_FOUND, "not a path that Windows takes");
        DWORD length = GetEnvironmentVariableW(L"PATH", path, COMMAND_BYTES);
        if (!wide_text(name, wide, WIDE_PATH_MAX) || !length || length >= COMMAND_BYTES)
                return FAIL(why, ERR_NOT_FOUND, "no such program in PATH");
        length = SearchPathW(path, wide, L".exe", WIDE_PATH_MAX, program, NULL);
        return length && length < WIDE_PATH_MAX ? OK : FAIL(why, ERR_NOT_FOUND, "no such program in PATH");
}

static HANDLE limited_job(const struct spawn *spawn)
{
        HANDLE job = CreateJobObjectW(NULL, NULL);
        JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = { .BasicLimitInformation = { .LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JOB_OBJECT_LIMIT_DIE_ON_UNHANDLED_EXCEPTION } };
        if (spawn->cpu_s) {
                limits.BasicLimitInformation.LimitFlags |= JOB_OBJECT_LIMIT_JOB_TIME;
                limits.BasicLimitInformation.PerJobUserTimeLimit.QuadPart = (LONGLONG)spawn->cpu_s * 10000000;
        }
        if (spawn->memory_bytes) {
                limits.BasicLimitInformation.LimitFlags |= JOB_OBJECT_LIMIT_JOB_MEMORY;
                limits.JobMemoryLimit = spawn->memory_bytes;
        }
        if (spawn->is_alone) {
                limits.BasicLimitInformation.LimitFlags |= JOB_OBJECT_LIMIT_ACTIVE_PROCESS;
                limits.BasicLimitInformation.ActiveProcessLimit = 1;
        }
        if (job && !SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof(limits))) {
                CloseHandle(job);
                job = NULL;
        }
        return job;
}

/* Copies that may be inherited, one each: two that are the same handle are refused in a list. */
struct files { HANDLE each[FILES]; };
static void files_release(struct files *files)
{
        for (size_t i = 0; i < FILES; i++)
                if (files->each[i])
                        CloseHandle(files->each[i]);
}

static HANDLE inheritable(int file, DWORD standard)
{
        HANDLE copy = NULL, from = file != -1 ? wide_handle(file) : standard ? GetStdHandle(standard) : NULL;
        SECURITY_ATTRIBUTES inherited = { sizeof(inherited), NULL, TRUE };
        if (from && from != INVALID_HANDLE_VALUE && DuplicateHandle(GetCurrentProcess(), from, GetCurrentProcess(), &copy, 0, TRUE, DUPLICATE_SAME_ACCESS))
                return copy;
        copy = CreateFileW(L"NUL", GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, &inherited, OPEN_EXISTING, 0, NULL);
        return copy == INVALID_HANDLE_VALUE ? NULL : copy;
}

static void list_release(LPPROC_THREAD_ATTRIBUTE_LIST *list)
{
        if (*list)
                DeleteProcThreadAttributeList(*list);
        mem_free(*list);
}

/* In its job from the first moment on, where the system takes that: one who is killed after it has made a process, and before it has put that into a job, leaves it
 * alone for ever. What the list points to has to stay. */
static LPPROC_THREAD_ATTRIBUTE_LIST list_of(struct files *files, HANDLE *job)
{
        enum { MOST = 2 };
        SIZE_T bytes = 0;
        InitializeProcThreadAttributeList(NULL, MOST, 0, &bytes);
        LPPROC_THREAD_ATTRIBUTE_LIST list = mem_new(1, bytes);
        if (!list || !InitializeProcThreadAttributeList(list, MOST, 0, &bytes)) {
                mem_free(list);
                return NULL;
        }
        if (!UpdateProcThreadAttribute(list, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, files->each, sizeof(files->each), NULL, NULL)) {
                list_release(&list);
                return NULL;
        }
        if (*job)
                (void)UpdateProcThreadAttribute(list, 0, PROC_THREAD_ATTRIBUTE_JOB_LIST, job, sizeof(*job), NULL, NULL);
        return list;
}

static bool put_in(HANDLE job, HANDLE process)
{
        BOOL is_there = FALSE;
        return (IsProcessInJob(process, job, &is_there) && is_there) || AssignProcessToJobObject(job, process);
}

/* All but the right to pass through folders: each is asked for by itself, since not every system does it in one word. */
static bool remove_privileges(HANDLE token)
{
        _Alignas(TOKEN_PRIVILEGES) char bytes[sizeof(TOKEN_PRIVILEGES) + PRIVILEGES_MAX * sizeof(LUID_AND_ATTRIBUTES)];
        TOKEN_PRIVILEGES *privileges = (TOKEN_PRIVILEGES *)bytes;
        LUID kept;
        DWORD length, gone = 0;
        if (!LookupPrivilegeValueW(NULL, L"SeChangeNotifyPrivilege", &kept) || !GetTokenInformation(token, TokenPrivileges, privileges, sizeof(bytes), &length))
                return false;
        for (DWORD i = 0; i < privileges->PrivilegeCount; i++)
                if (privileges->Privileges[i].Luid.LowPart != kept.LowPart || privileges->Privileges[i].Luid.HighPart != kept.HighPart)
                        privileges->Privileges[gone++] = (LUID_AND_ATTRIBUTES){ privileges->Privileges[i].Luid, SE_PRIVILEGE_REMOVED };
        privileges->PrivilegeCount = gone;
        return !gone || AdjustTokenPrivileges(token, FALSE, privileges, 0, NULL, NULL);
}

/* NULL: the system makes none; a child of ours gives up privileges by itself then, and tells what it has: confine.h. */
static HANDLE token_without_privileges(void)
{
        HANDLE own, token = NULL;
        if (!OpenProcessToken(GetCurrentProcess(), TOKEN_DUPLICATE | TOKEN_ASSIGN_PRIMARY | TOKEN_QUERY | TOKEN_ADJUST_PRIVILEGES | TOKEN_ADJUST_DEFAULT, &own))
                return NULL;
        BOOL is_made = CreateRestrictedToken(own, DISABLE_MAX_PRIVILEGE, 0, NULL, 0, NULL, 0, NULL, &token);
        CloseHandle(own);
        if (is_made && remove_privileges(token))
                return token;
        if (is_made)
                CloseHandle(token);
        return NULL;
}

static enum err create(const struct spawn *spawn, HANDLE job, wchar_t *program, wchar_t *line, PROCESS_INFORMATION *ret_process, struct why *why)
{
        wchar_t folder[WIDE_PATH_MAX];
        OWN(files) struct files files = { { inheritable(spawn->input, 0), inheritable(spawn->output, 0), inheritable(spawn->errors, STD_ERROR_HANDLE) } };
        OWN(list) LPPROC_THREAD_ATTRIBUTE_LIST list = list_of(&files, &job);
        if (!files.each[0] || !files.each[1] || !files.each[2] || !list)
                return WIN_FAIL(why, GetLastError(), "its files");
        if (spawn->folder && !wide_text(spawn->folder, folder, WIDE_PATH_MAX))
                return FAIL(why, ERR_USAGE, "%.150s: not a path that Windows takes", spawn->folder);
        STARTUPINFOEXW start = {
                .StartupInfo = { .cb = sizeof(start), .dwFlags = STARTF_USESTDHANDLES, .hStdInput = files.each[0], .hStdOutput = files.each[1], .hStdError = files.each[2] },
                .lpAttributeList = list,
        };
        const DWORD flags = CREATE_SUSPENDED | EXTENDED_STARTUPINFO_PRESENT | CREATE_UNICODE_ENVIRONMENT | CREATE_NO_WINDOW | CREATE_NEW_PROCESS_GROUP | CREATE_DEFAULT_ERROR_MODE;
        const wchar_t *in = spawn->folder ? folder : NULL;
        HANDLE token = spawn->has_no_privileges ? token_without_privileges() : NULL;
        BOOL is_made = token ? CreateProcessAsUserW(token, program, line, NULL, NULL, TRUE, flags, (void *)spawn->environment, in, &start.StartupInfo, ret_process)
                             : CreateProcessW(program, line, NULL, NULL, TRUE, flags, (void *)spawn->environment, in, &start.StartupInfo, ret_process);
        if (token)
                CloseHandle(token);
        return is_made ? OK : WIN_FAIL(why, GetLastError(), "it does not start");
}

static enum err start_in_job(const struct spawn *spawn, wchar_t *program, wchar_t *line, struct spawned *ret_spawned, struct why *why)
{
        PROCESS_INFORMATION made;
        HANDLE job = spawn->has_no_job ? NULL : limited_job(spawn);
        if (!spawn->has_no_job && !job)
                return WIN_FAIL(why, GetLastError(), "a job object");
        enum err e = create(spawn, job, program, line, &made, why);
        if (e) {
                if (job)
                        CloseHandle(job);
                return e;
        }
        *ret_spawned = (struct spawned){ made.hProcess, job, wake_stop_event(made.dwProcessId), made.hThread, made.dwProcessId };
        if ((job && !put_in(job, made.hProcess)) || (!spawn->is_held && !spawn_go(ret_spawned))) {
                e = WIN_FAIL(why, GetLastError(), "a job object");
                spawn_kill(ret_spawned);
                spawn_close(ret_spawned);
        }
        return e;
}

bool spawn_go(struct spawned *spawned)
{
        bool is_going = ResumeThread(spawned->thread) != (DWORD)-1;
        if (!is_going)
                spawn_kill(spawned);
        CloseHandle(spawned->thread);
        spawned->thread = NULL;
        return is_going;
}

enum err spawn_start(const struct spawn *spawn, struct spawned *ret_spawned, struct why *why)
{
        wchar_t program[WIDE_PATH_MAX];
        wchar_t *line = mem_new(COMMAND_BYTES, sizeof(*line));
        enum err e = line ? spawn_line(spawn->argv, line, COMMAND_BYTES, why) : FAIL(why, ERR_NOMEM, "out of memory");
        if (!e)
                e = find_program(spawn->argv[0], program, why);
        if (!e)
                e = start_in_job(spawn, program, line, ret_spawned, why);
        mem_free(line);
        return e ? DURING(why, e, "starting %.150s", spawn->argv[0]) : OK;
}

void spawn_kill(const struct spawned *spawned)
{
        if (spawned->job)
                (void)TerminateJobObject(spawned->job, KILLED);
        (void)TerminateProcess(spawned->process, KILLED);
        (void)WaitForSingleObject(spawned->process, KILL_MS);
}

void spawn_close(struct spawned *spawned)
{
        HANDLE each[] = { spawned->process, spawned->job, spawned->stop, spawned->thread };
        for (size_t i = 0; i < sizeof(each) / sizeof(each[0]); i++)
                if (each[i])
                        CloseHandle(each[i]);
        *spawned = (struct spawned){ .pid = 0 };
}
