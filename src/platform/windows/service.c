#include "platform/service.h"

#include "base/own.h"
#include "platform/windows/leave.h"
#include "platform/windows/log_pump.h"
#include "platform/windows/spawn.h"
#include "platform/windows/wake.h"
#include "platform/windows/wide.h"

#include <stdio.h>
#include <string.h>
#include <windows.h>

#include <sddl.h>

enum { NAME_CHARS = 256, LINE_CHARS = 8192, FORGET_FAILURES_S = 86400, LOOK_MS = 100, ERR_EXIT_CODE = ERROR_SERVICE_SPECIFIC_ERROR };

struct manager { SC_HANDLE manager, service; };
static void manager_release(struct manager *at)
{
        if (at->service)
                CloseServiceHandle(at->service);
        if (at->manager)
                CloseServiceHandle(at->manager);
}

static enum err manager_open(DWORD rights, struct manager *ret_at, struct why *why)
{
        ret_at->service = NULL;
        ret_at->manager = OpenSCManagerW(NULL, NULL, rights);
        return ret_at->manager ? OK : WIN_FAIL(why, GetLastError(), "the service manager (an administrator has to do this)");
}

/* For the system and administrators, and for all that is made in it: folders of programs' data can be written by every user otherwise. */
static enum err protect(const char *folder, struct why *why)
{
        wchar_t wide[WIDE_PATH_MAX];
        SECURITY_ATTRIBUTES to = { .nLength = sizeof(to) };
        if (!wide_path(folder, wide))
                return FAIL(why, ERR_USAGE, "%.150s: not a path that Windows takes", folder);
        if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(L"D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)", SDDL_REVISION_1, &to.lpSecurityDescriptor, NULL))
                return WIN_FAIL(why, GetLastError(), "protecting %s", folder);
        BOOL is_done = CreateDirectoryW(wide, &to);
        if (!is_done && GetLastError() == ERROR_ALREADY_EXISTS)
                is_done = SetFileSecurityW(wide, DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION, to.lpSecurityDescriptor);
        DWORD failed = is_done ? 0 : GetLastError();
        LocalFree(to.lpSecurityDescriptor);
        return is_done ? OK : WIN_FAIL(why, failed, "protecting %s", folder);
}

/* A second or two after it has failed, and from the third time on half a minute: it is never given up. */
static BOOL set_failures(SC_HANDLE service)
{
        SC_ACTION actions[] = { { SC_ACTION_RESTART, 2000 }, { SC_ACTION_RESTART, 5000 }, { SC_ACTION_RESTART, 30000 } };
        SERVICE_FAILURE_ACTIONSW failures = { .dwResetPeriod = FORGET_FAILURES_S, .cActions = sizeof(actions) / sizeof(actions[0]), .lpsaActions = actions };
        return ChangeServiceConfig2W(service, SERVICE_CONFIG_FAILURE_ACTIONS, &failures);
}

static BOOL set_failures_told(SC_HANDLE service)
{
        SERVICE_FAILURE_ACTIONS_FLAG told = { TRUE };
        return ChangeServiceConfig2W(service, SERVICE_CONFIG_FAILURE_ACTIONS_FLAG, &told);
}

/* Files can be given to NT SERVICE\name, and nothing of the system's own privileges is left but to pass through folders. */
static BOOL set_sid(SC_HANDLE service)
{
        SERVICE_SID_INFO sid = { SERVICE_SID_TYPE_UNRESTRICTED };
        return ChangeServiceConfig2W(service, SERVICE_CONFIG_SERVICE_SID_INFO, &sid);
}

static BOOL set_privileges(SC_HANDLE service)
{
        wchar_t needed[] = L"SeChangeNotifyPrivilege\0";
        SERVICE_REQUIRED_PRIVILEGES_INFOW privileges = { needed };
        return ChangeServiceConfig2W(service, SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO, &privileges);
}

static void add_lack(char lacks[static SERVICE_LACKS_BYTES], const char *name)
{
        size_t used = strlen(lacks);
        snprintf(lacks + used, SERVICE_LACKS_BYTES - used, "%s%s", used ? ", " : "", name);
}

static void set_all(const struct service *service, SC_HANDLE at, const wchar_t *about, char lacks[static SERVICE_LACKS_BYTES])
{
        static const struct { const char *name; BOOL (*set)(SC_HANDLE); } each[] = {
                { "to be started again when it fails", set_failures }, { "also when it ends by itself", set_failures_told },
                { "a name of its own for access lists", set_sid }, { "to be without the system's privileges", set_privileges },
        };
        SERVICE_DESCRIPTIONW description = { (wchar_t *)about };
        SERVICE_PRESHUTDOWN_INFO shutdown = { service->stop_ms };
        lacks[0] = 0;
        if (!ChangeServiceConfig2W(at, SERVICE_CONFIG_DESCRIPTION, &description))
                add_lack(lacks, "a description");
        if (!ChangeServiceConfig2W(at, SERVICE_CONFIG_PRESHUTDOWN_INFO, &shutdown))
                add_lack(lacks, "time to end before the machine does");
        for (size_t i = 0; i < sizeof(each) / sizeof(each[0]); i++)
                if (!each[i].set(at))
                        add_lack(lacks, each[i].name);
}

