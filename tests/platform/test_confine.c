#include "platform/confine.h"

#include "platform/child.h"
#include "platform/disk_folder.h"
#include "platform/file.h"
#include "platform/listen.h"
#include "platform/user.h"
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
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
        if (confine_to_open_files(NULL, NULL) != OK)
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

/* As below a service manager that took the capabilities, and the call that gives them up. */
static int look_around_without_capset(void *user)
{
        struct confined confined;
        scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
        (void)user;
        if (!filter || (user_may_change() && !user_become(&(struct user){ 65534, 65534 })) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
            || seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(capset), 0) || seccomp_load(filter))
                return REFUSED_BY_SYSTEM;
        seccomp_release(filter);
        if (confine_to_open_files(&confined, NULL) != OK)
                return LEAKS;
        bool is_shut = confined.has_filter && !confined.has_capabilities && open("/dev/null", O_RDONLY) < 0;
        return is_shut || IS_WATCHED ? CONFINED : LEAKS;
}

TEST(confine_to_open_files, stands_also_where_capabilities_can_be_given_up_by_nobody)
{
        int status = 0;
        struct child child = { 0 };
        CHECK(child_fork(look_around_without_capset, NULL, &child, NULL) == OK);
        CHECK(waitpid(child.pid, &status, 0) == child.pid && WIFEXITED(status));
        CHECK(WEXITSTATUS(status) == CONFINED || WEXITSTATUS(status) == REFUSED_BY_SYSTEM);
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
        if (confine_to_network(rights->spool, NULL, NULL, NULL) != OK)
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
        if (confine_to_network(rights->spool, NULL, NULL, NULL) != OK)
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

/* What a server has from before it is confined: its folder, with a link in it that leads out, and a secret beside; sockets. */
struct server {
        const char *folder, *secret, *link, *beside;
        struct disk *disk;
        int listener, caller, loose, epoll;      /* loose: of one's own, and not connected */
        struct sockaddr_in address;              /* the listener's */
};

static bool server_open(struct server *server)
{
        char text[LISTEN_TEXT_MAX];
        socklen_t length = sizeof(server->address);
        struct epoll_event event = { .events = EPOLLIN };
        server->loose = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        server->caller = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        server->epoll = epoll_create1(EPOLL_CLOEXEC);
        return disk_folder_open(server->folder, &server->disk, NULL) == OK && listen_open("127.0.0.1:0", &server->listener, text, NULL) == OK
               && getsockname(server->listener, (struct sockaddr *)&server->address, &length) == 0
               && epoll_ctl(server->epoll, EPOLL_CTL_ADD, server->listener, &event) == 0
               && connect(server->caller, (struct sockaddr *)&server->address, length) == 0 && send(server->caller, "ask", 3, 0) == 3;
}

static bool can_keep(const struct server *server)
{
        OWN(buf) struct buf read;
        buf_init(&read, 16);
        return server->disk->ops->replace(server->disk, "record", "old", 3, NULL) == OK
               && server->disk->ops->replace(server->disk, "record", "new", 3, NULL) == OK
               && server->disk->ops->read(server->disk, "record", &read, NULL) == OK && strcmp(buf_text(&read), "new") == 0;
}

/* As libmicrohttpd answers. */
static bool can_answer(const struct server *server)
{
        char asked[4] = "", answered[4] = "";
        int on = 1;
        struct iovec part = { answered, 3 };
        const struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
        struct epoll_event event = { 0 };
        if (epoll_wait(server->epoll, &event, 1, 10000) != 1)
                return false;
        int connection = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
        event = (struct epoll_event){ .events = EPOLLIN | EPOLLET };
        bool works = connection >= 0 && epoll_ctl(server->epoll, EPOLL_CTL_ADD, connection, &event) == 0
                     && setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0 && recv(connection, asked, 3, 0) == 3;
        memcpy(answered, asked, sizeof(answered));
        works = works && sendmsg(connection, &message, MSG_NOSIGNAL) == 3 && send(connection, "!", 1, MSG_NOSIGNAL) == 1
                && shutdown(connection, SHUT_WR) == 0 && close(connection) == 0;
        return works && recv(server->caller, asked, 4, MSG_WAITALL) == 4 && memcmp(asked, "ask!", 4) == 0;
}

static bool fails(long result, int number)
{
        return result < 0 && errno == number;
}

struct attempt {
        const char *what;
        bool is_refused;
};

static bool are_refused(const struct attempt *attempts, size_t count)
{
        bool all = true;
        for (size_t i = 0; i < count; i++) {
                if (!attempts[i].is_refused)
                        fprintf(stderr, "# not refused as it should be: %s\n", attempts[i].what);
                all &= attempts[i].is_refused;
        }
        return all;
}

static bool has_no_other_file(const struct server *server)
{
        char record[96];
        snprintf(record, sizeof(record), "%s/record", server->folder);
        const struct attempt attempts[] = {
                { "reading", fails(open(server->secret, O_RDONLY), EACCES) },
                { "writing", fails(open(server->secret, O_WRONLY), EACCES) },
                { "emptying", fails(open(server->secret, O_RDONLY | O_TRUNC), EACCES) },
                { "a new file", fails(open(server->beside, O_WRONLY | O_CREAT, 0600), EACCES) },
                { "a link that leads out", fails(open(server->link, O_RDONLY), EACCES) },
                { "writing through a link", fails(open(server->link, O_WRONLY), EACCES) },
                { "a file of the system", fails(open("/etc/passwd", O_RDONLY), EACCES) },
                { "a device", fails(open("/dev/null", O_RDWR), EACCES) },
                { "its own memory", fails(open("/proc/self/mem", O_RDWR), EACCES) },
                { "removing", fails(unlinkat(AT_FDCWD, server->secret, 0), EACCES) },
                { "moving out", fails(renameat(AT_FDCWD, record, AT_FDCWD, server->beside), EACCES) },
                { "moving in", fails(renameat(AT_FDCWD, server->secret, AT_FDCWD, record), EACCES) },
                { "a new link", fails(symlinkat("/", AT_FDCWD, server->beside), EPERM) },
                { "another name", fails(linkat(AT_FDCWD, server->secret, AT_FDCWD, server->beside, 0), EPERM) },
                { "another mode", fails(chmod(record, 0666), EPERM) },
                { "emptying by name", fails(truncate(server->secret, 0), EPERM) },
        };
        return are_refused(attempts, sizeof(attempts) / sizeof(attempts[0]));
}

/* The last two lead a socket out without connect(). */
static bool has_no_other_socket(const struct server *server)
{
        const struct sockaddr *to = (const struct sockaddr *)&server->address;
        const struct sockaddr_in any = { .sin_family = AF_INET };
        int on = 1;
        const struct msghdr message = { .msg_name = (void *)to, .msg_namelen = sizeof(server->address) };
        const struct attempt attempts[] = {
                { "socket", fails(socket(AF_INET, SOCK_STREAM, 0), EPERM) },
                { "a local socket", fails(socket(AF_UNIX, SOCK_STREAM, 0), EPERM) },
                { "connect", fails(connect(server->loose, to, sizeof(server->address)), EPERM) },
                { "bind", fails(bind(server->loose, (const struct sockaddr *)&any, sizeof(any)), EPERM) },
                { "listen", fails(listen(server->loose, 1), EPERM) },
                { "an option of a socket", fails(setsockopt(server->loose, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)), EPERM) },
                { "signals of a socket", fails(fcntl(server->loose, F_SETOWN, getppid()), EPERM) },
                { "fast open by sendto", fails(sendto(server->loose, "x", 1, MSG_FASTOPEN, to, sizeof(server->address)), EPERM) },
                { "fast open by sendmsg", fails(sendmsg(server->loose, &message, MSG_FASTOPEN), EPERM) },
        };
        return are_refused(attempts, sizeof(attempts) / sizeof(attempts[0]));
}

