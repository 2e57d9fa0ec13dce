/* Three processes: the outer one makes name spaces, the middle one is process 1 in them, waits and measures, the inner one becomes
 * the program. When one dies, those below it die too. */
#include "platform/sandbox_inside.h"

#include "platform/child.h"
#include "platform/sandbox_walls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__
#define IF_SANITIZED "ASAN_OPTIONS=detect_leaks=0:handle_segv=0:abort_on_error=1", "UBSAN_OPTIONS=halt_on_error=0",   /* no ptrace here, and a crash is a signal */
#else
#define IF_SANITIZED
#endif

#define PLAIN "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "HOME=/", IF_SANITIZED
static const char *const plain_environment[] = { PLAIN NULL }, *const with_temporary[] = { PLAIN "TMPDIR=/dev/shm", NULL };

static bool place_files(const struct sandbox_files *files)
{
        int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
        int high[3] = { fcntl(null, F_DUPFD_CLOEXEC, 3), fcntl(files->output, F_DUPFD_CLOEXEC, 3), fcntl(files->errors, F_DUPFD_CLOEXEC, 3) };
        bool done = true;
        for (int i = 0; i < 3; i++)
                done &= high[i] >= 0 && dup2(high[i], i) == i;
        return close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) == 0 && done;
}

_Noreturn static void become_program(const struct sandbox_run *run, const struct sandbox_files *files, struct sandbox_notes *notes)
{
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        bool is_ready = place_files(files) && chdir(run->scratch ? run->scratch : "/") == 0;
        struct sandbox_limits limits = run->limits;
        limits.may_set_up_network &= (notes->walls & SANDBOX_OFFLINE) != 0;
        if (walls_capabilities(&limits))
                notes->walls |= SANDBOX_CAPABILITIES;
        if (walls_limits(&limits))
                notes->walls |= SANDBOX_RLIMIT;
        if (walls_seccomp(&limits))
                notes->walls |= SANDBOX_SECCOMP;
        const char *const *environment = run->environment ? run->environment : limits.temporary_bytes ? with_temporary : plain_environment;
        if (is_ready)
                execvpe(run->argv[0], (char *const *)run->argv, (char *const *)environment);
        notes->start_error = errno ? errno : EIO;
        _exit(127);
}

static int64_t used_ms(const struct rusage *usage)
{
        return (usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000 + (usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1000;
}

/* Process 1 also inherits what the program leaves behind; all of it ends when this returns. */
static void wait_and_measure(pid_t program, struct sandbox_notes *notes)
{
        struct rusage usage;
        int status;
        for (pid_t ended = 0; ended != program;) {
                ended = wait4(-1, &status, 0, &usage);
                if (ended < 0 && errno != EINTR)
                        return;
        }
        notes->status = status;
        notes->cpu_ms = used_ms(&usage);
        notes->memory_bytes = (uint64_t)usage.ru_maxrss * 1024;
        notes->has_ended = true;
}

_Noreturn static void be_first(const struct sandbox_run *run, const struct sandbox_files *files, struct sandbox_notes *notes)
{
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (notes->walls && walls_readonly(run->scratch, run->limits.temporary_bytes))
                notes->walls |= SANDBOX_READONLY;
        pid_t program = fork();
        if (program == 0)
                become_program(run, files, notes);
        close(files->output);
        close(files->errors);
        if (program > 0)
                wait_and_measure(program, notes);
        else
                notes->start_error = errno;
        kill(0, SIGKILL);        /* where there is no process name space: the group */
        _exit(0);
}

void sandbox_inside(const struct sandbox_run *run, const struct sandbox_files *files, struct sandbox_notes *notes, int parent)
{
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        setpgid(0, 0);
        if (getppid() != parent)
                _exit(0);
        child_reset_signals();
        notes->walls = walls_name_spaces();
        pid_t first = fork();
        if (first == 0)
                be_first(run, files, notes);
        if (first < 0)
                notes->start_error = errno;
        close(files->output);
        close(files->errors);
        while (first > 0 && waitpid(first, NULL, 0) < 0 && errno == EINTR)
                ;
        _exit(0);
}
