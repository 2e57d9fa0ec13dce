#include "platform/terminal.h"

#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

bool terminal_is(FILE *stream)
{
        return isatty(fileno(stream)) == 1;
}

static struct winsize size_of(FILE *stream)
{
        struct winsize size = { 0 };
        if (ioctl(fileno(stream), TIOCGWINSZ, &size) != 0)
                size = (struct winsize){ 0 };
        return size;
}

unsigned terminal_columns(FILE *stream)
{
        unsigned columns = size_of(stream).ws_col;
        return columns ? columns : 80;
}

unsigned terminal_rows(FILE *stream)
{
        unsigned rows = size_of(stream).ws_row;
        return rows ? rows : 24;
}

/* Byte by byte, so that nothing of the secret stays in a buffer of ours. */
static enum err read_line(int tty, char *secret, size_t size, struct why *why)
{
        for (size_t used = 0;;) {
                char c = 0;
                ssize_t n = read(tty, &c, 1);
                if (n <= 0)
                        return FAIL(why, ERR_UNAVAILABLE, "the terminal was closed before a line was typed");
                if (c == '\n')
                        return OK;
                if (used + 1 >= size)
                        return FAIL(why, ERR_LIMIT, "more than %zu bytes were typed", size - 1);
                secret[used++] = c;
                secret[used] = '\0';
        }
}

enum err terminal_ask_secret(const char *prompt, char *secret, size_t size, struct why *why)
{
        int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
        struct termios before, quiet;
        if (tty < 0)
                return FAIL(why, ERR_UNAVAILABLE, "no terminal to ask on");
        if (tcgetattr(tty, &before) != 0) {
                close(tty);
                return FAIL(why, ERR_UNAVAILABLE, "what is called the terminal is none");
        }
        quiet = before;
        quiet.c_lflag &= ~(tcflag_t)(ECHO | ISIG);       /* no signal may end us with echo off */
        secret[0] = '\0';
        tcsetattr(tty, TCSAFLUSH, &quiet);
        ssize_t said = write(tty, prompt, strlen(prompt));
        enum err e = read_line(tty, secret, size, why);
        said = write(tty, "\n", 1);
        (void)said;
        tcsetattr(tty, TCSAFLUSH, &before);
        close(tty);
        return e;
}
