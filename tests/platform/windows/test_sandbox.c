#include "platform/sandbox.h"

#include "platform/child.h"
#include "platform/clock.h"
#include "support/test.h"

#include <stdlib.h>
#include <string.h>
#include <windows.h>

static struct sandbox_result result_of(const char *command, const struct sandbox_limits *limits, size_t output_max)
{
        const char *const argv[] = { "cmd.exe", "/c", command, NULL };
        struct sandbox_result result;
        sandbox_result_init(&result, output_max);
        CHECK(sandbox_run(&(struct sandbox_run){ .argv = argv, .limits = *limits }, &result, NULL) == OK);
        return result;
}

TEST(sandbox, tells_output_and_end)
{
        OWN(sandbox_result) struct sandbox_result result = result_of("echo said& exit 5", &(struct sandbox_limits){ .wall_ms = 60000 }, 100);
        char walls[SANDBOX_WALLS_TEXT_MAX];
        CHECK(!result.is_timeout && !result.is_signal && result.code == 5 && strncmp(buf_text(&result.output), "said", 4) == 0 && !result.is_output_cut);
        sandbox_walls_text(result.walls, walls);
        CHECK(strcmp(walls, "processes,rlimit") == 0);           /* no word of a wall that is not there */
}

TEST(sandbox, throws_away_what_is_beyond_the_ceiling)
{
        OWN(sandbox_result) struct sandbox_result result = result_of("echo 0123456789", &(struct sandbox_limits){ .wall_ms = 60000 }, 4);
        CHECK(result.is_output_cut && strcmp(buf_text(&result.output), "0123") == 0 && result.code == 0);
}

/* What the next one runs: this program, with a word in its environment that makes it wait. */
TEST(sandbox_guest, waits_when_it_is_told)
{
        struct clock *clock = clock_system();
        while (getenv("FIREBREAK_GUEST_WAITS"))
                clock->ops->sleep_ms(clock, 1000);
}

TEST(sandbox, ends_what_takes_too_long)
{
        static const char *const argv[] = { child_self, "sandbox_guest", NULL }, *const environment[] = { "FIREBREAK_GUEST_WAITS=1", NULL };
        const struct sandbox_run run = { .argv = argv, .environment = environment, .limits = { .wall_ms = 300 } };
        OWN(sandbox_result) struct sandbox_result result;
        char text[40];
        sandbox_result_init(&result, 4000);
        CHECK(sandbox_run(&run, &result, NULL) == OK && result.is_timeout && !result.is_signal);
        sandbox_end_text(&run, &result, text, sizeof(text));
        CHECK(strcmp(text, "no end within 1 s") == 0);
}

/* As the next one's guest: how many privileges it has, of which the right to pass through folders is left. */
TEST(sandbox_privileges, are_counted_when_it_is_told)
{
        _Alignas(TOKEN_PRIVILEGES) char bytes[sizeof(TOKEN_PRIVILEGES) + 64 * sizeof(LUID_AND_ATTRIBUTES)];
        HANDLE token;
        DWORD length;
        if (!getenv("FIREBREAK_GUEST_COUNTS"))
                return;
        CHECK(OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token) && GetTokenInformation(token, TokenPrivileges, bytes, sizeof(bytes), &length));
        ExitProcess(100 + ((TOKEN_PRIVILEGES *)bytes)->PrivilegeCount);
}

TEST(sandbox, starts_without_privileges)
{
        static const char *const argv[] = { child_self, "sandbox_privileges", NULL }, *const environment[] = { "FIREBREAK_GUEST_COUNTS=1", NULL };
        OWN(sandbox_result) struct sandbox_result result;
        sandbox_result_init(&result, 4000);
        CHECK(sandbox_run(&(struct sandbox_run){ .argv = argv, .environment = environment, .limits = { .wall_ms = 60000 } }, &result, NULL) == OK);
        CHECK(result.code == 101 || result.code == 100);
}

TEST(sandbox, says_what_is_no_program)
{
        static const char *const argv[] = { "C:/no/such/program.exe", NULL };
        OWN(sandbox_result) struct sandbox_result result;
        struct why why;
        sandbox_result_init(&result, 100);
        CHECK(sandbox_run(&(struct sandbox_run){ .argv = argv }, &result, &why) == ERR_NOT_FOUND && strstr(why.text, "no/such/program"));
}
