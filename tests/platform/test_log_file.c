#include "platform/log_file.h"

#include "support/sweep.h"
#include "support/test.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* Our standard error is a pipe for as long as it is open. */
struct reader { int kept, end; FILE *file; };

static void reader_open(struct reader *reader)
{
        int ends[2];
        CHECK(pipe(ends) == 0);
        reader->kept = dup(STDERR_FILENO);
        CHECK(dup2(ends[1], STDERR_FILENO) == STDERR_FILENO);
        close(ends[1]);
        reader->end = ends[0];
        CHECK(fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0);
        reader->file = log_file_open();
}

static void reader_close(struct reader *reader)
{
        fclose(reader->file);
        CHECK(dup2(reader->kept, STDERR_FILENO) == STDERR_FILENO);
        close(reader->kept);
        if (reader->end >= 0)
                close(reader->end);
}

static void say(struct reader *reader, const char *line)
{
        CHECK(fputs(line, reader->file) >= 0 && fflush(reader->file) == 0);
}

static size_t read_all(struct reader *reader, char *text, size_t size)
{
        size_t length = 0;
        for (ssize_t got; (got = read(reader->end, text + length, size - 1 - length)) > 0;)
                length += (size_t)got;
        text[length] = '\0';
        return length;
}

TEST(log_file, says_a_line_at_once)
{
        struct reader reader;
        char text[64];
        reader_open(&reader);
        say(&reader, "hello\n");
        (void)read_all(&reader, text, sizeof(text));
        reader_close(&reader);
        CHECK(strcmp(text, "hello\n") == 0);
}

/* If it waited, this would not end. */
TEST(log_file, loses_what_nobody_reads_and_says_how_much)
{
        static char text[1 << 20], line[1001];
        struct reader reader;
        memset(line, 'x', sizeof(line) - 2);
        line[sizeof(line) - 2] = '\n';
        reader_open(&reader);
        for (int i = 0; i < 1000; i++)
                say(&reader, line);
        size_t length = read_all(&reader, text, sizeof(text));
        say(&reader, "hello\n");
        (void)read_all(&reader, text, sizeof(text));
        reader_close(&reader);
        CHECK(length > 4096 && length < 1000 * 1000 && length % 1000 == 0);
        CHECK(strstr(text, "lines were lost: nobody read them in time)\nhello\n"));
}

TEST(log_file, outlives_its_reader)
{
        struct reader reader;
        signal(SIGPIPE, SIG_IGN);
        reader_open(&reader);
        close(reader.end);
        reader.end = -1;
        say(&reader, "hello\n");
        say(&reader, "hello\n");
        reader_close(&reader);
}

TEST(log_file, gives_back_all_it_took_when_memory_runs_out)
{
        SWEEP_MEMORY {
                FILE *file = log_file_open();
                if (file)
                        fclose(file);
        }
}
