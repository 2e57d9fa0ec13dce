#include "platform/file_limit.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

enum { OTHERWISE = 256, MOST = 1 << 20, NOT_STARTED = 126 };

unsigned file_limit_raise(void)
{
        struct rlimit limit;
        if (getrlimit(RLIMIT_NOFILE, &limit))
                return OTHERWISE;
        rlim_t before = limit.rlim_cur;
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit))
                limit.rlim_cur = before;
        return limit.rlim_cur < MOST ? (unsigned)limit.rlim_cur : MOST;
}

void file_limit_standard(void)
{
        for (int file = 0; file <= STDERR_FILENO; file++)
                if (fcntl(file, F_GETFD) < 0 && open("/dev/null", O_RDWR) != file)
                        _exit(NOT_STARTED);
}

void file_limit_size_fails(void)
{
        signal(SIGXFSZ, SIG_IGN);
}
