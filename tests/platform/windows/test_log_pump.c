#include "platform/windows/log_pump.h"

#include "platform/child.h"
#include "platform/clock.h"
#include "platform/file.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

enum { LOG_BYTES = 2000, LINES = 60, LINE_BYTES = 50 };

static const char log_path[] = "pump.log", old_path[] = "pump.log.1";

/* What the next one runs, because standard error of a process is replaced for good: this program, with a word in its environment. */
TEST(log_pump_guest, says_more_than_the_file_takes)
{
        if (!getenv("FIREBREAK_GUEST_TALKS"))
                return;
        (void)remove(log_path);
        (void)remove(old_path);
        CHECK(log_pump_start(log_path, LOG_BYTES, NULL) == OK);
        for (int i = 0; i < LINES; i++)
                fprintf(stderr, "line %03d of a log that is turned over by its length\n", i);
        printf("and standard output\n");
        log_pump_drain();
        ExitProcess(7);                          /* nothing more of the tests is said into it */
}

static void look(const char *path, struct buf *ret_text)
{
        buf_init(ret_text, LOG_BYTES);           /* more than that is ERR_LIMIT */
        CHECK(file_read(path, ret_text, NULL) == OK && ret_text->length > LINE_BYTES);
}

TEST(log_pump, keeps_two_files_of_bounded_length_and_the_newest_lines)
{
        static const char *const argv[] = { child_self, "log_pump_guest", NULL };
        struct clock *clock = clock_system();
        struct child child;
        struct child_end end;
        OWN(buf) struct buf new = { 0 }, old = { 0 };
        CHECK(SetEnvironmentVariableA("FIREBREAK_GUEST_TALKS", "1"));
        CHECK(child_start(&(struct child_setup){ .argv = argv, .input = -1, .output = -1, .errors = -1 }, &child, NULL) == OK);
        for (int i = 0; i < 600 && !child_ended(&child, &end); i++)
                clock->ops->sleep_ms(clock, 100);
        CHECK(SetEnvironmentVariableA("FIREBREAK_GUEST_TALKS", NULL));
        CHECK(!end.is_signal && end.code == 7);
        look(log_path, &new);
        look(old_path, &old);
        CHECK(strstr(buf_text(&new), "line 059") && strstr(buf_text(&new), "and standard output") && !strstr(buf_text(&new), "line 000"));
        CHECK(strncmp(buf_text(&new), "line ", 5) == 0 && strncmp(buf_text(&old), "line ", 5) == 0);      /* none is torn */
        (void)remove(log_path);
        (void)remove(old_path);
}
