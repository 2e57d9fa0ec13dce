#include "platform/child.h"

#include "platform/channel.h"
#include "support/test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct child start(const char *const *argv, const struct child_limits *limits)
{
        struct child child = { 0 };
        CHECK(child_start(&(struct child_setup){ argv, -1, -1, -1, limits, NULL, NULL }, &child, NULL) == OK);
        return child;
}

static struct child_end wait_for(struct child *child)
{
        struct child_end end = { false, -1 };
        for (int i = 0; i < 5000 && !child_ended(child, &end); i++)
                usleep(2000);
        CHECK(!child->pid);
        return end;
}

TEST(child_start, tells_a_program_that_is_missing_or_may_not_run)
{
        struct child child = { 0 };
        struct why why;
        const char *const missing[] = { "/no/such/program", NULL }, *const barred[] = { "/etc/passwd", NULL };
        CHECK(child_start(&(struct child_setup){ missing, -1, -1, -1, NULL, NULL, NULL }, &child, &why) == ERR_NOT_FOUND && !child.pid);
        CHECK(strstr(why.text, "/no/such/program"));
        CHECK(child_start(&(struct child_setup){ barred, -1, -1, -1, NULL, NULL, NULL }, &child, &why) == ERR_REFUSED && !child.pid);
}

TEST(child_start, gives_the_child_signals_that_nobody_ignored_or_blocked)
{
        const char *const argv[] = { "sh", "-c", "kill -HUP $$; exit 3", NULL };
        struct child child = { 0 };
        struct child_end end;
        sigset_t set, before;
        sigemptyset(&set);
        sigaddset(&set, SIGHUP);
        CHECK(signal(SIGHUP, SIG_IGN) != SIG_ERR && sigprocmask(SIG_BLOCK, &set, &before) == 0);
        CHECK(child_start(&(struct child_setup){ argv, -1, -1, -1, NULL, NULL, NULL }, &child, NULL) == OK);
        while (!child_ended(&child, &end))
                usleep(1000);
        CHECK(end.is_signal && end.code == SIGHUP);
        CHECK(sigprocmask(SIG_SETMASK, &before, NULL) == 0 && signal(SIGHUP, SIG_DFL) != SIG_ERR);
}

TEST(child_ended, tells_an_exit_from_a_signal)
{
        const char *const fails[] = { "false", NULL }, *const sleeps[] = { "sleep", "60", NULL };
        struct child child = start(fails, NULL);
        struct child_end end = wait_for(&child);
        CHECK(!end.is_signal && end.code == 1);
        child = start(sleeps, NULL);
        CHECK(!child_ended(&child, &end) && child_signal(&child, "TERM"));
        end = wait_for(&child);
        CHECK(end.is_signal && end.code == SIGTERM);
        char text[32];
        child_end_text(&end, text, sizeof(text));
        CHECK(strcmp(text, "signal 15") == 0 && !child_signal(&child, "HUP"));
}

TEST(child_start, hands_over_the_three_files_and_no_other)
{
        int in, out[2];
        CHECK(channel_memory("hello", 5, &in, NULL) == OK && pipe2(out, O_CLOEXEC) == 0);
        const char *const lists[] = { "sh", "-c", "cat; ls /proc/self/fd | wc -w", NULL };
        struct child child = { 0 };
        CHECK(child_start(&(struct child_setup){ lists, in, out[1], -1, NULL, NULL, NULL }, &child, NULL) == OK);
        close(out[1]);
        channel_close(in);
        char got[64] = "";
        size_t length = 0;
        for (ssize_t more = 1; more > 0 && length < sizeof(got) - 1; length += more > 0 ? (size_t)more : 0)
                more = read(out[0], got + length, sizeof(got) - 1 - length);
        close(out[0]);
        (void)wait_for(&child);
        CHECK(strcmp(got, "hello4\n") == 0);     /* 0, 1, 2 and the one that ls reads */
}

TEST(child_start, lets_no_child_write_past_its_limit)
{
        const char *const writes[] = { "sh", "-c", "dd if=/dev/zero of=/dev/shm/child-limit.$$ bs=65536 count=16 2>/dev/null; "
                                                    "s=$(wc -c < /dev/shm/child-limit.$$); rm /dev/shm/child-limit.$$; test $s -le 65536", NULL };
        struct child child = start(writes, &(struct child_limits){ .file_bytes = 65536 });
        struct child_end end = wait_for(&child);
        CHECK(!end.is_signal && end.code == 0);
}

