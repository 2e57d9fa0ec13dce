#include "platform/terminal.h"

#include "support/test.h"

#include <pty.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* In a child with a terminal of its own: asks, and ends with 0 if it got `expected` and echo is as before. */
static int asked(const char *expected)
{
        char secret[16];
        struct termios after;
        enum err e = terminal_ask_secret("Passphrase: ", secret, sizeof(secret), NULL);
        if (tcgetattr(STDIN_FILENO, &after) != 0 || !(after.c_lflag & ECHO) || !(after.c_lflag & ISIG))
                return 2;
        return expected ? e != OK || strcmp(secret, expected) != 0 : e != ERR_LIMIT;
}

/* Types `typed` and gives back all that the terminal showed. */
static int play(const char *typed, const char *expected, char *shown, size_t size)
{
        int terminal = -1, status = -1;
        size_t used = 0;
        pid_t child = forkpty(&terminal, NULL, NULL, NULL);
        CHECK(child >= 0);
        if (child == 0)
                _exit(asked(expected));
        bool is_typed = false;
        for (ssize_t n; used < size - 1 && (n = read(terminal, shown + used, size - 1 - used)) > 0;) {
                used += (size_t)n;
                shown[used] = '\0';
                if (!is_typed && strstr(shown, "Passphrase: "))      /* only then is echo off */
                        is_typed = write(terminal, typed, strlen(typed)) > 0;
        }
        close(terminal);
        CHECK(is_typed && waitpid(child, &status, 0) == child && WIFEXITED(status));
        return WEXITSTATUS(status);
}

TEST(terminal, takes_a_secret_without_showing_it_and_leaves_echo_on)
{
        char shown[256] = "";
        CHECK(play("horse staple\n", "horse staple", shown, sizeof(shown)) == 0);
        CHECK(!strstr(shown, "horse"));
}

TEST(terminal, refuses_a_secret_that_is_too_long)
{
        char shown[256] = "";
        CHECK(play("0123456789abcdef0123456789\n", NULL, shown, sizeof(shown)) == 0);
}

TEST(terminal, says_that_there_is_none)
{
        int status = -1;
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
                char secret[16];
                setsid();
                _exit(terminal_ask_secret("", secret, sizeof(secret), NULL) != ERR_UNAVAILABLE);
        }
        CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST(terminal, is_not_a_file_and_then_has_the_usual_size)
{
        FILE *file = tmpfile();
        CHECK(file && !terminal_is(file) && terminal_columns(file) == 80 && terminal_rows(file) == 24);
        fclose(file);
}
