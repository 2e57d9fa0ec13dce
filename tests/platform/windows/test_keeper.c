#include "platform/handover.h"

#include "platform/channel.h"
#include "platform/child.h"
#include "platform/paths.h"
#include "support/test.h"

#include <limits.h>
#include <string.h>
#include <windows.h>

/* A test starts a keeper in a process of its own. That, and who it starts, are this program, too, in the parts below: `test PART WAY NUMBER`. What they say goes to the
 * standard error that they share, and is what is looked at. */
enum { STOP_MS = 5000, SILENCE_MS = 1000, SAID_MAX = 512, HANDED = 4 };

static void say(const char *text)
{
        fprintf(stderr, "%s;", text);
        (void)fflush(stderr);
}

static void say_leaves(void *user)
{
        (void)user;
        say("leaves");
}

/* Who is started first does so once, and ends at once when it is there again. */
static bool is_again(const char *number)
{
        char name[64];
        snprintf(name, sizeof(name), "Local\\firebreak-test-%s", number);
        HANDLE once = OpenSemaphoreA(SYNCHRONIZE | SEMAPHORE_MODIFY_STATE, FALSE, name);
        return !once || WaitForSingleObject(once, 0) != WAIT_OBJECT_0;
}

static enum err go_on_as(const char *program, const char *way, const char *number)
{
        int file;
        struct why why;
        const char *const argv[] = { program, "heir", way, number, NULL };
        enum err e = channel_memory("abcd", HANDED, &file, &why);
        return e ? e : handover_to(&(struct handover){ .argv = argv, .files = &file, .count = 1, .leave = say_leaves }, &why);
}

static int wait_to_be_told(void)
{
        int signals;
        bool ready;
        if (channel_signals(&signals, NULL))
                return 3;
        say("waits");
        for (int i = 0; i < 60; i++)
                if (channel_wait(&signals, 1, 1000, &ready, NULL) == OK && ready && channel_signals_take(signals)) {
                        say("told");
                        return 0;
                }
        return 4;
}

static int first(const char *way, const char *number)
{
        char handed[HANDED], program[PATH_MAX];
        bool is_handed = true;
        int beat;
        struct child watcher = { 1 };
        say("first");
        if (handover_receive("0", handed, HANDED, &is_handed, NULL) || is_handed || paths_own_program(program, NULL))
                return 2;
        if (is_again(number))
                return 7;
        if (strcmp(way, "ends") == 0)
                return 0;
        if (strcmp(way, "waits") == 0)
                return wait_to_be_told();
        if (strcmp(way, "finds none") == 0)
                return go_on_as("C:/no/such/program.exe", way, number) == ERR_NOT_FOUND && go_on_as("C:/windows/win.ini", way, number) == ERR_CONTENT ? 0 : 5;
        if (strcmp(way, "goes") != 0 && (handover_watch(SILENCE_MS, &beat, &watcher, NULL) || watcher.pid || beat < 3))
                return 6;
        (void)!go_on_as(program, way, number);
        return 8;
}

static int heir(const char *way)
{
        enum { BEAT = 3 };
        char handed[HANDED + 1] = "";
        bool is_handed = false;
        struct child none = { 0 };
        if (handover_receive("0", handed, HANDED, &is_handed, NULL) || !is_handed)
                return 2;
        say(handed);
        if (strcmp(way, "goes") == 0)
                return 0;
        if (!handover_take(BEAT) || handover_take(BEAT + 1))
                return 3;
        if (strcmp(way, "is let go") == 0)
                handover_unwatch(BEAT, &none);
        for (int i = 0; i < 30 || strcmp(way, "hangs") == 0; i++) {
                if (strcmp(way, "beats") == 0)
                        handover_beat(BEAT);
                Sleep(SILENCE_MS / 10);
        }
        say("lived");
        return 0;
}

static int keeper(const char *way)
{
        char name[64], number[16];
        struct why why;
        snprintf(number, sizeof(number), "%d", child_own_pid());
        snprintf(name, sizeof(name), "Local\\firebreak-test-%s", number);
        const char *const argv[] = { child_self, "first", way, number, NULL };
        if (!CreateSemaphoreA(NULL, 1, 1, name))
                return 1;
        enum err e = handover_keep(&(struct handover_keep){ argv, STOP_MS }, &why);
        say(e ? "failed" : "kept");
        return 0;
}