static bool has_no_other_process(void)
{
        char *const words[] = { "true", NULL };
        pid_t parent = getppid();
        const struct attempt attempts[] = {
                { "fork", fails(fork(), EPERM) },
                { "exec", fails(execv("/bin/true", words), EPERM) },
                { "ptrace", fails(ptrace(PTRACE_TRACEME, 0, NULL, NULL), EPERM) },
                { "kill", fails(kill(parent, 0), EPERM) },
                { "tgkill", fails(syscall(SYS_tgkill, parent, parent, 0), EPERM) },
                { "being dumped", fails(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), EPERM) },
                { "another user", fails(setuid(getuid()), EPERM) },
                { "another's memory", fails(process_vm_readv(parent, NULL, 0, NULL, 0, 0), EPERM) },
        };
        return are_refused(attempts, sizeof(attempts) / sizeof(attempts[0]));
}

static int serve_folder(void *user)
{
        struct server *server = user;
        if (!server_open(server))
                return LEAKS;
        if (confine_to_folder(server->folder, NULL, NULL) != OK)
                return REFUSED_BY_SYSTEM;
        if (!can_keep(server) || !can_answer(server))
                return LEAKS;
        bool is_shut = IS_WATCHED || (has_no_other_file(server) && has_no_other_socket(server) && has_no_other_process());
        return is_shut && can_keep(server) ? CONFINED : LEAKS;
}