TEST(child_start, takes_the_network_where_the_system_lets_it)
{
        const char *const counts[] = { "sh", "-c", "test $(grep -c : /proc/net/dev) -le 1", NULL };
        struct child child = start(counts, &(struct child_limits){ .is_offline = true });
        struct child_end end = wait_for(&child);
        CHECK(!child_offline_works() || (!end.is_signal && end.code == 0));
}

TEST(child_kill, takes_what_the_child_started_too)
{
        int out[2];
        CHECK(pipe2(out, O_CLOEXEC) == 0);
        const char *const forks[] = { "sh", "-c", "sleep 60 & echo $!; wait", NULL };
        struct child child = { 0 };
        CHECK(child_start(&(struct child_setup){ forks, -1, out[1], -1, NULL, NULL, NULL }, &child, NULL) == OK);
        close(out[1]);
        char text[32] = "";
        CHECK(read(out[0], text, sizeof(text) - 1) > 0);
        child_kill(&child);
        CHECK(read(out[0], text, sizeof(text)) == 0);    /* the grandchild held the other end; now nobody does */
        close(out[0]);
        child_kill(&child);
}

TEST(child_pid_lives, knows_this_process_and_no_nonsense)
{
        CHECK(child_pid_lives(getpid()) && !child_pid_lives(0) && !child_pid_lives(-1) && !child_pid_lives(0x7fffffff));
        CHECK(!child_pid_signal(1, "HUP") && !child_pid_signal(0, "TERM"));
}

static int answer_seven(void *user)
{
        return *(int *)user;
}

static int wait_for_ever(void *user)
{
        (void)user;
        while (pause() < 0)
                ;
        return 0;
}

TEST(child_fork, ends_with_what_its_function_returns)
{
        int seven = 7;
        struct child child = { 0 };
        CHECK(child_fork(answer_seven, &seven, &child, NULL) == OK && child.pid > 0);
        struct child_end end = wait_for(&child);
        CHECK(!end.is_signal && end.code == 7);
}

TEST(child_fork, can_be_told_to_end)
{
        struct child child = { 0 };
        CHECK(child_fork(wait_for_ever, NULL, &child, NULL) == OK);
        CHECK(child_signal(&child, "TERM"));
        struct child_end end = wait_for(&child);
        CHECK(end.is_signal && end.code == SIGTERM);
}

static bool is_there_soon(const char *path, bool is_wanted)
{
        for (int i = 0; i < 2500; i++) {
                if ((access(path, F_OK) == 0) == is_wanted)
                        return true;
                usleep(2000);
        }
        return false;
}

/* As an engine is killed that had started one: nothing of it reaches what is detached. */
TEST(child_detach, outlives_who_started_it_and_the_end_of_his_group)
{
        char folder[] = "/tmp/child-XXXXXX", mark[64];
        CHECK(mkdtemp(folder));
        snprintf(mark, sizeof(mark), "%s/mark", folder);
        const char *const argv[] = { "sh", "-c", "sleep 0.3; echo $PPID >\"$0\"", mark, NULL };
        pid_t parent = fork();
        if (parent == 0) {
                setpgid(0, 0);
                _exit(child_detach(&(struct child_setup){ argv, -1, -1, -1, NULL, NULL, NULL }, NULL) ? 1 : (pause(), 0));
        }
        usleep(150000);
        CHECK(parent > 0 && kill(-parent, SIGKILL) == 0);
        struct child child = { parent };
        CHECK(wait_for(&child).is_signal && is_there_soon(mark, true));
        CHECK(unlink(mark) == 0 && rmdir(folder) == 0);
}

TEST(child_detach, says_that_the_program_is_missing)
{
        const char *const argv[] = { "/no/such/program", NULL };
        CHECK(child_detach(&(struct child_setup){ argv, -1, -1, -1, NULL, NULL, NULL }, NULL) == ERR_NOT_FOUND);
}

static int leave(void *user)
{
        (void)user;
        return child_leave_network(NULL) == OK && child_is_alone() ? 0 : 1;
}

TEST(child_leave_network, leaves_nothing_but_the_loop)
{
        struct child child = { 0 };
        if (!child_offline_works())
                return;
        CHECK(child_fork(leave, NULL, &child, NULL) == OK);
        struct child_end end = wait_for(&child);
        CHECK(!end.is_signal && end.code == 0);
}
