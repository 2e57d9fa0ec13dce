#include "platform/channel.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum err channel_open(int ret_ends[2], struct why *why)
{
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_ends))
                return FAIL(why, ERR_IO, "making a channel: %s", strerror(errno));
        return OK;
}

void channel_close(int end)
{
        if (end >= 0)
                close(end);
}

enum err channel_send(int end, const void *bytes, size_t length, struct why *why)
{
        ssize_t sent;
        do
                sent = send(end, bytes, length, MSG_NOSIGNAL);
        while (sent < 0 && errno == EINTR);
        if (sent == (ssize_t)length)
                return OK;
        if (sent < 0 && (errno == EPIPE || errno == ECONNRESET))
                return FAIL(why, ERR_UNAVAILABLE, "the other process is gone");
        return FAIL(why, ERR_IO, "sending %zu bytes: %s", length, sent < 0 ? strerror(errno) : "cut short");
}

enum err channel_receive(int end, void *bytes, size_t bytes_max, size_t *ret_length, struct why *why)
{
        ssize_t got;
        do
                got = recv(end, bytes, bytes_max, MSG_TRUNC);
        while (got < 0 && errno == EINTR);
        if (got == 0 || (got < 0 && errno == ECONNRESET))
                return FAIL(why, ERR_UNAVAILABLE, "the other process is gone");
        if (got < 0)
                return FAIL(why, ERR_IO, "receiving: %s", strerror(errno));
        if ((size_t)got > bytes_max)
                return FAIL(why, ERR_LIMIT, "a message of %zd bytes", got);
        *ret_length = (size_t)got;
        return OK;
}

enum err channel_wait(const int *files, size_t count, int64_t timeout_ms, bool *ret_ready, struct why *why)
{
        assert(count <= CHANNEL_WAIT_MAX);
        struct pollfd polls[CHANNEL_WAIT_MAX];
        for (size_t i = 0; i < count; i++)
                polls[i] = (struct pollfd){ .fd = files[i], .events = POLLIN };
        int timeout = timeout_ms < 0 ? 0 : timeout_ms > 60000 ? 60000 : (int)timeout_ms;
        int ready = poll(polls, count, timeout);
        if (ready < 0 && errno != EINTR)
                return FAIL(why, ERR_IO, "waiting: %s", strerror(errno));
        for (size_t i = 0; i < count; i++)
                ret_ready[i] = ready > 0 && files[i] >= 0 && polls[i].revents;
        return OK;
}

enum err channel_pipe(int ret_ends[2], struct why *why)
{
        if (pipe2(ret_ends, O_CLOEXEC))
                return FAIL(why, ERR_IO, "opening a pipe: %s", strerror(errno));
        (void)fcntl(ret_ends[0], F_SETFL, O_NONBLOCK);          /* each end has flags of its own */
        return OK;
}

size_t channel_pipe_take(int end, void *bytes, size_t bytes_max)
{
        ssize_t got = end < 0 ? 0 : read(end, bytes, bytes_max);
        return got > 0 ? (size_t)got : 0;
}

static void watched(sigset_t *set)
{
        sigemptyset(set);
        sigaddset(set, SIGTERM);
        sigaddset(set, SIGINT);
        sigaddset(set, SIGCHLD);
}

enum err channel_signals(int *ret_file, struct why *why)
{
        sigset_t set;
        watched(&set);
        signal(SIGPIPE, SIG_IGN);
        signal(SIGHUP, SIG_IGN);
        if (sigprocmask(SIG_BLOCK, &set, NULL))
                return FAIL(why, ERR_IO, "blocking signals: %s", strerror(errno));
        int file = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
        if (file < 0)
                return FAIL(why, ERR_IO, "watching signals: %s", strerror(errno));
        *ret_file = file;
        return OK;
}

bool channel_signals_take(int file)
{
        bool ends = false;
        struct signalfd_siginfo info;
        while (read(file, &info, sizeof(info)) == sizeof(info))
                ends |= info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT;
        return ends;
}

void channel_child_signals(void)
{
        sigset_t set;
        watched(&set);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        signal(SIGPIPE, SIG_DFL);
        sigprocmask(SIG_UNBLOCK, &set, NULL);
}

void channel_child_deaf(void)
{
        signal(SIGTERM, SIG_IGN);
        signal(SIGINT, SIG_IGN);
}

/* Neither the file nor the folder that it is in may be a link: the folder is ours, and nobody else's to point elsewhere. */
static int open_in_its_folder(const char *path)
{
        char folder[PATH_MAX];
        const char *name = strrchr(path, '/');
        if (!name || name == path || (size_t)(name - path) >= sizeof(folder)) {
                errno = EINVAL;
                return -1;
        }
        snprintf(folder, sizeof(folder), "%.*s", (int)(name - path), path);
        int place = open(folder, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        int file = place < 0 ? -1 : openat(place, name + 1, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        int failed = errno;
        channel_close(place);
        errno = failed;
        return file;
}

enum err channel_spool_open(const char *path, uint64_t part_max, int *ret_file, uint64_t *ret_length, struct why *why)
{
        struct stat info;
        int file = open_in_its_folder(path);
        if (file < 0 || fstat(file, &info)) {
                const bool is_in_the_way = errno == EACCES || errno == EPERM || errno == ELOOP || errno == EISDIR || errno == ENXIO;
                enum err e = FAIL(why, errno == ENOSPC ? ERR_FULL : is_in_the_way ? ERR_REFUSED : ERR_IO, "opening %s: %s", path, strerror(errno));
                channel_close(file);
                return e;
        }
        /* What has another name too would be written to there as well. */
        if (!S_ISREG(info.st_mode) || info.st_nlink != 1) {
                channel_close(file);
                return FAIL(why, ERR_REFUSED, "opening %s: %s", path, S_ISREG(info.st_mode) ? "it has another name, too" : "not a regular file");
        }
        bool is_part = (uint64_t)info.st_size < part_max;
        if (!is_part && ftruncate(file, 0)) {
                close(file);
                return FAIL(why, ERR_IO, "emptying %s: %s", path, strerror(errno));
        }
        *ret_file = file;
        *ret_length = is_part ? (uint64_t)info.st_size : 0;
        return OK;
}

enum err channel_memory(const void *bytes, size_t length, int *ret_file, struct why *why)
{
        int file = memfd_create("firebreak", MFD_CLOEXEC);
        if (file < 0)
                return FAIL(why, ERR_IO, "making a memory file: %s", strerror(errno));
        size_t done = 0;
        while (done < length) {
                ssize_t wrote = write(file, (const char *)bytes + done, length - done);
                if (wrote <= 0 && errno != EINTR) {
                        close(file);
                        return FAIL(why, ERR_NOMEM, "filling a memory file: %s", strerror(errno));
                }
                done += wrote > 0 ? (size_t)wrote : 0;
        }
        if (lseek(file, 0, SEEK_SET)) {
                close(file);
                return FAIL(why, ERR_IO, "rewinding a memory file: %s", strerror(errno));
        }
        *ret_file = file;
        return OK;
}
