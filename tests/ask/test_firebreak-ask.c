/* The C call against an agent that is the test: right, slow, silent, gone, or talking nonsense. */
#include "firebreak-ask.h"

#include "platform/channel.h"
#include "platform/file.h"
#include "platform/local.h"
#include "support/test.h"

#include <dirent.h>
#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char folder[64], path[96], heard[8192], reason[FIREBREAK_REASON_BYTES];
static size_t heard_length;
static int listener;
static unsigned group;

struct agent { const char *answer; size_t length; pthread_t thread; };

/* Answers one question, and closes. */
static void *serve(void *user)
{
        const struct agent *agent = user;
        struct local_peer peer = { -1, 0 };
        while (local_accept(listener, group, &peer))
                usleep(1000);
        while (local_take(peer.end, heard, sizeof(heard), &heard_length) == LOCAL_NOTHING)
                usleep(1000);
        if (agent->answer)
                (void)local_give(peer.end, agent->answer, agent->length);
        channel_close(peer.end);
        return NULL;
}

static void begin(void)
{
        CHECK(file_temporary(folder, NULL) == OK);
        snprintf(path, sizeof(path), "%s/ask", folder);
        CHECK(local_listen(path, NULL, &listener, &group, NULL) == OK);
}

static void end(void)
{
        channel_close(listener);
        file_remove_tree(folder);
}

static enum firebreak_answer asks(const char *answer, size_t length)
{
        struct agent agent = { answer, length, 0 };
        begin();
        CHECK(pthread_create(&agent.thread, NULL, serve, &agent) == 0);
        enum firebreak_answer got = firebreak_ask(path, "quarantine", "/srv/x", 5000, reason, sizeof(reason));
        CHECK(pthread_join(agent.thread, NULL) == 0);
        end();
        return got;
}

#define ASKS(text) asks(text, sizeof(text) - 1)

TEST(firebreak_ask, asks_as_the_page_of_formats_says_and_takes_the_answer)
{
        CHECK(ASKS("allow\n") == FIREBREAK_ALLOW && !reason[0]);
        CHECK(heard_length == 17 && memcmp(heard, "quarantine\0/srv/x", 17) == 0);
        CHECK(ASKS("deny quarantine of /bin/ls, which the platform ships\n") == FIREBREAK_DENY && strcmp(reason, "quarantine of /bin/ls, which the platform ships") == 0);
}

TEST(firebreak_ask, takes_nothing_but_a_plain_allow_for_one)
{
        CHECK(ASKS("allow") == FIREBREAK_NO_ANSWER && ASKS("allow \n") == FIREBREAK_NO_ANSWER && ASKS("allow\n\n") == FIREBREAK_NO_ANSWER && ASKS("\n") == FIREBREAK_NO_ANSWER);
        CHECK(ASKS("allo\n") == FIREBREAK_NO_ANSWER && ASKS("ALLOW\n") == FIREBREAK_NO_ANSWER && ASKS("counts asked=1\n") == FIREBREAK_NO_ANSWER && reason[0]);
        CHECK(asks(NULL, 0) == FIREBREAK_NO_ANSWER && strcmp(reason, "the agent closed the connection") == 0);
        char flood[4096];
        memset(flood, 'x', sizeof(flood));
        memcpy(flood, "deny ", 5);
        CHECK(asks(flood, sizeof(flood)) == FIREBREAK_NO_ANSWER && strlen(reason) < sizeof(reason));
}

TEST(firebreak_ask, holds_to_the_size_of_the_reason)
{
        char small[4] = { 'x', 'x', 'x', 'x' };
        struct agent agent = { "deny because\n", 13, 0 };
        begin();
        CHECK(pthread_create(&agent.thread, NULL, serve, &agent) == 0);
        CHECK(firebreak_ask(path, "kill", "/srv/x", 5000, small, 3) == FIREBREAK_DENY && strcmp(small, "be") == 0 && small[3] == 'x');
        CHECK(pthread_join(agent.thread, NULL) == 0);
        CHECK(firebreak_ask("/none", "kill", "/srv/x", 0, NULL, 0) == FIREBREAK_NO_ANSWER);
        end();
}