/* In a child of its own; what it leaves behind outside of its folder is what was there. */
static int run_server(int (*serve)(void *user))
{
        char top[64], folder[80], secret[80], link[96], beside[80];
        struct child child = { 0 };
        struct stat found;
        int status = 0;
        CHECK(file_temporary(top, NULL) == OK);
        snprintf(folder, sizeof(folder), "%s/state", top);
        snprintf(secret, sizeof(secret), "%s/key", top);
        snprintf(link, sizeof(link), "%s/state/link", top);
        snprintf(beside, sizeof(beside), "%s/beside", top);
        CHECK(mkdir(folder, 0700) == 0 && file_write(secret, "x", 1, NULL) == OK && symlink(secret, link) == 0);
        struct server server = { .folder = folder, .secret = secret, .link = link, .beside = beside };
        CHECK(child_fork(serve, &server, &child, NULL) == OK);
        CHECK(waitpid(child.pid, &status, 0) == child.pid && WIFEXITED(status));
        CHECK(stat(secret, &found) == 0 && found.st_size == 1 && (found.st_mode & 0777) == 0600 && lstat(beside, &found) < 0);
        file_remove_tree(top);
        return WEXITSTATUS(status);
}

TEST(confine_to_folder, leaves_the_folder_and_who_connects_and_nothing_else)
{
        int ended = run_server(serve_folder);
        CHECK(ended == CONFINED || ended == REFUSED_BY_SYSTEM);
}

/* A kernel that was built without landlock, for all that the process can tell. */
static bool lack_landlock(void)
{
        scmp_filter_ctx older = seccomp_init(SCMP_ACT_ALLOW);
        bool done = older && seccomp_rule_add(older, SCMP_ACT_ERRNO(ENOSYS), SYS_landlock_create_ruleset, 0) == 0 && seccomp_load(older) == 0;
        seccomp_release(older);
        return done;
}

static int serve_without_landlock(void *user)
{
        struct server *server = user;
        struct why why = { 0 };
        if (!server_open(server))
                return LEAKS;
        if (IS_WATCHED || !lack_landlock())
                return REFUSED_BY_SYSTEM;
        bool is_said = confine_to_folder(server->folder, NULL, &why) == ERR_UNAVAILABLE && strstr(why.text, "limiting what can be opened");
        return is_said && can_keep(server) && can_answer(server) && has_no_other_socket(server) && has_no_other_process() ? CONFINED : LEAKS;
}

TEST(confine_to_folder, without_landlock_says_so_and_still_limits_system_calls)
{
        int ended = run_server(serve_without_landlock);
        CHECK(ended == CONFINED || ended == REFUSED_BY_SYSTEM);
}

static int use_network_alone(void *user)
{
        const struct rights *rights = user;
        char part[96];
        snprintf(part, sizeof(part), "%s/part", rights->spool);
        if (confine_to_network(NULL, rights->secret, NULL, NULL) != OK)
                return REFUSED_BY_SYSTEM;
        bool works = socket(AF_INET, SOCK_STREAM, 0) >= 0 && can_open(rights->secret, O_RDONLY);
        return works && (IS_WATCHED || (!can_open(part, O_RDWR | O_CREAT) && !can_open(rights->secret, O_WRONLY))) ? CONFINED : LEAKS;
}

static int read_only(void *user)
{
        const struct rights *rights = user;
        char part[96];
        snprintf(part, sizeof(part), "%s/part", rights->spool);
        if (confine_to_reading(NULL, NULL) != OK)
                return REFUSED_BY_SYSTEM;
        bool works = can_open(rights->secret, O_RDONLY) && file_kind("/usr") == FILE_FOLDER && !file_is_empty("/usr") && file_kind(part) == FILE_ABSENT;
        if (!works || IS_WATCHED)
                return works ? CONFINED : LEAKS;
        bool is_shut = !can_open(part, O_RDWR | O_CREAT) && !can_open(rights->secret, O_WRONLY) && !can_open(rights->secret, O_RDONLY | O_TRUNC)
                       && !can_harm(rights->secret) && unlink(rights->secret) && mkdir(part, 0700) && socket(AF_UNIX, SOCK_STREAM, 0) < 0 && fork() < 0;
        execl("/bin/true", "true", NULL);
        return is_shut ? CONFINED : LEAKS;
}

/* What a program that is started may do, as its exit code tells. */
static bool runs(const char *command)
{
        struct child child = { 0 };
        struct child_end end = { true, 0 };
        const char *const argv[] = { "sh", "-c", command, NULL };
        if (child_start(&(struct child_setup){ argv, -1, -1, -1, NULL, NULL, NULL }, &child, NULL))
                return false;
        while (!child_ended(&child, &end))
                usleep(1000);
        return !end.is_signal && end.code == 0;
}

