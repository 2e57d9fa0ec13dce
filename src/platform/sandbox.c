#include "platform/sandbox.h"

#include "platform/clock.h"
#include "platform/os_error.h"
#include "platform/sandbox_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* The outer side of one run; -1: closed. */
struct outer {
        struct sandbox_notes *notes;
        int output[2], errors[2];
        pid_t pid;
        int pid_file;
};

static void close_one(int *file)
{
        if (*file >= 0)
                close(*file);
        *file = -1;
}

static void outer_release(struct outer *outer)
{
        if (outer->pid > 0) {
                kill(-outer->pid, SIGKILL);
                kill(outer->pid, SIGKILL);
                while (waitpid(outer->pid, NULL, 0) < 0 && errno == EINTR)
                        ;
        }
        close_one(&outer->pid_file);
        for (int i = 0; i < 2; i++) {
                close_one(&outer->output[i]);
                close_one(&outer->errors[i]);
        }
        if (outer->notes)
                munmap(outer->notes, sizeof(*outer->notes));
}

static enum err start(const struct sandbox_run *run, struct outer *outer, struct why *why)
{
        void *shared = mmap(NULL, sizeof(*outer->notes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (shared == MAP_FAILED)
                return FAIL(why, ERR_NOMEM, "memory to share with a sandbox");
        outer->notes = shared;
        if (pipe2(outer->output, O_CLOEXEC) || pipe2(outer->errors, O_CLOEXEC))
                return OS_FAIL(why, errno, "pipes for a sandbox");
        fflush(NULL);
        pid_t parent = getpid();
        outer->pid = fork();
        if (outer->pid == 0)
                sandbox_inside(run, &(struct sandbox_files){ outer->output[1], outer->errors[1] }, outer->notes, parent);
        if (outer->pid < 0)
                return OS_FAIL(why, errno, "starting a sandbox");
        setpgid(outer->pid, outer->pid);         /* both sides do, so that the group is there before either goes on */
        close_one(&outer->output[1]);
        close_one(&outer->errors[1]);
        outer->pid_file = pidfd_open(outer->pid, 0);
        return outer->pid_file < 0 ? OS_FAIL(why, errno, "watching a sandbox") : OK;
}

/* Takes what is there. What does not fit is read and thrown away, so that the program does not wait for us. */
static void take(int *file, struct buf *into, bool *is_cut)
{
        char part[16384];
        ssize_t got = read(*file, part, sizeof(part));
        if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN))
                close_one(file);
        if (got <= 0)
                return;
        size_t room = into->length_max - into->length;
        *is_cut |= (size_t)got > room;
        buf_add(into, part, (size_t)got > room ? room : (size_t)got);
}

/* Until all three are at their end: both pipes, and the sandbox. False: the time is up. */
static bool attend(const struct sandbox_run *run, struct outer *outer, struct sandbox_result *result)
{
        struct clock *clock = clock_system();
        int64_t began = clock->ops->steady_ms(clock), now = began;
        bool is_alive = true;
        while (is_alive || outer->output[0] >= 0 || outer->errors[0] >= 0) {
                int64_t left = run->limits.wall_ms ? began + run->limits.wall_ms - now : 60000;
                if (left <= 0)
                        return false;
                struct pollfd polls[3] = { { outer->output[0], POLLIN, 0 }, { outer->errors[0], POLLIN, 0 },
                                           { is_alive ? outer->pid_file : -1, POLLIN, 0 } };
                (void)poll(polls, 3, left > 60000 ? 60000 : (int)left);
                if (polls[0].revents)
                        take(&outer->output[0], &result->output, &result->is_output_cut);
                if (polls[1].revents)
                        take(&outer->errors[0], &result->errors, &result->is_errors_cut);
                is_alive &= !polls[2].revents;
                now = clock->ops->steady_ms(clock);
                result->wall_ms = now - began;
        }
        return true;
}

static enum err judge(const struct sandbox_run *run, const struct sandbox_notes *notes, struct sandbox_result *result, struct why *why)
{
        if (notes->start_error)
                return OS_FAIL(why, notes->start_error, "starting %.150s", run->argv[0]);
        enum err e = buf_check(&result->output, why);
        if (!e)
                e = buf_check(&result->errors, why);
        if (e)
                return e;
        result->walls = notes->walls;
        result->cpu_ms = notes->cpu_ms;
        result->memory_bytes = notes->memory_bytes;
        if (result->is_timeout)
                return OK;
        if (!notes->has_ended)
                return FAIL(why, ERR_IO, "the sandbox of %.150s ended without saying how", run->argv[0]);
        result->is_signal = WIFSIGNALED(notes->status);
        result->code = result->is_signal ? WTERMSIG(notes->status) : WEXITSTATUS(notes->status);
        return OK;
}

enum err sandbox_run(const struct sandbox_run *run, struct sandbox_result *result, struct why *why)
{
        OWN(outer) struct outer outer = { .output = { -1, -1 }, .errors = { -1, -1 }, .pid_file = -1 };
        enum err e = start(run, &outer, why);
        if (e)
                return e;
        result->is_timeout = !attend(run, &outer, result);
        return judge(run, outer.notes, result, why);
}
