#include "platform/lock.h"

#include "platform/clock.h"
#include "platform/os_error.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { AGAIN_MS = 50 };

/* Who has it wrote its number there. */
static enum err busy(int fd, const char *path, struct why *why)
{
        char owner[16] = "";
        ssize_t length = pread(fd, owner, sizeof(owner) - 1, 0);
        owner[length > 0 ? strspn(owner, "0123456789") : 0] = 0;
        return FAIL(why, ERR_BUSY, "%s is held by another process%s%s: stop that one first", path, owner[0] ? ", number " : "", owner);
}

static void sign(int fd)
{
        char own[16];
        int length = snprintf(own, sizeof(own), "%d\n", (int)getpid());
        if (ftruncate(fd, 0) || pwrite(fd, own, (size_t)length, 0) != length)
                return;                        /* the number is for people; the lock holds without it */
}

enum err lock_take(const char *path, int64_t wait_ms, int *ret_lock, struct why *why)
{
        struct clock *clock = clock_system();
        int64_t until = clock->ops->steady_ms(clock) + wait_ms;
        int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0 && errno == EROFS)
                fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);        /* it locks as well */
        if (fd < 0)
                return OS_FAIL(why, errno, "the lock %s", path);
        while (flock(fd, LOCK_EX | LOCK_NB)) {
                if (errno != EWOULDBLOCK && errno != EINTR) {
                        enum err e = OS_FAIL(why, errno, "the lock %s", path);
                        close(fd);
                        return e;
                }
                if (clock->ops->steady_ms(clock) >= until) {
                        enum err e = busy(fd, path, why);
                        close(fd);
                        return e;
                }
                clock->ops->sleep_ms(clock, AGAIN_MS);
        }
        sign(fd);
        *ret_lock = fd;
        return OK;
}

bool lock_is_held(const char *path)
{
        struct flock wanted = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
        int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return false;
        bool is_held = fcntl(fd, F_GETLK, &wanted) == 0 && wanted.l_type != F_UNLCK;
        close(fd);
        return is_held;
}

void lock_give(int lock)
{
        if (lock >= 0)
                close(lock);
}
