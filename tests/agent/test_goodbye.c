/* The child is this test itself, told by the environment what the server would say. */
#include "agent/goodbye.h"

#include "platform/channel.h"
#include "support/sim_random.h"
#include "support/test.h"

#include <string.h>
#include <unistd.h>

/* Words: a status to answer with, one for each ask; `hangs`; `ends`. */
__attribute__((constructor)) static void be_a_fetcher(void)
{
        static struct fetch_ask ask;
        static struct fetch_answer answer;
        const char *told = getenv("FETCHER");
        size_t length;
        if (!told)
                return;
        if (strcmp(told, "hangs") == 0)
                pause();
        for (char *next; *told && strcmp(told, "ends") != 0 && channel_receive(STDIN_FILENO, &ask, sizeof(ask), &length, NULL) == OK; told = next) {
                answer = (struct fetch_answer){ .version = FETCH_VERSION, .number = ask.number, .status = (int32_t)strtol(told, &next, 10), .date_s = 1784432200 };
                if (strcmp(ask.path, "/v1/goodbyes") != 0 || strcmp(ask.body, "{\"kind\":\"reboot\",\"back_s\":600}") != 0 || strcmp(ask.authentication, "Firebreak-Signature") != 0)
                        answer.status = 400;
                if (channel_send(STDIN_FILENO, &answer, sizeof(answer), NULL) != OK)
                        break;
        }
        exit(0);
}

/* What comes of a goodbye to a server like this. */
static enum err say(const char *server, int64_t wait_ms, struct why *why)
{
        static const struct identity identity = { .version = 1 };
        static const struct wire_goodbye body = { .kind = "reboot", .back_s = 600 };
        struct sim_random random;
        OWN(caller) struct caller *caller = NULL;
        struct clock *clock = clock_system();
        sim_random_init(&random, 1);
        const struct caller_setup setup = { "/no/such.yaml", &identity, clock, &random.source, 60000, NULL, NULL, 0, 0 };
        CHECK(caller_new(&setup, &caller, NULL) == OK && setenv("FETCHER", server, 1) == 0);
        enum err e = goodbye_say(&(struct goodbye){ &body, caller, clock, clock->ops->steady_ms(clock) + wait_ms }, why);
        CHECK(unsetenv("FETCHER") == 0);
        return e;
}

enum { LONG_MS = 60000, SHORT_MS = 50 };

TEST(goodbye, is_heard_at_once_or_when_the_date_is_right)
{
        struct why why;
        CHECK(say("200", LONG_MS, &why) == OK);
        CHECK(say("403 200", LONG_MS, &why) == OK && say("401 200", LONG_MS, &why) == OK);
}

TEST(goodbye, is_not_said_a_third_time)
{
        struct why why;
        CHECK(say("403 403 200", LONG_MS, &why) == ERR_REFUSED && say("500 200", LONG_MS, &why) == ERR_REFUSED && say("404 200", LONG_MS, &why) == ERR_REFUSED);
}

/* A fetcher that hangs, and one that is gone: the end of the wait, or sooner. */
TEST(goodbye, holds_nobody_up)
{
        struct why why;
        CHECK(say("hangs", SHORT_MS, &why) == ERR_TIMEOUT && say("ends", LONG_MS, &why) == ERR_UNAVAILABLE);
        CHECK(say("200", 0, &why) == ERR_TIMEOUT);
}

static bool is_stop(const char *text, bool is_stopping, enum wire_goodbye_kind kind)
{
        struct goodbye_stop stop = { .is_stopping = !is_stopping };
        return goodbye_stop_read(text, &stop, NULL) == OK && stop.is_stopping == is_stopping && (!is_stopping || stop.kind == kind);
}

TEST(goodbye_stop, is_what_systemd_has_a_job_for)
{
        CHECK(is_stop("Id=reboot.target\nJob=812\n\nId=kexec.target\n\nId=poweroff.target\n\nId=halt.target\n", true, WIRE_GOODBYE_REBOOT));
        CHECK(is_stop("Id=reboot.target\n\nId=kexec.target\n\nId=poweroff.target\nJob=812\n\nId=halt.target", true, WIRE_GOODBYE_SHUTDOWN));
        CHECK(is_stop("Job=0\nId=reboot.target\n\nJob=7\nId=halt.target\n", true, WIRE_GOODBYE_SHUTDOWN));
        CHECK(is_stop("Id=kexec.target\nJob=1\n", true, WIRE_GOODBYE_REBOOT) && is_stop("Id=soft-reboot.target\nJob=1\n", true, WIRE_GOODBYE_REBOOT));
}

/* Whoever stops or restarts the service by hand. */
TEST(goodbye_stop, is_none_when_only_a_service_stops)
{
        CHECK(is_stop("Id=reboot.target\n\nId=poweroff.target\nJob=0\n\nId=halt.target\n", false, WIRE_GOODBYES));
        CHECK(is_stop("Id=reboot.target\n\nId=somebodys.service\nJob=9\n\nJob=3\n", false, WIRE_GOODBYES));
}

TEST(goodbye_stop, is_not_known_from_something_else)
{
        static const char *const bad[] = { "", "\n\n", "Failed to connect to bus: Host is down\n", "Job=812\n", "Id=reboot.targets\nJob=1\n" };
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                struct goodbye_stop stop;
                CHECK(goodbye_stop_read(bad[i], &stop, NULL) == ERR_SYNTAX);
        }
}

TEST(goodbye_stop, asks_for_every_target_that_it_reads)
{
        for (size_t i = 0; goodbye_targets[i]; i++) {
                char text[64];
                snprintf(text, sizeof(text), "Id=%s\nJob=1\n", goodbye_targets[i]);
                struct goodbye_stop stop = { .is_stopping = false };
                CHECK(goodbye_stop_read(text, &stop, NULL) == OK && stop.is_stopping);
        }
}