__attribute__((constructor)) static void play_a_part(void)
{
        if (__argc < 3)
                return;
        if (strcmp(__argv[1], "keeper") == 0)
                ExitProcess((UINT)keeper(__argv[2]));
        if (strcmp(__argv[1], "first") == 0)
                ExitProcess((UINT)first(__argv[2], __argv[3]));
        if (strcmp(__argv[1], "heir") == 0)
                ExitProcess((UINT)heir(__argv[2]));
}

/* `to_tell`: who is told to end as soon as it is said. */
static void play(const char *way, const char *to_tell, char said[static SAID_MAX])
{
        const char *const argv[] = { child_self, "keeper", way, NULL };
        struct child child = { 0 };
        struct child_end end = { false, -1 };
        int ends[2];
        size_t length = 0;
        CHECK(channel_pipe(ends, NULL) == OK && child_start(&(struct child_setup){ .argv = argv, .input = -1, .output = -1, .errors = ends[1] }, &child, NULL) == OK);
        channel_close(ends[1]);
        for (int i = 0; i < 600 && !child_ended(&child, &end); i++) {
                bool ready;
                CHECK(channel_wait(ends, 1, 100, &ready, NULL) == OK);
                length += channel_pipe_take(ends[0], said + length, SAID_MAX - 1 - length);
                said[length] = 0;
                if (to_tell && strstr(said, to_tell)) {
                        CHECK(child_signal(&child, "TERM"));
                        to_tell = NULL;
                }
        }
        length += channel_pipe_take(ends[0], said + length, SAID_MAX - 1 - length);
        said[length] = 0;
        channel_close(ends[0]);
        CHECK(!child.pid && end.code == 0 && !end.is_signal);
}

TEST(handover_keep, runs_one_after_the_other_and_the_first_again)
{
        static const struct { const char *way, *tell, *said; } plays[] = {
                { "goes", NULL, "first;leaves;abcd;first;failed;" },
                { "ends", NULL, "first;kept;" },
                { "waits", "waits", "first;waits;told;kept;" },
                { "finds none", NULL, "first;kept;" },
        };
        for (size_t i = 0; i < sizeof(plays) / sizeof(plays[0]); i++) {
                char said[SAID_MAX];
                play(plays[i].way, plays[i].tell, said);
                if (strcmp(said, plays[i].said) != 0)
                        fprintf(stderr, "%s: %s\n", plays[i].way, said);
                CHECK(strcmp(said, plays[i].said) == 0);
        }
}

TEST(handover_keep, ends_who_is_silent_and_nobody_else)
{
        static const struct { const char *way, *said; } plays[] = {
                { "hangs", "first;leaves;abcd;first;failed;" },
                { "beats", "first;leaves;abcd;lived;first;failed;" },
                { "is let go", "first;leaves;abcd;lived;first;failed;" },
        };
        for (size_t i = 0; i < sizeof(plays) / sizeof(plays[0]); i++) {
                char said[SAID_MAX];
                play(plays[i].way, NULL, said);
                if (strcmp(said, plays[i].said) != 0)
                        fprintf(stderr, "%s: %s\n", plays[i].way, said);
                CHECK(strcmp(said, plays[i].said) == 0);
        }
}

TEST(handover_receive, wants_a_keeper)
{
        char bytes[HANDED];
        bool is_handed;
        struct child watcher = { 0 };
        int beat;
        HANDLE none = CreateFileW(L"NUL", GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL), was = GetStdHandle(STD_INPUT_HANDLE);
        SetStdHandle(STD_INPUT_HANDLE, none);
        CHECK(handover_receive("0", bytes, HANDED, &is_handed, NULL) == ERR_USAGE);
        CHECK(handover_watch(SILENCE_MS, &beat, &watcher, NULL) == ERR_UNAVAILABLE && !handover_take(3) && !handover_is_child(child_own_pid()));
        SetStdHandle(STD_INPUT_HANDLE, was);
        CloseHandle(none);
}