struct words { wchar_t name[NAME_CHARS], title[NAME_CHARS], about[LINE_CHARS], line[LINE_CHARS]; };
static enum err make_words(const struct service *service, struct words *words, struct why *why)
{
        wchar_t program[WIDE_PATH_MAX], rest[LINE_CHARS];
        if (!wide_text(service->name, words->name, NAME_CHARS) || !wide_text(service->title, words->title, NAME_CHARS) || !wide_text(service->about, words->about, LINE_CHARS))
                return FAIL(why, ERR_USAGE, "a service whose name Windows does not take");
        DWORD length = GetModuleFileNameW(NULL, program, WIDE_PATH_MAX);
        enum err e = length && length < WIDE_PATH_MAX ? spawn_line(service->argv, rest, LINE_CHARS, why) : FAIL(why, ERR_LIMIT, "the path of this program is too long");
        if (e)
                return e;
        /* In quotes: of `C:\Program Files\a.exe` Windows would try `C:\Program.exe` first. */
        int used = _snwprintf(words->line, LINE_CHARS, L"\"%ls\" %ls", program, rest);
        return used > 0 && used < LINE_CHARS ? OK : FAIL(why, ERR_LIMIT, "the service's command line is too long");
}

enum err service_install(const struct service *service, char ret_lacks[static SERVICE_LACKS_BYTES], struct why *why)
{
        struct words words;
        OWN(manager) struct manager at = { NULL, NULL };
        enum err e = make_words(service, &words, why);
        if (!e)
                e = manager_open(SC_MANAGER_CONNECT | SC_MANAGER_CREATE_SERVICE, &at, why);
        if (!e)
                e = protect(service->folder, why);
        if (e)
                return DURING(why, e, "installing the service %s", service->name);
        const DWORD kind = SERVICE_WIN32_OWN_PROCESS;
        at.service = CreateServiceW(at.manager, words.name, words.title, SERVICE_ALL_ACCESS, kind, SERVICE_AUTO_START, SERVICE_ERROR_NORMAL, words.line, NULL, NULL, NULL, NULL, NULL);
        if (!at.service && GetLastError() == ERROR_SERVICE_EXISTS) {
                at.service = OpenServiceW(at.manager, words.name, SERVICE_ALL_ACCESS);
                if (at.service && !ChangeServiceConfigW(at.service, kind, SERVICE_AUTO_START, SERVICE_ERROR_NORMAL, words.line, NULL, NULL, NULL, NULL, NULL, words.title))
                        return WIN_FAIL(why, GetLastError(), "changing the service %s", service->name);
        }
        if (!at.service)
                return WIN_FAIL(why, GetLastError(), "installing the service %s", service->name);
        set_all(service, at.service, words.about, ret_lacks);
        return OK;
}

static enum err stop(SC_HANDLE service, uint32_t stop_ms, struct why *why)
{
        SERVICE_STATUS status;
        if (!ControlService(service, SERVICE_CONTROL_STOP, &status) && GetLastError() != ERROR_SERVICE_NOT_ACTIVE)
                return WIN_FAIL(why, GetLastError(), "asking it to end");
        for (uint32_t ms = 0; ms < stop_ms; ms += LOOK_MS) {
                if (!QueryServiceStatus(service, &status))
                        return WIN_FAIL(why, GetLastError(), "asking whether it has ended");
                if (status.dwCurrentState == SERVICE_STOPPED)
                        return OK;
                Sleep(LOOK_MS);
        }
        return FAIL(why, ERR_TIMEOUT, "it has not ended in %u s, and stays", (unsigned)(stop_ms / 1000));
}

enum err service_remove(const char *name, uint32_t stop_ms, struct why *why)
{
        wchar_t wide[NAME_CHARS];
        OWN(manager) struct manager at = { NULL, NULL };
        enum err e = wide_text(name, wide, NAME_CHARS) ? manager_open(SC_MANAGER_CONNECT, &at, why) : FAIL(why, ERR_USAGE, "not a name that Windows takes");
        if (e)
                return DURING(why, e, "removing the service %s", name);
        at.service = OpenServiceW(at.manager, wide, SERVICE_STOP | SERVICE_QUERY_STATUS | DELETE);
        if (!at.service && GetLastError() == ERROR_SERVICE_DOES_NOT_EXIST)
                return FAIL(why, ERR_NOT_FOUND, "there is no service %.100s", name);
        if (!at.service)
                return WIN_FAIL(why, GetLastError(), "removing the service %s", name);
        e = stop(at.service, stop_ms, why);
        if (!e && !DeleteService(at.service))
                e = WIN_FAIL(why, GetLastError(), "taking it from the service manager");
        return e ? DURING(why, e, "removing the service %s", name) : OK;
}

