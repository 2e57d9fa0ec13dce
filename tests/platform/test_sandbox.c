#include "platform/sandbox.h"

#include "platform/file.h"
#include "support/test.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { OUTPUT_MAX = 4096 };

/* The walls that this system lets us build: what a test may ask for. */
static unsigned walls_here(void)
{
        OWN(sandbox_result) struct sandbox_result result;
        sandbox_result_init(&result, OUTPUT_MAX);
        const char *const argv[] = { "true", NULL };
        CHECK(sandbox_run(&(struct sandbox_run){ .argv = argv }, &result, NULL) == OK);
        return result.walls;
}

static void run_shell(const char *script, const char *scratch, const struct sandbox_limits *limits, struct sandbox_result *result)
{
        const char *const argv[] = { "/bin/sh", "-c", script, NULL };
        struct sandbox_limits more = *limits;
        more.may_start_processes = true;
        sandbox_result_init(result, OUTPUT_MAX);
        CHECK(sandbox_run(&(struct sandbox_run){ .argv = argv, .scratch = scratch, .limits = more }, result, NULL) == OK);
}

TEST(sandbox_run, keeps_what_the_program_printed_and_how_it_ended)
{
        OWN(sandbox_result) struct sandbox_result result;
        run_shell("echo out; echo err >&2; exit 3", NULL, &(struct sandbox_limits){ .wall_ms = 30000 }, &result);
        CHECK(!result.is_signal && !result.is_timeout && result.code == 3);
        CHECK(strcmp(buf_text(&result.output), "out\n") == 0 && strcmp(buf_text(&result.errors), "err\n") == 0);
        CHECK(!result.is_output_cut && result.memory_bytes > 0 && (result.walls & SANDBOX_RLIMIT));
}

TEST(sandbox_run, tells_a_crash_from_an_exit)
{
        OWN(sandbox_result) struct sandbox_result result;
        char text[64];
        run_shell("kill -SEGV $$", NULL, &(struct sandbox_limits){ .wall_ms = 30000 }, &result);
        CHECK(result.is_signal && result.code == SIGSEGV);
        sandbox_end_text(&(struct sandbox_run){ 0 }, &result, text, sizeof(text));
        CHECK(strcmp(text, "signal 11") == 0);
}

TEST(sandbox_run, says_what_could_not_be_started)
{
        OWN(sandbox_result) struct sandbox_result result;
        sandbox_result_init(&result, OUTPUT_MAX);
        struct why why;
        const char *const missing[] = { "/no/such/engine", NULL }, *const barred[] = { "/etc/passwd", NULL };
        CHECK(sandbox_run(&(struct sandbox_run){ .argv = missing }, &result, &why) == ERR_NOT_FOUND && strstr(why.text, "/no/such/engine"));
        CHECK(sandbox_run(&(struct sandbox_run){ .argv = barred }, &result, &why) == ERR_REFUSED);
}

TEST(sandbox_run, ends_what_does_not_end)
{
        OWN(sandbox_result) struct sandbox_result result;
        char text[64];
        const struct sandbox_run run = { .limits = { .wall_ms = 200 } };
        run_shell("echo began; sleep 600", NULL, &run.limits, &result);
        CHECK(result.is_timeout && !result.is_signal && strcmp(buf_text(&result.output), "began\n") == 0);
        sandbox_end_text(&run, &result, text, sizeof(text));
        CHECK(strcmp(text, "no end within 1 s") == 0);
}

TEST(sandbox_run, ends_what_burns_its_processor_time)
{
        OWN(sandbox_result) struct sandbox_result result;
        run_shell("while :; do :; done", NULL, &(struct sandbox_limits){ .wall_ms = 120000, .cpu_s = 1 }, &result);
        CHECK(result.is_signal && (result.code == SIGXCPU || result.code == SIGKILL) && result.cpu_ms >= 500);
}

TEST(sandbox_run, gives_no_more_memory_than_allowed)
{
#ifndef __SANITIZE_ADDRESS__     /* there, addresses are without limit; see sandbox_walls.c */
        OWN(sandbox_result) struct sandbox_result result;
        run_shell("exec head -c 200000000 /dev/zero | tail -c 190000000 | wc -c", NULL,
                  &(struct sandbox_limits){ .wall_ms = 60000, .memory_bytes = 64 << 20 }, &result);
        CHECK(strcmp(buf_text(&result.output), "190000000\n") != 0 && result.memory_bytes <= 64 << 20);
        run_shell("exec head -c 200000000 /dev/zero | tail -c 1000 | wc -c", NULL, &(struct sandbox_limits){ .wall_ms = 60000, .memory_bytes = 64 << 20 }, &result);
        CHECK(strcmp(buf_text(&result.output), "1000\n") == 0);
#endif
}

TEST(sandbox_run, throws_away_output_past_the_ceiling_and_says_so)
{
        OWN(sandbox_result) struct sandbox_result result;
        run_shell("head -c 1000000 /dev/zero; echo end >&2", NULL, &(struct sandbox_limits){ .wall_ms = 60000 }, &result);
        CHECK(result.output.length == OUTPUT_MAX && result.is_output_cut && !result.is_errors_cut && result.code == 0);
        CHECK(strcmp(buf_text(&result.errors), "end\n") == 0);
}

TEST(sandbox_run, leaves_nothing_running)
{
        OWN(sandbox_result) struct sandbox_result result;
        run_shell("setsid sleep 600 & echo started", NULL, &(struct sandbox_limits){ .wall_ms = 60000 }, &result);
        /* The sleeper holds the other end of the pipe; that the run ended shows that it is gone. */
        CHECK(!result.is_timeout || !(walls_here() & SANDBOX_PROCESSES));
        CHECK(strcmp(buf_text(&result.output), "started\n") == 0);
}

