/* The process that engines ask, as the supervisor starts it; the supervisor is the test. */
#include "agent/asked.h"
#include "platform/channel.h"
#include "platform/child.h"
#include "platform/file.h"
#include "platform/local.h"
#include "support/test.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_MS = 10000 };
static char folder[64], ask_path[96];
static int channel = -1;
static struct child child;

static void begin(const char *group)
{
        char config[96], text[1024];
        int ends[2];
        CHECK(file_temporary(folder, NULL) == OK);
        static const char *const folders[] = { "state", "anchors" };
        for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
                snprintf(config, sizeof(config), "%s/%s", folder, folders[i]);
                CHECK(mkdir(config, 0700) == 0);
        }
        snprintf(config, sizeof(config), "%s/agent.yaml", folder);
        snprintf(ask_path, sizeof(ask_path), "%s/run/ask", folder);
        snprintf(text, sizeof(text), "server: https://x:1\nstate_dir: %s/state\ntrust: %s/anchors\nstreams:\n  - name: s\n    engine: {command: [x]}\n    breaker: {socket: %s, protect: [%s/watched]%s}\n",
                 folder, folder, ask_path, folder, group);
        CHECK(file_write(config, text, strlen(text), NULL) == OK && channel_open(ends, NULL) == OK);
        const char *const argv[] = { getenv("FIREBREAK_AGENT"), "answer", "--config", config, "--stream", "s", NULL };
        CHECK(argv[0] && child_start(&(struct child_setup){ argv, ends[1], -1, -1, NULL, NULL, NULL }, &child, NULL) == OK);
        channel_close(ends[1]);
        channel = ends[0];
}

static void end(void)
{
        channel_close(channel);
        child_kill(&child);
        file_remove_tree(folder);
}

static int connect_in_time(void)
{
        int mine = -1;
        for (int i = 0; i < WAIT_MS && local_connect(ask_path, &mine, NULL); i++)
                usleep(1000);
        CHECK(mine >= 0);
        return mine;
}

/* The next question that the supervisor gets; what it only notes is passed over. */
static struct asked_message next_question(void)
{
        struct asked_message message;
        size_t length = 0;
        do
                CHECK(channel_receive(channel, &message, sizeof(message), &length, NULL) == OK && asked_is_sound(&message, length));
        while (message.kind == ASKED_NOTE);
        return message;
}

static void decide(bool is_allowed, const char *reason)
{
        struct asked_answer answer = { .version = ASKED_VERSION, .is_allowed = is_allowed };
        snprintf(answer.reason, sizeof(answer.reason), "%s", reason);
        CHECK(channel_send(channel, &answer, sizeof(answer), NULL) == OK);
}

static bool hears(int mine, const char *expected)
{
        char line[512] = "";
        size_t length = 0;
        bool is_ready = false;
        CHECK(channel_wait(&mine, 1, WAIT_MS, &is_ready, NULL) == OK && is_ready);
        return local_take(mine, line, sizeof(line) - 1, &length) == LOCAL_MESSAGE && strncmp(line, expected, strlen(expected)) == 0;
}

static const char question[] = "quarantine\0/srv/x";
enum { QUESTION_BYTES = sizeof(question) - 1 };

TEST(answer, passes_on_questions_and_what_the_supervisor_decides)
{
        char own[128];
        begin("");
        int mine = connect_in_time();
        CHECK(local_give(mine, question, QUESTION_BYTES));
        struct asked_message message = next_question();
        CHECK(strcmp(message.question.action, "quarantine") == 0 && strcmp(message.question.path, "/srv/x") == 0 && message.file == BREAKER_ORDINARY);
        decide(true, "");
        CHECK(hears(mine, "allow\n"));
        int length = snprintf(own, sizeof(own), "kill%c%s/state", 0, folder);
        CHECK(local_give(mine, own, (size_t)length));
        message = next_question();
        CHECK(message.file == BREAKER_OWN);
        decide(false, "so it is");
        CHECK(hears(mine, "deny so it is\n") && local_give(mine, asked_counts, sizeof(asked_counts)) && hears(mine, "counts asked=2 allowed=1 denied=1 "));
        channel_close(mine);
        end();
}

TEST(answer, knows_what_the_agent_cannot_do_without)
{
        static const char *const names[] = { "state", "agent.yaml", "anchors/root.json" };
        char own[256];
        begin("");
        int mine = connect_in_time();
        for (size_t i = 0; i <= sizeof(names) / sizeof(names[0]); i++) {
                int length = i < 3 ? snprintf(own, sizeof(own), "delete%c%s/%s", 0, folder, names[i]) : snprintf(own, sizeof(own), "delete%c%s", 0, getenv("FIREBREAK_AGENT"));
                CHECK(local_give(mine, own, (size_t)length));
                CHECK(next_question().file == BREAKER_OWN);
                decide(false, "ours");
                CHECK(hears(mine, "deny ours"));
        }
        channel_close(mine);
        end();
}

TEST(answer, closes_who_asks_nothing_that_is_a_question)
{
        begin("");
        int mine = connect_in_time();
        CHECK(local_give(mine, "hello", 5) && hears(mine, "deny this is no question\n"));
        bool is_ready = false;
        char byte;
        size_t length;
        CHECK(channel_wait(&mine, 1, WAIT_MS, &is_ready, NULL) == OK && local_take(mine, &byte, 1, &length) == LOCAL_GONE);
        channel_close(mine);
        end();
}

TEST(answer, hears_the_last_of_many_who_connect_and_say_nothing)
{
        enum { SILENT = 4 * LIMIT_ASK_CONNECTIONS };
        int silent[SILENT];
        begin("");
        for (int i = 0; i < SILENT; i++)
                silent[i] = connect_in_time();
        int mine = connect_in_time();
        CHECK(local_give(mine, question, QUESTION_BYTES));
        (void)next_question();
        decide(true, "");
        CHECK(hears(mine, "allow\n"));
        for (int i = 0; i < SILENT; i++)
                channel_close(silent[i]);
        channel_close(mine);
        end();
}

static int64_t now_ms(void)
{
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

TEST(answer, asks_the_supervisor_no_more_often_than_it_may)
{
        enum { QUESTIONS = 3 * LIMIT_ASKED_PER_S };
        begin("");
        int mine = connect_in_time();
        int64_t began = now_ms();
        for (int i = 0; i < QUESTIONS; i++) {
                CHECK(local_give(mine, question, QUESTION_BYTES));
                (void)next_question();
                decide(true, "");
                CHECK(hears(mine, "allow\n"));
        }
        CHECK(now_ms() - began >= 1900 && now_ms() - began < 20000);     /* a second's worth at once, the rest at its rate */
        channel_close(mine);
        end();
}

TEST(answer, says_what_keeps_it_from_listening_and_ends)
{
        struct asked_message message;
        size_t length = 0;
        int status = 0;
        begin(", group: no-such-group-here");
        CHECK(channel_receive(channel, &message, sizeof(message), &length, NULL) == OK && asked_is_sound(&message, length));
        CHECK(message.kind == ASKED_NOTE && strstr(message.question.path, "no-such-group-here"));
        CHECK(waitpid(child.pid, &status, 0) == child.pid && WIFEXITED(status) && WEXITSTATUS(status) == 64);
        child.pid = 0;
        end();
}

TEST(answer, ends_with_the_supervisor)
{
        int status = 0;
        begin("");
        channel_close(connect_in_time());
        channel_close(channel);
        channel = -1;
        CHECK(waitpid(child.pid, &status, 0) == child.pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
        child.pid = 0;
        end();
}
