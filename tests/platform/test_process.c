#include "platform/process.h"

#include "platform/child.h"
#include "support/test.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

TEST(process_stat, is_read_behind_a_name_that_looks_like_more_of_it)
{
        static const char text[] = "4242 (a) S 1 2 (b)) R 1 4242 4242 0 -1 4194304 100 200 3 4 70 30 5 6 20 0 3 0 987654 12345678 321 18446744073709551615\n";
        struct process_stat stat;
        CHECK(process_stat_read(text, &stat) && stat.cpu_ticks == 70 + 30 + 5 + 6 && stat.start == 987654);
}

TEST(process_stat, is_not_read_from_what_is_none)
{
        static const char *const bad[] = { "", "4242 (a", "4242 (a) R 1 2 3", "4242 (a) R 1 4242 4242 0 -1 4194304 100 200 3 4 70 x 5 6 20 0 3 0 987654" };
        struct process_stat stat;
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                CHECK(!process_stat_read(bad[i], &stat));
}

TEST(process_status, has_a_line_for_what_is_asked)
{
        static const char text[] = "Name:\tx\nVmSwap:\t       7 kB\nRssAnon:\t    1234 kB\nRssAnonX:\t1 kB\n";
        CHECK(process_status_kib(text, "RssAnon") == 1234 && process_status_kib(text, "VmSwap") == 7 && process_status_kib(text, "Rss") == 0);
        CHECK(process_status_kib("", "RssAnon") == 0);
}

static void burn(long ms)
{
        for (clock_t until = clock() + ms * (CLOCKS_PER_SEC / 1000); clock() < until;)
                ;
}

TEST(process_usage, grows_with_the_work_that_is_done)
{
        struct process_usage before, after;
        CHECK(process_usage(getpid(), &before, NULL) == OK && before.start && before.memory_kib);
        burn(100);
        CHECK(process_usage(getpid(), &after, NULL) == OK && after.start == before.start && after.cpu_ms >= before.cpu_ms + 60);
}

static int work(void *user)
{
        (void)user;
        burn(200);
        pause();
        return 0;
}

/* Of a child that runs, and of the same once it has ended. */
TEST(process_usage, counts_what_was_started_too)
{
        struct process_usage before, running, ended;
        struct child child = { 0 };
        CHECK(process_usage(getpid(), &before, NULL) == OK && child_fork(work, NULL, &child, NULL) == OK);
        for (int looks = 0; looks < 200; looks++) {
                CHECK(process_usage(getpid(), &running, NULL) == OK);
                if (running.cpu_ms >= before.cpu_ms + 150)
                        break;
                usleep(20000);
        }
        CHECK(running.cpu_ms >= before.cpu_ms + 150);
        child_kill(&child);
        CHECK(process_usage(getpid(), &ended, NULL) == OK && ended.cpu_ms + 20 >= running.cpu_ms);
}

TEST(process_usage, knows_no_process_that_is_gone)
{
        struct process_usage usage;
        CHECK(process_usage(0x7fffffff, &usage, NULL) == ERR_NOT_FOUND);
}