static int64_t now_ms(void)
{
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

TEST(firebreak_ask, waits_no_longer_than_it_was_told)
{
        begin();
        int64_t began = now_ms();
        CHECK(firebreak_ask(path, "kill", "/srv/x", 200, reason, sizeof(reason)) == FIREBREAK_NO_ANSWER && strstr(reason, "in time"));
        CHECK(now_ms() - began >= 200 && now_ms() - began < 2000);
        /* A queue that is full, too. */
        int ends[2000], count = 0;
        while (count < 2000 && local_connect(path, &ends[count], NULL) == OK)
                count++;
        CHECK(count < 2000);
        began = now_ms();
        CHECK(firebreak_ask(path, "kill", "/srv/x", 200, reason, sizeof(reason)) == FIREBREAK_NO_ANSWER && strstr(reason, "before us"));
        CHECK(now_ms() - began >= 200 && now_ms() - began < 2000);
        while (count--)
                channel_close(ends[count]);
        end();
}

TEST(firebreak_ask, says_what_is_no_question_and_who_is_not_there)
{
        char longer[FIREBREAK_PATH_MAX + 2], action[FIREBREAK_ACTION_MAX + 2];
        memset(longer, '/', sizeof(longer));
        longer[sizeof(longer) - 1] = 0;
        memset(action, 'a', sizeof(action));
        action[sizeof(action) - 1] = 0;
        begin();
        const char *const bad[][2] = { { "", "/x" }, { "Kill", "/x" }, { "a b", "/x" }, { action, "/x" }, { "kill", "x" }, { "kill", "" }, { "kill", longer } };
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                CHECK(firebreak_ask(path, bad[i][0], bad[i][1], 1000, reason, sizeof(reason)) == FIREBREAK_NO_ANSWER && reason[0]);
        end();
        CHECK(firebreak_ask(path, "kill", "/srv/x", 1000, reason, sizeof(reason)) == FIREBREAK_NO_ANSWER && strcmp(reason, "the agent is not there") == 0);
        CHECK(firebreak_ask(longer, "kill", "/srv/x", 1000, reason, sizeof(reason)) == FIREBREAK_NO_ANSWER);
}

static size_t files_open(void)
{
        size_t count = 0;
        DIR *listing = opendir("/proc/self/fd");
        while (listing && readdir(listing))
                count++;
        closedir(listing);
        return count;
}

TEST(firebreak_ask, leaves_no_file_open)
{
        size_t before = files_open();
        CHECK(ASKS("allow\n") == FIREBREAK_ALLOW && asks(NULL, 0) == FIREBREAK_NO_ANSWER && ASKS("nonsense") == FIREBREAK_NO_ANSWER);
        for (int i = 0; i < 100; i++)
                CHECK(firebreak_ask(path, "kill", "/srv/x", 0, NULL, 0) == FIREBREAK_NO_ANSWER);
        CHECK(files_open() == before);
}

static void *ask_often(void *user)
{
        (void)user;
        char mine[FIREBREAK_REASON_BYTES];
        for (int i = 0; i < 50; i++)
                if (firebreak_ask(path, "kill", "/srv/x", 20000, mine, sizeof(mine)) != FIREBREAK_ALLOW)
                        return mine[0] ? path : folder;
        return NULL;
}

TEST(firebreak_ask, may_be_called_by_many_threads)
{
        enum { THREADS = 8, ALL = THREADS * 50 };
        pthread_t threads[THREADS];
        struct agent agent = { "allow\n", 6, 0 };
        begin();
        for (int i = 0; i < THREADS; i++)
                CHECK(pthread_create(&threads[i], NULL, ask_often, NULL) == 0);
        for (int i = 0; i < ALL; i++)
                (void)serve(&agent);
        for (int i = 0; i < THREADS; i++) {
                void *failed = NULL;
                CHECK(pthread_join(threads[i], &failed) == 0 && !failed);
        }
        end();
}
