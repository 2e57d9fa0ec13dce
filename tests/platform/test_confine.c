#include "platform/confine.h"

#include "platform/child.h"
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* With the sanitizers only part of it is in force: see confine.c. */
#if defined(__SANITIZE_ADDRESS__)
enum { IS_WATCHED = 1 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
enum { IS_WATCHED = 1 };
#else
enum { IS_WATCHED = 0 };
#endif
#else
enum { IS_WATCHED = 0 };
#endif

enum { CONFINED = 40, REFUSED_BY_SYSTEM, LEAKS };

static int look_around(void *user)
{
        int file = *(int *)user;
        char byte = 'x';
        if (confine_to_open_files(NULL) != OK)
                return REFUSED_BY_SYSTEM;
        if (write(file, &byte, 1) != 1)
                return LEAKS;
        if (IS_WATCHED)
                return CONFINED;
        bool is_shut = socket(AF_INET, SOCK_STREAM, 0) < 0 && errno == EPERM && open("/dev/null", O_RDONLY) < 0 && errno == EPERM && fork() < 0;
        return is_shut ? CONFINED : LEAKS;
}

TEST(confine_to_open_files, leaves_open_files_and_nothing_else)
{
        int ends[2], status = 0;
        char byte = 0;
        struct child child = { 0 };
        CHECK(pipe(ends) == 0);
        CHECK(child_fork(look_around, &ends[1], &child, NULL) == OK);
        CHECK(waitpid(child.pid, &status, 0) == child.pid && WIFEXITED(status));
        CHECK(WEXITSTATUS(status) == CONFINED || WEXITSTATUS(status) == REFUSED_BY_SYSTEM);
        CHECK(WEXITSTATUS(status) == REFUSED_BY_SYSTEM || read(ends[0], &byte, 1) == 1);
        close(ends[0]);
        close(ends[1]);
}