/* One for each process: the manager calls without saying for whom. */
static struct running {
        const struct service_runs *runs;
        SERVICE_STATUS_HANDLE handle;
        SERVICE_STATUS status;
        enum err result;
        struct why why;
        SRWLOCK lock;                    /* orders come on a thread of the manager's */
} running = { .lock = SRWLOCK_INIT };

/* Nothing is told after the end. True: it was in another state before. */
static bool tell(DWORD state)
{
        enum { ENDING_MS = 90000,        /* engines have their own time to end */
               ACCEPTED = SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_PRESHUTDOWN | SERVICE_ACCEPT_SHUTDOWN | SERVICE_ACCEPT_POWEREVENT };
        AcquireSRWLockExclusive(&running.lock);
        if (running.status.dwCurrentState == SERVICE_STOPPED) {
                ReleaseSRWLockExclusive(&running.lock);
                return false;
        }
        const bool is_new = running.status.dwCurrentState != state;
        running.status.dwServiceType = SERVICE_WIN32_OWN_PROCESS;
        running.status.dwCurrentState = state;
        running.status.dwControlsAccepted = state == SERVICE_RUNNING ? ACCEPTED : 0;
        running.status.dwWaitHint = state == SERVICE_STOP_PENDING ? ENDING_MS : 0;
        (void)SetServiceStatus(running.handle, &running.status);
        ReleaseSRWLockExclusive(&running.lock);
        return is_new;
}

/* A machine that is to sleep does so when this returns. Of one that is shut down the manager may say it twice; it is said once, while the engines still run. */
static DWORD WINAPI on_order(DWORD order, DWORD event, void *data, void *user)
{
        const struct service_runs *runs = user;
        const enum leave leave = leave_of(order, event);
        (void)data;
        if (leave == LEAVE_STAYS)
                return ERROR_CALL_NOT_IMPLEMENTED;
        if (leave == LEAVE_SLEEPS)
                (void)leave_say(runs->at_sleep, runs->words_ms);
        if (leave == LEAVE_HEARS || leave == LEAVE_SLEEPS)
                return NO_ERROR;
        const bool is_first = tell(SERVICE_STOP_PENDING);
        if (is_first && leave == LEAVE_SHUTS_DOWN)
                (void)leave_say(runs->at_shutdown, runs->words_ms);
        wake_to_end();
        return NO_ERROR;
}

static void WINAPI service_main(DWORD argc, wchar_t **argv)
{
        (void)argc;
        const struct service_runs *runs = running.runs;
        running.handle = RegisterServiceCtrlHandlerExW(argv[0], on_order, (void *)runs);
        if (!running.handle) {
                running.result = WIN_FAIL(&running.why, GetLastError(), "hearing the service manager");
                return;
        }
        (void)tell(SERVICE_START_PENDING);
        running.result = wake_event() ? log_pump_start(runs->log, runs->log_bytes_max, &running.why) : FAIL(&running.why, ERR_NOMEM, "out of handles");
        if (!running.result) {
                (void)tell(SERVICE_RUNNING);
                running.result = runs->body(runs->user, &running.why);
        }
        if (running.result) {
                fprintf(stderr, "%s: %s (%s)\n", runs->name, running.why.text, err_info(running.result)->text);
                running.status.dwWin32ExitCode = ERR_EXIT_CODE;
                running.status.dwServiceSpecificExitCode = (DWORD)err_info(running.result)->exit;
        }
        log_pump_drain();
        (void)tell(SERVICE_STOPPED);
}

enum err service_run(const struct service_runs *runs, struct why *why)
{
        wchar_t name[NAME_CHARS];
        running.runs = runs;
        running.status.dwCurrentState = SERVICE_START_PENDING;
        if (!wide_text(runs->name, name, NAME_CHARS))
                return FAIL(why, ERR_USAGE, "not a name that Windows takes");
        const SERVICE_TABLE_ENTRYW table[] = { { name, service_main }, { NULL, NULL } };
        if (!StartServiceCtrlDispatcherW(table))
                return GetLastError() == ERROR_FAILED_SERVICE_CONTROLLER_CONNECT ? FAIL(why, ERR_USAGE, "the service manager starts this; by hand it is `run`")
                                                                                 : WIN_FAIL(why, GetLastError(), "the service manager");
        if (running.result)
                *why = running.why;
        return running.result;
}
