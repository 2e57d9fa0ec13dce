#include "platform/child.h"

#include "platform/channel.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

const char child_self[] = "/proc/self/exe";
const char child_input[] = "/proc/self/fd/0";

static int signal_number(const char *name)
{
        static const struct { const char *name; int number; } known[] = {
                { "HUP", SIGHUP }, { "USR1", SIGUSR1 }, { "USR2", SIGUSR2 }, { "TERM", SIGTERM }, { "KILL", SIGKILL },
        };
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
                if (strcmp(known[i].name, name) == 0)
                        return known[i].number;
        assert(false && "a signal name that configuration accepts");
        return 0;
}

static void limit(int resource, uint64_t most)
{
        struct rlimit wanted = { most, most };
        if (most)
                (void)setrlimit((__rlimit_resource_t)resource, &wanted);
}

static bool go_offline(void)
{
        return unshare(CLONE_NEWNET) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;
}

static void confine(const struct child_limits *limits)
{
        limit(RLIMIT_CPU, limits->cpu_s);
#ifndef __SANITIZE_ADDRESS__
        limit(RLIMIT_AS, limits->memory_bytes);          /* shadow memory alone is terabytes */
#endif
        limit(RLIMIT_FSIZE, limits->file_bytes);
        limit(RLIMIT_NOFILE, limits->files);
        struct rlimit none = { 0, 0 };
        (void)setrlimit(RLIMIT_CORE, &none);
        if (limits->is_offline)
                (void)go_offline();
        (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

void child_reset_signals(void)
{
        sigset_t none;
        sigemptyset(&none);
        for (int number = 1; number < SIGRTMIN; number++)
                signal(number, SIG_DFL);
        sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Above 2 first, so that placing one does not close another. */
static bool place_files(const struct child_setup *setup)
{
        int null = open("/dev/null", O_RDWR | O_CLOEXEC), high[3];
        const int files[3] = { setup->input >= 0 ? setup->input : null, setup->output >= 0 ? setup->output : null,
                               setup->errors >= 0 ? setup->errors : 2 };
        bool is_placed = null >= 0;
        for (int i = 0; i < 3; i++)
                is_placed &= (high[i] = fcntl(files[i], F_DUPFD_CLOEXEC, 3)) >= 0;
        for (int i = 0; i < 3; i++)
                is_placed &= dup2(high[i], i) == i;
        return is_placed;
}

/* 0, or an error number. */
static int prepare(const struct child_setup *setup)
{
        if (!place_files(setup))
                return errno;
        (void)close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
        setpgid(0, 0);
        if (setup->limits)
                confine(setup->limits);
        bool is_there = !setup->folder || chdir(setup->folder) == 0;
        return is_there && (!setup->user || user_become(setup->user)) ? 0 : errno;
}

/* In the child, after fork: only calls that are safe there. `report` carries errno to the parent if exec fails. */
_Noreturn static void become(const struct child_setup *setup, int report, pid_t parent)
{
        int failed = prepare(setup);
        channel_child_signals();         /* with the user, the system forgets that we are to die with our parent */
        child_reset_signals();
        if (!failed && getppid() == parent)
                execvp(setup->argv[0], (char *const *)setup->argv);
        failed = failed ? failed : errno;
        ssize_t told = write(report, &failed, sizeof(failed));
        _exit(told == sizeof(failed) ? 127 : 126);
}

/* The child that is our own ends at once; what it started is nobody's. */
_Noreturn static void detach(const struct child_setup *setup, int report)
{
        if (setsid() < 0 || fork())
                _exit(0);
        int failed = prepare(setup);
        child_reset_signals();
        if (!failed) {
                execvp(setup->argv[0], (char *const *)setup->argv);
                failed = errno;
        }
        _exit(write(report, &failed, sizeof(failed)) == sizeof(failed) ? 127 : 126);
}

static enum err start_check(int report, const char *name, struct why *why)
{
        int failed = 0;
        ssize_t got;
        do
                got = read(report, &failed, sizeof(failed));
        while (got < 0 && errno == EINTR);
        if (got != sizeof(failed))
                return OK;
        enum err e = failed == ENOENT ? ERR_NOT_FOUND : failed == EACCES || failed == EPERM ? ERR_REFUSED : ERR_IO;
        return FAIL(why, e, "starting %s: %s", name, strerror(failed));
}

enum err child_start(const struct child_setup *setup, struct child *ret_child, struct why *why)
{
        int report[2];
        if (pipe2(report, O_CLOEXEC))
                return FAIL(why, ERR_IO, "starting %s: %s", setup->argv[0], strerror(errno));
        pid_t parent = getpid(), pid = fork();
        if (pid == 0)
                become(setup, report[1], parent);
        int failed = errno;
        close(report[1]);
        enum err e = pid < 0 ? FAIL(why, ERR_NOMEM, "starting %s: %s", setup->argv[0], strerror(failed))
                             : start_check(report[0], setup->argv[0], why);
        close(report[0]);
        if (e && pid > 0)
                (void)waitpid(pid, NULL, 0);
        if (!e)
                *ret_child = (struct child){ pid };
        return e;
}

enum err child_detach(const struct child_setup *setup, struct why *why)
{
        int report[2];
        if (pipe2(report, O_CLOEXEC))
                return FAIL(why, ERR_IO, "starting %s: %s", setup->argv[0], strerror(errno));
        pid_t pid = fork();
        if (pid == 0)
                detach(setup, report[1]);
        close(report[1]);
        while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
                ;
        enum err e = pid < 0 ? FAIL(why, ERR_NOMEM, "starting %s: %s", setup->argv[0], strerror(errno)) : start_check(report[0], setup->argv[0], why);
        close(report[0]);
        return e;
}

enum err child_fork(int (*run)(void *user), void *user, struct child *ret_child, struct why *why)
{
        (void)fflush(NULL);                  /* or both would write what is waiting */
        pid_t parent = getpid(), pid = fork();
        if (pid < 0)
                return FAIL(why, ERR_NOMEM, "starting another process: %s", strerror(errno));
        if (pid > 0) {
                *ret_child = (struct child){ pid };
                return OK;
        }
        setpgid(0, 0);
        channel_child_signals();
        signal(SIGPIPE, SIG_IGN);
        exit(getppid() == parent ? run(user) : 1);
}

void child_give_way(void)
{
        (void)setpriority(PRIO_PROCESS, 0, 19);
}

bool child_signal(const struct child *child, const char *name)
{
        return child->pid > 0 && kill(child->pid, signal_number(name)) == 0;
}

static struct child_end end_of(int status)
{
        if (WIFSIGNALED(status))
                return (struct child_end){ true, WTERMSIG(status) };
        return (struct child_end){ false, WEXITSTATUS(status) };
}

bool child_ended(struct child *child, struct child_end *ret_end)
{
        int status;
        if (child->pid <= 0 || waitpid(child->pid, &status, WNOHANG) != child->pid)
                return false;
        (void)kill(-child->pid, SIGKILL);        /* what it started and left behind */
        *ret_end = end_of(status);
        child->pid = 0;
        return true;
}

void child_kill(struct child *child)
{
        if (child->pid <= 0)
                return;
        (void)kill(-child->pid, SIGKILL);
        (void)kill(child->pid, SIGKILL);
        while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
                ;
        child->pid = 0;
}

void child_end_text(const struct child_end *end, char *text, int size)
{
        if (end->is_signal && !end->code)
                snprintf(text, (size_t)size, "ended, not by us");
        else
                snprintf(text, (size_t)size, "%s %d", end->is_signal ? "signal" : "exit", end->code);
}

bool child_pid_signal(int pid, const char *name)
{
        return pid > 1 && kill(pid, signal_number(name)) == 0;
}

bool child_pid_lives(int pid)
{
        return pid > 1 && (kill(pid, 0) == 0 || errno == EPERM);
}

int child_own_pid(void)
{
        return getpid();
}

bool child_offline_works(void)
{
        pid_t pid = fork();
        if (pid == 0)
                _exit(go_offline() ? 0 : 1);
        int status = 1;
        return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool child_is_alone(void)
{
        char line[512];
        int lines = 0;
        bool is_alone = true;
        FILE *file = fopen("/proc/net/dev", "re");
        while (file && fgets(line, sizeof(line), file))
                is_alone &= ++lines <= 2 || strncmp(line + strspn(line, " "), "lo:", 3) == 0;        /* two of headings */
        if (file)
                fclose(file);
        return lines > 2 && is_alone;
}

/* Asked of the name space itself: a list of devices that is not there says nothing. */
static bool own_network(struct stat *ret_stat)
{
        return stat("/proc/self/ns/net", ret_stat) == 0;
}

enum err child_leave_network(struct why *why)
{
        struct stat before, after;
        bool is_done = own_network(&before) && go_offline() && own_network(&after) && before.st_ino != after.st_ino && child_is_alone();
        return is_done ? OK : FAIL(why, ERR_UNAVAILABLE, "a network of one's own: %s", strerror(errno));
}