TEST(sandbox_run, has_no_network)
{
        OWN(sandbox_result) struct sandbox_result result;
        unsigned walls = walls_here();
        run_shell("tail -n +3 /proc/net/dev | grep -vc '^ *lo:'", NULL, &(struct sandbox_limits){ .wall_ms = 60000 }, &result);
        CHECK(!(walls & SANDBOX_OFFLINE) || strncmp(buf_text(&result.output), "0\n", 2) == 0);
        const char *const argv[] = { "/usr/bin/python3", "-c", "import socket; socket.socket(socket.AF_UNIX)", NULL };
        if (access("/usr/bin/python3", X_OK) == 0 && (walls & SANDBOX_SECCOMP)) {
                CHECK(sandbox_run(&(struct sandbox_run){ .argv = argv }, &result, NULL) == OK);
                CHECK(result.code == 1 && strstr(buf_text(&result.errors), "PermissionError"));
        }
}

TEST(sandbox_run, can_write_nowhere_but_in_its_scratch_folder)
{
        if (!(walls_here() & SANDBOX_READONLY))
                return;
        OWN(sandbox_result) struct sandbox_result result, other;
        char scratch[64], script[256];
        CHECK(file_temporary(scratch, NULL) == OK);
        run_shell("echo here > file && cat file; echo > ../outside; echo x > /dev/sda; echo 1 > /proc/sys/kernel/panic", scratch, &(struct sandbox_limits){ .wall_ms = 60000 }, &result);
        CHECK(strcmp(buf_text(&result.output), "here\n") == 0);
        CHECK(strstr(buf_text(&result.errors), "outside") && strstr(buf_text(&result.errors), "/dev/sda") && strstr(buf_text(&result.errors), "panic"));
        snprintf(script, sizeof(script), "echo > %s/file; cat %s/file", scratch, scratch);
        run_shell(script, NULL, &(struct sandbox_limits){ .wall_ms = 60000 }, &other);
        file_remove_tree(scratch);
        CHECK(strcmp(buf_text(&other.output), "here\n") == 0);
}

TEST(sandbox_run, lets_a_program_start_others_only_when_told)
{
        if (!(walls_here() & SANDBOX_SECCOMP))
                return;
        OWN(sandbox_result) struct sandbox_result result;
        const char *const argv[] = { "/bin/sh", "-c", "echo alone; ls / ; echo after", NULL };
        sandbox_result_init(&result, OUTPUT_MAX);
        CHECK(sandbox_run(&(struct sandbox_run){ .argv = argv }, &result, NULL) == OK);
        CHECK(strstr(buf_text(&result.output), "alone\n") && !strstr(buf_text(&result.output), "usr"));
}

TEST(sandbox_run, starts_with_an_environment_of_its_own)
{
        OWN(sandbox_result) struct sandbox_result result;
        CHECK(setenv("FIREBREAK_TEST_SECRET", "visible", 1) == 0);
        run_shell("echo \"[$FIREBREAK_TEST_SECRET] $(id -u) $(grep -c . /proc/self/status)\"", NULL, &(struct sandbox_limits){ .wall_ms = 60000 }, &result);
        CHECK(strncmp(buf_text(&result.output), "[] ", 3) == 0);
}

TEST(sandbox_walls_text, names_each_wall)
{
        char text[SANDBOX_WALLS_TEXT_MAX];
        sandbox_walls_text(63, text);
        CHECK(strcmp(text, "offline,processes,readonly,capabilities,seccomp,rlimit") == 0);
        sandbox_walls_text(SANDBOX_RLIMIT, text);
        CHECK(strcmp(text, "rlimit") == 0);
        sandbox_walls_text(0, text);
        CHECK(strcmp(text, "") == 0);
}

TEST(sandbox_run, gives_room_in_memory_that_is_bounded_and_gone_in_the_end)
{
        OWN(sandbox_result) struct sandbox_result result, other;
        const struct sandbox_limits limits = { .wall_ms = 30000, .temporary_bytes = 1 << 20 };
        run_shell("echo x >$TMPDIR/x && head -c 4000000 /dev/zero >$TMPDIR/much", NULL, &limits, &result);
        run_shell("ls /dev/shm", NULL, &limits, &other);
        if (!(walls_here() & SANDBOX_READONLY))
                return;
        CHECK(result.code != 0 && strstr(buf_text(&result.errors), "space"));
        CHECK(other.code == 0 && strcmp(buf_text(&other.output), "") == 0);
}

/* Opens a socket of the kernel's, and one of the machine's. */
TEST(sandbox_run, lets_a_firewall_be_tried_in_its_own_network_and_opens_no_other_socket)
{
        OWN(sandbox_result) struct sandbox_result result, without;
        static const char script[] = "grep -c 0000000000001000 /proc/self/status; cat /proc/net/dev | wc -l";
        run_shell(script, NULL, &(struct sandbox_limits){ .wall_ms = 30000, .may_set_up_network = true }, &result);
        run_shell(script, NULL, &(struct sandbox_limits){ .wall_ms = 30000 }, &without);
        if (!(walls_here() & SANDBOX_OFFLINE))
                return;
        CHECK((result.walls & SANDBOX_CAPABILITIES) && (result.walls & SANDBOX_SECCOMP));
        /* CAP_NET_ADMIN in all five sets, and nothing but the loop there. */
        CHECK(strcmp(buf_text(&result.output), "5\n3\n") == 0 && strcmp(buf_text(&without.output), "0\n3\n") == 0);
}
