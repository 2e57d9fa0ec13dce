#include "platform/child.h"

#include "platform/channel.h"
#include "platform/clock.h"
#include "platform/file.h"
#include "platform/process.h"
#include "support/test.h"

#include <string.h>

/* Woken by its end, as a supervisor is. */
static struct child_end end_of(struct child *child)
{
        struct child_end end = { 0 };
        int signals;
        CHECK(channel_signals(&signals, NULL) == OK);
        for (int i = 0; i < 100 && !child_ended(child, &end); i++) {
                bool ready;
                CHECK(channel_wait(&signals, 1, 1000, &ready, NULL) == OK);
                if (ready)
                        CHECK(!channel_signals_take(signals));
        }
        CHECK(child->pid == 0);
        return end;
}

static struct child start(const char *command, int input, int output)
{
        const char *const argv[] = { "cmd.exe", "/c", command, NULL };
        struct child child = { 0 };
        CHECK(child_start(&(struct child_setup){ .argv = argv, .input = input, .output = output, .errors = -1 }, &child, NULL) == OK && child.pid > 0);
        return child;
}

TEST(child, tells_how_it_ended)
{
        char text[40];
        struct child child = start("exit 3", -1, -1);
        struct child_end end = end_of(&child);
        child_end_text(&end, text, sizeof(text));
        CHECK(!end.is_signal && end.code == 3 && strcmp(text, "exit 3") == 0);
        child_end_text(&(struct child_end){ true, (int)0xC0000005u }, text, sizeof(text));
        CHECK(strcmp(text, "exception 0xc0000005") == 0);
}

TEST(child, that_is_not_there_is_said)
{
        static const char *const none[] = { "no-such-program-at-all", NULL }, *const no_path[] = { "C:/no/such/program.exe", NULL };
        struct child child = { 0 };
        struct why why;
        CHECK(child_start(&(struct child_setup){ .argv = none, .input = -1, .output = -1, .errors = -1 }, &child, &why) == ERR_NOT_FOUND && strstr(why.text, "no-such-program"));
        CHECK(child_start(&(struct child_setup){ .argv = no_path, .input = -1, .output = -1, .errors = -1 }, &child, &why) == ERR_NOT_FOUND && child.pid == 0);
}

TEST(child, writes_to_the_output_that_it_was_given)
{
        int ends[2];
        char said[64] = "";
        bool ready;
        CHECK(channel_pipe(ends, NULL) == OK);
        struct child child = start("echo hello", -1, ends[1]);
        channel_close(ends[1]);
        CHECK(channel_wait(ends, 1, 60000, &ready, NULL) == OK && ready);
        (void)end_of(&child);
        CHECK(channel_pipe_take(ends[0], said, sizeof(said) - 1) >= 5 && memcmp(said, "hello", 5) == 0);
        channel_close(ends[0]);
}

TEST(child_kill, ends_it_and_waits_for_that)
{
        int input[2];
        CHECK(channel_pipe(input, NULL) == OK);                  /* it waits for a line that does not come */
        struct child child = start("set /p x=", input[1], -1);
        struct process_usage usage;
        int pid = child.pid;
        CHECK(child_pid_lives(pid) && process_usage(pid, &usage, NULL) == OK && usage.start && child_own_pid() != pid);
        child_kill(&child);
        CHECK(child.pid == 0 && !child_pid_lives(pid));
        CHECK(process_usage(pid, &usage, NULL) == ERR_NOT_FOUND);
        child_kill(&child);
        channel_close(input[0]);
        channel_close(input[1]);
}

TEST(child_signal, asks_by_an_event_and_kills_by_force)
{
        int input[2];
        CHECK(channel_pipe(input, NULL) == OK);                  /* it waits for a line that does not come */
        struct child child = start("set /p x=", input[1], -1);
        CHECK(child_signal(&child, "TERM") && !child_signal(&child, "HUP") && child_signal(&child, "KILL"));
        struct child_end end = end_of(&child);
        CHECK(end.is_signal && end.code == 9 && !child_signal(&child, "KILL"));
        channel_close(input[0]);
        channel_close(input[1]);
}