static int run_programs(void *user)
{
        const struct rights *rights = user;
        char part[96], writes[256];
        snprintf(part, sizeof(part), "%s/part", rights->spool);
        snprintf(writes, sizeof(writes), "echo x > %s || rm %s", part, rights->secret);
        if (confine_to_programs(NULL, NULL) != OK)
                return REFUSED_BY_SYSTEM;
        bool works = runs("test -e /usr") && socket(AF_UNIX, SOCK_STREAM, 0) >= 0 && can_open(rights->secret, O_RDONLY);
        if (!works || IS_WATCHED)
                return works ? CONFINED : LEAKS;
        bool is_shut = !runs(writes) && !runs("kill -0 $PPID") && !can_open(part, O_RDWR | O_CREAT) && !can_open(rights->secret, O_WRONLY) && !can_harm(rights->secret)
                       && socket(AF_INET, SOCK_STREAM, 0) < 0 && socket(AF_NETLINK, SOCK_RAW, 0) < 0;
        return is_shut ? CONFINED : LEAKS;
}

/* With a folder to make files in, and one file beside it; neither changes. */
static void check_confined(int (*run)(void *user))
{
        char folder[64], spool[80], secret[80];
        struct child child = { 0 };
        struct stat found;
        int status = 0;
        CHECK(file_temporary(folder, NULL) == OK);
        snprintf(spool, sizeof(spool), "%s/spool", folder);
        snprintf(secret, sizeof(secret), "%s/secret", folder);
        CHECK(mkdir(spool, 0755) == 0 && file_write(secret, "x", 1, NULL) == OK);
        struct rights rights = { spool, secret };
        CHECK(child_fork(run, &rights, &child, NULL) == OK);
        CHECK(waitpid(child.pid, &status, 0) == child.pid && WIFEXITED(status));
        CHECK(WEXITSTATUS(status) == CONFINED || WEXITSTATUS(status) == REFUSED_BY_SYSTEM);
        CHECK(stat(secret, &found) == 0 && found.st_size == 1 && (found.st_mode & 0777) == 0600 && file_is_empty(spool));
        file_remove_tree(folder);
}

TEST(confine_to_network, without_a_spool_leaves_nothing_to_write)
{
        check_confined(use_network_alone);
}

TEST(confine_to_reading, leaves_files_to_read_and_nothing_else)
{
        check_confined(read_only);
}

TEST(confine_to_programs, leaves_programs_that_can_write_nothing_and_reach_nobody)
{
        check_confined(run_programs);
}

static char answering[64], beside[64];

static bool is_refused(bool has_worked)
{
        return !has_worked && (errno == EPERM || errno == EACCES);
}

static int answer_around(void *user)
{
        char path[96];
        (void)user;
        if (confine_to_answering(answering, NULL, NULL) != OK)
                return REFUSED_BY_SYSTEM;
        snprintf(path, sizeof(path), "%s/file", answering);
        bool can_work = file_kind("/etc/passwd") == FILE_REGULAR && open("/etc/passwd", O_RDONLY) >= 0 && file_kind("/etc/shadow") == FILE_REGULAR
                        && open(path, O_WRONLY | O_CREAT, 0600) >= 0 && unlink(path) == 0;
        if (!can_work)
                return LEAKS;
        if (IS_WATCHED)
                return CONFINED;
        bool is_shut = is_refused(open("/tmp/firebreak-confine", O_WRONLY | O_CREAT, 0600) >= 0) && is_refused(socket(AF_UNIX, SOCK_STREAM, 0) >= 0)
                       && is_refused(unlink(beside) == 0) && is_refused(chmod(answering, 0777) == 0) && is_refused(execl("/bin/true", "true", NULL) == 0)
                       && is_refused(kill(getppid(), 0) == 0) && is_refused(mkdir("/tmp/firebreak-confine", 0700) == 0) && is_refused(chown(answering, 1, 1) == 0);
        return is_shut ? CONFINED : LEAKS;
}

TEST(confine_to_answering, reads_everything_and_writes_to_one_folder)
{
        int status = 0;
        struct child child = { 0 };
        CHECK(file_temporary(answering, NULL) == OK && file_temporary(beside, NULL) == OK);
        snprintf(beside + strlen(beside), sizeof(beside) - strlen(beside), "/file");
        CHECK(file_write(beside, "x", 1, NULL) == OK && child_fork(answer_around, NULL, &child, NULL) == OK);
        CHECK(waitpid(child.pid, &status, 0) == child.pid && WIFEXITED(status));
        CHECK(WEXITSTATUS(status) == CONFINED || WEXITSTATUS(status) == REFUSED_BY_SYSTEM);
        CHECK(file_kind(beside) == FILE_REGULAR);
        *strrchr(beside, '/') = 0;
        file_remove_tree(beside);
        file_remove_tree(answering);
}
