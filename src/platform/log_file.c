#include "platform/log_file.h"

#include "base/mem.h"

#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

struct reader { uint64_t lost; };

/* A pipe that says so has room for PIPE_BUF, which is a line. */
static bool has_room(void)
{
        struct pollfd at = { .fd = STDERR_FILENO, .events = POLLOUT };
        return poll(&at, 1, 0) > 0 && (at.revents & POLLOUT);
}

static void say_lost(struct reader *reader)
{
        char text[80];
        int length = snprintf(text, sizeof(text), "(%" PRIu64 " lines were lost: nobody read them in time)\n", reader->lost);
        if (write(STDERR_FILENO, text, (size_t)length) == length)
                reader->lost = 0;
}

static ssize_t put(void *cookie, const char *bytes, size_t size)
{
        struct reader *reader = cookie;
        if (reader->lost && has_room())
                say_lost(reader);
        if (reader->lost || !has_room() || write(STDERR_FILENO, bytes, size) < 0)
                reader->lost++;
        return (ssize_t)size;
}

static int drop(void *cookie)
{
        mem_free(cookie);
        return 0;
}

FILE *log_file_open(void)
{
        struct reader *reader = mem_new(1, sizeof(*reader));
        FILE *file = reader ? fopencookie(reader, "w", (cookie_io_functions_t){ .write = put, .close = drop }) : NULL;
        if (!file)
                mem_free(reader);
        else
                (void)setvbuf(file, NULL, _IOFBF, LOG_FILE_LINE_MAX + 1);
        return file;
}
