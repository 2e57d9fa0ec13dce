#include "platform/confine.h"

#include "platform/child.h"
#include "platform/file.h"
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <sys/xattr.h>
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

struct rights { const char *spool, *secret; };

static bool can_open(const char *path, int flags)
{
        int file = open(path, flags | O_CLOEXEC, 0600);
        if (file >= 0)
                close(file);
        return file >= 0;
}

/* What landlock does not look at, and what an owner may do to his files, and a process to others of its user. */
static bool can_harm(const char *path)
{
        struct rlimit none = { 0, 0 };
        char own[] = "x";
        return truncate(path, 0) == 0 || can_open(path, O_RDONLY | O_TRUNC) || chmod(path, 0666) == 0 || chown(path, getuid(), getgid()) == 0
               || utimes(path, NULL) == 0 || setxattr(path, "user.x", own, 1, 0) == 0 || kill(getppid(), 0) == 0
               || prlimit(getppid(), RLIMIT_FSIZE, &none, NULL) == 0;
}

static void *be_a_thread(void *user)
{
        return user;
}

/* What a fetcher does: parts that are begun anew, connections, names that are looked up in a thread. */
static bool can_work(const char *part)
{
        pthread_t thread;
        char token = 0;
        void *ended = NULL;
        int file = open(part, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        bool works = file >= 0 && write(file, "x", 1) == 1 && ftruncate(file, 0) == 0 && close(file) == 0;
        return works && socket(AF_INET, SOCK_STREAM, 0) >= 0 && pthread_create(&thread, NULL, be_a_thread, &token) == 0
               && pthread_join(thread, &ended) == 0 && ended == &token;
}

static int use_network(void *user)
{
        const struct rights *rights = user;
        char part[96];
        snprintf(part, sizeof(part), "%s/part", rights->spool);
        if (confine_to_network(rights->spool, NULL, NULL) != OK)
                return REFUSED_BY_SYSTEM;
        bool works = can_work(part);
        if (!works || IS_WATCHED)
                return works ? CONFINED : LEAKS;
        bool is_shut = !can_open(rights->secret, O_RDONLY) && !can_open(rights->secret, O_WRONLY) && !can_open("/etc/passwd", O_RDONLY) && unlink(part)
                       && !can_harm(rights->secret);
        execl("/bin/true", "true", NULL);
        return is_shut ? CONFINED : LEAKS;
}

TEST(confine_to_network, leaves_the_spool_and_nothing_that_is_beside_it)
{
        char folder[64], spool[80], secret[80];
        struct child child = { 0 };
        int status = 0;
        CHECK(file_temporary(folder, NULL) == OK);
        snprintf(spool, sizeof(spool), "%s/spool", folder);
        snprintf(secret, sizeof(secret), "%s/identity", folder);
        CHECK(mkdir(spool, 0755) == 0 && file_write(secret, "x", 1, NULL) == OK);
        struct rights rights = { spool, secret };
        CHECK(child_fork(use_network, &rights, &child, NULL) == OK);
        CHECK(waitpid(child.pid, &status, 0) == child.pid && WIFEXITED(status));
        CHECK(WEXITSTATUS(status) == CONFINED || WEXITSTATUS(status) == REFUSED_BY_SYSTEM);
        struct stat found;
        CHECK(stat(secret, &found) == 0 && found.st_size == 1 && (found.st_mode & 0777) == 0600);
        file_remove_tree(folder);
}

static int follow_spool(void *user)
{
        const struct rights *rights = user;
        char part[96];
        snprintf(part, sizeof(part), "%s/part", rights->spool);
        if (confine_to_network(rights->spool, NULL, NULL) != OK)
                return REFUSED_BY_SYSTEM;
        return IS_WATCHED || !can_open(part, O_RDWR | O_CREAT) ? CONFINED : LEAKS;
}

TEST(confine_to_network, opens_nothing_where_a_link_stands_for_the_spool)
{
        char folder[64], link[80];
        struct child child = { 0 };
        int status = 0;
        CHECK(file_temporary(folder, NULL) == OK);
        snprintf(link, sizeof(link), "%s-link", folder);
        CHECK(symlink(folder, link) == 0);
        struct rights rights = { link, NULL };
        CHECK(child_fork(follow_spool, &rights, &child, NULL) == OK);
        CHECK(waitpid(child.pid, &status, 0) == child.pid && WIFEXITED(status));
        CHECK(WEXITSTATUS(status) == CONFINED || WEXITSTATUS(status) == REFUSED_BY_SYSTEM);
        file_remove(link);
        file_remove_tree(folder);
}
