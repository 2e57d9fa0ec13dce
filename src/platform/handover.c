#include "platform/handover.h"

#include "platform/channel.h"
#include "platform/os_error.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static bool set_kept(int file, bool is_kept)
{
        int flags = fcntl(file, F_GETFD);
        return flags >= 0 && fcntl(file, F_SETFD, is_kept ? flags & ~FD_CLOEXEC : flags | FD_CLOEXEC) == 0;
}

enum err handover_to(const struct handover *handover, struct why *why)
{
        const char *program = handover->argv[0];
        bool are_kept = close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) == 0;
        for (size_t i = 0; i < handover->count; i++)
                are_kept &= set_kept(handover->files[i], true);
        if (are_kept)
                execv(program, (char *const *)handover->argv);
        int failed = errno;
        for (size_t i = 0; i < handover->count; i++)
                (void)set_kept(handover->files[i], false);
        if (failed == ENOEXEC)
                return FAIL(why, ERR_CONTENT, "going on as %.200s: it is no program for this machine", program);
        return OS_FAIL(why, failed, "going on as %.200s", program);
}

static enum err read_all(int file, void *bytes, size_t length, struct why *why)
{
        struct stat stat;
        if (fstat(file, &stat))
                return OS_FAIL(why, errno, "what was handed over");
        if ((size_t)stat.st_size != length)
                return FAIL(why, (size_t)stat.st_size > length ? ERR_LIMIT : ERR_SYNTAX, "what was handed over has %lld bytes, not %zu", (long long)stat.st_size, length);
        ssize_t got = pread(file, bytes, length, 0);
        return got == (ssize_t)length ? OK : FAIL(why, ERR_IO, "what was handed over cannot be read");
}

enum err handover_receive(const char *number, void *bytes, size_t length, bool *ret_is_handed, struct why *why)
{
        char *end;
        long file = strtol(number, &end, 10);
        if (*end || file < 3 || file > INT32_MAX || !handover_take((int)file))
                return FAIL(why, ERR_USAGE, "--handed %.20s: no open file; only an agent that goes on as another one says this", number);
        enum err e = read_all((int)file, bytes, length, why);
        channel_close((int)file);
        if (!e)
                *ret_is_handed = true;
        return e;
}

bool handover_take(int file)
{
        return file > 2 && set_kept(file, false);
}

bool handover_is_child(int pid)
{
        siginfo_t info = { 0 };
        return pid > 1 && waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

struct watch { int beat, ready; int64_t silence_ms; pid_t watched; };

static void sleep_ms(int64_t ms)
{
        struct timespec left = { ms / 1000, ms % 1000 * 1000000 };
        while (nanosleep(&left, &left) && errno == EINTR)
                ;
}

/* Only its end of the pipe stays open: it must hold neither a lock nor an end that somebody waits to see closed. */
static int watch(void *user)
{
        struct watch watch = *(struct watch *)user;
        enum { BEAT = 3 };
        int ready = fcntl(watch.ready, F_DUPFD, BEAT + 1), beat = fcntl(watch.beat, F_DUPFD, BEAT + 1);
        if (ready < 0 || beat < 0 || dup2(beat, BEAT) != BEAT || dup2(ready, BEAT + 1) != BEAT + 1 || close_range(BEAT + 2, ~0u, 0) || write(BEAT + 1, "", 1) != 1
            || close(BEAT + 1))
                _exit(1);
        struct pollfd file = { .fd = BEAT, .events = POLLIN };
        /* Twice half of the time: who was frozen together with what he watches wakes to a time that is over. */
        for (int silences = 0; silences < 2;) {
                char beats[256];
                int found = poll(&file, 1, (int)(watch.silence_ms / 2));
                if (found < 0 && errno != EINTR)
                        _exit(1);
                if (found > 0 && read(BEAT, beats, sizeof(beats)) == 0)
                        sleep_ms(watch.silence_ms / 2);
                else if (found > 0)
                        silences = -1;
                silences += found >= 0;
        }
        if (getppid() == watch.watched)
                (void)kill(watch.watched, SIGKILL);
        _exit(0);
}

/* It has let go of all that is ours. */
static enum err is_ready(int file, struct child *watcher, struct why *why)
{
        enum { READY_MS = 10000 };
        bool can_be_read = false;
        char byte;
        enum err e = channel_wait(&file, 1, READY_MS, &can_be_read, why);
        if (!e && channel_pipe_take(file, &byte, 1) != 1)
                e = FAIL(why, ERR_IO, "the watcher does not begin");
        if (e)
                child_kill(watcher);
        return e;
}

enum err handover_watch(int64_t silence_ms, int *ret_beat, struct child *ret_watcher, struct why *why)
{
        int ends[2];
        enum err e = channel_pipe(ends, why);
        if (e)
                return e;
        (void)fcntl(ends[1], F_SETFL, O_NONBLOCK);
        int ready[2];
        e = channel_pipe(ready, why);
        if (!e) {
                struct watch setup = { ends[0], ready[1], silence_ms, getpid() };
                e = child_fork(watch, &setup, ret_watcher, why);
                channel_close(ready[1]);
                if (!e)
                        e = is_ready(ready[0], ret_watcher, why);
                channel_close(ready[0]);
        }
        channel_close(ends[0]);
        if (e)
                channel_close(ends[1]);
        else
                *ret_beat = ends[1];
        return e;
}

void handover_beat(int beat)
{
        ssize_t written = write(beat, "", 1);
        (void)written;                   /* full: the watcher has enough of them */
}

void handover_unwatch(int beat, struct child *watcher)
{
        child_kill(watcher);
        channel_close(beat);
}

enum err handover_keep(const struct handover_keep *keep, struct why *why)
{
        return FAIL(why, ERR_UNAVAILABLE, "keeping %.150s: here a process goes on as another program by itself", keep->argv[0]);
}
