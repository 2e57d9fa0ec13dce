#include "platform/file_limit.h"

#include "support/test.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static bool is_null(int file)
{
        struct stat stat_of_file, null;
        return fstat(file, &stat_of_file) == 0 && stat("/dev/null", &null) == 0 && stat_of_file.st_rdev == null.st_rdev && S_ISCHR(stat_of_file.st_mode);
}

/* In a child: `closed` is a set of bits. 0: each of them leads to nothing and lasts, the others are what they were, and no more is open. */
static int look(unsigned closed)
{
        struct stat before[3], after;
        for (int file = 0; file < 3; file++)
                if (dup2(1, file) != file || fstat(file, &before[file]))
                        return 1;
        if (close_range(3, ~0u, 0))
                return 2;
        for (int file = 0; file < 3; file++)
                if (closed & 1u << file)
                        close(file);
        file_limit_standard();
        for (int file = 0; file < 3; file++) {
                bool is_closed = closed & 1u << file;
                if (fcntl(file, F_GETFD) != 0 || fstat(file, &after))
                        return 3;
                if (is_closed ? !is_null(file) : after.st_ino != before[file].st_ino)
                        return 4;
        }
        return fcntl(3, F_GETFD) < 0 ? 0 : 5;
}

TEST(file_limit_standard, opens_what_was_closed_and_nothing_else)
{
        for (unsigned closed = 0; closed < 8; closed++) {
                int ends[2], status;
                CHECK(pipe(ends) == 0);
                pid_t pid = fork();
                if (pid == 0)
                        _exit(dup2(ends[1], 1) == 1 ? look(closed) : 9);
                CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
                close(ends[0]);
                close(ends[1]);
        }
}

TEST(file_limit_raise, says_how_many_files_there_may_be)
{
        CHECK(file_limit_raise() >= 64 && file_limit_raise() == file_limit_raise());
}
