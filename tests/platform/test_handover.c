#include "platform/handover.h"

#include "platform/channel.h"
#include "support/test.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { SILENCE_MS = 200, LONG_MS = 60000 };

static struct child_end wait_for(struct child *child)
{
        struct child_end end = { false, -1 };
        for (int i = 0; i < 10000 && !child_ended(child, &end); i++)
                usleep(2000);
        CHECK(!child->pid);
        return end;
}

/* Goes on as a shell that takes in a child which was started before, and a file that was opened before. */
static int goes_on(void *user)
{
        const int *ends = user;
        struct child child = { 0 };
        struct why why;
        const char *const sleeper[] = { "sh", "-c", "sleep 0.2; exit 7", NULL };
        if (child_start(&(struct child_setup){ .argv = sleeper, .input = -1, .output = -1, .errors = -1 }, &child, &why))
                return 1;
        char script[200];
        snprintf(script, sizeof(script), "echo here >&%d; ls /proc/self/fd | wc -l >&%d; wait; test ! -e /proc/%d", ends[1], ends[1], child.pid);
        const char *const argv[] = { "/bin/sh", "-c", script, NULL };
        if (!handover_is_child(child.pid) || handover_is_child(getppid()) || handover_is_child(0))
                return 2;
        const char *const missing[] = { "/no/such/program", NULL }, *const barred[] = { "/etc/passwd", NULL };
        if (handover_to(&(struct handover){ .argv = missing, .files = &ends[1], .count = 1 }, &why) != ERR_NOT_FOUND
            || handover_to(&(struct handover){ .argv = barred, .files = &ends[1], .count = 1 }, &why) != ERR_REFUSED)
                return 3;
        usleep(400000);                                  /* it ends, and is there to be taken: by the shell */
        if (!handover_is_child(child.pid))
                return 4;
        return handover_to(&(struct handover){ .argv = argv, .files = &ends[1], .count = 1 }, &why) ? 5 : 6;
}

TEST(handover_to, goes_on_as_another_program_with_its_files_and_children)
{
        int ends[2];
        struct child child = { 0 };
        CHECK(channel_pipe(ends, NULL) == OK && child_fork(goes_on, ends, &child, NULL) == OK);
        channel_close(ends[1]);
        struct child_end end = wait_for(&child);
        CHECK(!end.is_signal && end.code == 0);
        char text[64] = "";
        size_t length = channel_pipe_take(ends[0], text, sizeof(text) - 1);
        CHECK(length && strcmp(text, "here\n5\n") == 0);         /* 0 to 2, the pipe, and the listing's own */
        channel_close(ends[0]);
}

/* Is silent, or cannot speak any more, or beats twice as long as it may be silent, or lets the watcher go and is silent then. */
enum way { SILENT, MUTE, BEATS, ENDS };
static int is_watched(void *user)
{
        struct child watcher = { 0 };
        int beat;
        if (handover_watch(SILENCE_MS, &beat, &watcher, NULL))
                return 1;
        if (*(enum way *)user == MUTE)
                channel_close(beat);
        if (*(enum way *)user == ENDS) {
                handover_unwatch(beat, &watcher);
                usleep(3 * SILENCE_MS * 1000);
                return 0;
        }
        for (int i = 0; *(enum way *)user == BEATS && i < 20; i++) {
                handover_beat(beat);
                usleep(SILENCE_MS * 1000 / 10);
        }
        if (*(enum way *)user == BEATS)
                return 0;
        usleep(LONG_MS * 1000);
        return 3;
}

TEST(handover_watch, ends_who_is_silent)
{
        enum way ways[] = { SILENT, MUTE };
        for (size_t i = 0; i < 2; i++) {
                struct child child = { 0 };
                CHECK(child_fork(is_watched, &ways[i], &child, NULL) == OK);
                struct child_end end = wait_for(&child);
                CHECK(end.is_signal && end.code == SIGKILL);
        }
}

/* What a lock is in: an open file that both of them have. */
TEST(handover_watch, holds_nothing_of_ours_when_it_returns)
{
        int ends[2], beat;
        struct child watcher = { 0 };
        char byte;
        CHECK(channel_pipe(ends, NULL) == OK && handover_watch(LONG_MS, &beat, &watcher, NULL) == OK);
        channel_close(ends[1]);
        bool is_broken = false;
        CHECK(channel_wait(&ends[0], 1, 0, &is_broken, NULL) == OK && is_broken && channel_pipe_take(ends[0], &byte, 1) == 0);
        handover_unwatch(beat, &watcher);
        channel_close(ends[0]);
}

TEST(handover_watch, lets_live_who_beats_and_goes_when_it_is_let_go)
{
        enum way ways[] = { BEATS, ENDS };
        for (size_t i = 0; i < 2; i++) {
                struct child child = { 0 };
                CHECK(child_fork(is_watched, &ways[i], &child, NULL) == OK);
                struct child_end end = wait_for(&child);
                CHECK(!end.is_signal && end.code == 0);
        }
}

TEST(handover_beat, never_waits)
{
        int beat;
        struct child watcher = { 0 };
        CHECK(handover_watch(LONG_MS, &beat, &watcher, NULL) == OK);
        CHECK(kill(watcher.pid, SIGSTOP) == 0);
        for (int i = 0; i < 100000; i++)
                handover_beat(beat);
        handover_unwatch(beat, &watcher);
}

static enum err receive(int file, char *bytes, size_t length, bool *ret_is_handed)
{
        char number[16];
        snprintf(number, sizeof(number), "%d", file);
        return handover_receive(number, bytes, length, ret_is_handed, NULL);
}

TEST(handover_receive, takes_all_or_nothing)
{
        static const struct { size_t length; enum err e; } tries[] = { { 5, OK }, { 4, ERR_LIMIT }, { 6, ERR_SYNTAX } };
        char bytes[8];
        bool is_handed = false;
        for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
                int file;
                is_handed = false;
                CHECK(channel_memory("12345", 5, &file, NULL) == OK && handover_take(file));
                CHECK(receive(file, bytes, tries[i].length, &is_handed) == tries[i].e && is_handed == !tries[i].e);
                CHECK(!handover_take(file));                     /* it is closed */
        }
        CHECK(memcmp(bytes, "12345", 5) == 0 && !handover_take(-1) && !handover_take(1) && !handover_take(999));
        CHECK(receive(999, bytes, 5, &is_handed) == ERR_USAGE && receive(2, bytes, 5, &is_handed) == ERR_USAGE && handover_receive("3x", bytes, 5, &is_handed, NULL) == ERR_USAGE);
}
