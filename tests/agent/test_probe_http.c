#include "agent/probe_kinds.h"

#include "base/limits.h"
#include "platform/child.h"
#include "platform/listen.h"
#include "support/test.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct look { struct agent_probe probe; const char *says; char url[96]; };

/* 0: all is well; 1: it is not, and that is what is said; 2: anything else. */
static int look_at(void *user)
{
        const struct look *look = user;
        const struct probe_task task = { .probe = &look->probe };
        struct why why = { .text = "" };
        enum err e = probe_look_http(&task, &why);
        if (e == OK)
                return 0;
        if (e == ERR_CONTENT && strstr(why.text, look->says))
                return 1;
        fprintf(stderr, "# %s\n", why.text);
        return 2;
}

static int ended(struct child *child)
{
        int status = 0;
        CHECK(waitpid(child->pid, &status, 0) == child->pid && WIFEXITED(status));
        return WEXITSTATUS(status);
}

/* Our own answer to whatever is asked; NULL: none at all. */
static int look_with_answer(struct look *look, const char *answer)
{
        char at[LISTEN_TEXT_MAX], asked[2048];
        struct child child = { 0 };
        int listener;
        CHECK(listen_open("127.0.0.1:0", &listener, at, NULL) == OK);
        snprintf(look->url, sizeof(look->url), "http://%s/health", at);
        look->probe.kind = PROBE_HTTP;
        look->probe.http = look->url;
        look->probe.timeout_ms = look->probe.timeout_ms ? look->probe.timeout_ms : 10000;
        CHECK(child_fork(look_at, look, &child, NULL) == OK);
        struct pollfd wait = { .fd = listener, .events = POLLIN };
        CHECK(poll(&wait, 1, 10000) == 1);
        int client = accept(listener, NULL, NULL);
        CHECK(client >= 0 && recv(client, asked, sizeof(asked), 0) > 0 && strncmp(asked, "GET /health HTTP/1.1\r\n", 22) == 0);
        size_t length = answer ? strlen(answer) : 0;
        for (size_t done = 0; done < length;) {
                ssize_t sent = send(client, answer + done, length - done, MSG_NOSIGNAL);
                if (sent <= 0)
                        break;
                done += (size_t)sent;
        }
        if (answer)
                close(client);
        int code = ended(&child);
        if (!answer)
                close(client);
        close(listener);
        return code;
}

#define BODY(status, text) "HTTP/1.1 " status " X\r\nConnection: close\r\n\r\n" text

TEST(probe_look_http, passes_with_a_good_status_and_the_text_that_is_asked_for)
{
        struct look any = { .says = "" }, text = { .probe.contains = "engine: up", .says = "" }, teapot = { .probe.status = 418, .says = "" };
        CHECK(look_with_answer(&any, BODY("204", "")) == 0);
        CHECK(look_with_answer(&text, BODY("200", "{engine: up}")) == 0);
        CHECK(look_with_answer(&teapot, BODY("418", "short")) == 0);
}

TEST(probe_look_http, says_which_status_came_from_where)
{
        struct look any = { .says = "503 from http://127.0.0.1:" }, exact = { .probe.status = 200, .says = "204 from http://" };
        CHECK(look_with_answer(&any, BODY("503", "no")) == 1);
        CHECK(look_with_answer(&exact, BODY("204", "")) == 1);
}

TEST(probe_look_http, follows_nobody_elsewhere)
{
        struct look look = { .says = "302 from http://" };
        CHECK(look_with_answer(&look, "HTTP/1.1 302 X\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n") == 1);
}

TEST(probe_look_http, misses_the_text_that_is_not_there)
{
        struct look look = { .probe.contains = "up", .says = "without `up`" };
        CHECK(look_with_answer(&look, BODY("200", "down")) == 1 && look_with_answer(&look, BODY("200", "")) == 1);
}

TEST(probe_look_http, reads_no_more_of_a_page_than_its_limit)
{
        static char page[LIMIT_PROBE_BODY_BYTES * 2];
        struct look any = { .says = "" }, text = { .probe.contains = "here", .says = "without `here`" };
        int head = snprintf(page, sizeof(page), "HTTP/1.1 200 X\r\nConnection: close\r\n\r\n");
        memset(page + head, '.', sizeof(page) - (size_t)head - 1);
        memcpy(page + sizeof(page) - 5, "here", 4);
        CHECK(look_with_answer(&any, page) == 0 && look_with_answer(&text, page) == 1);
}

TEST(probe_look_http, says_so_when_nobody_answers)
{
        struct look slow = { .probe.timeout_ms = 300, .says = "no answer from http://127.0.0.1:" }, none = { .says = "no answer from http://127.0.0.1:1/: " };
        struct child child = { 0 };
        CHECK(look_with_answer(&slow, NULL) == 1);
        none.probe = (struct agent_probe){ .kind = PROBE_HTTP, .http = "http://127.0.0.1:1/", .timeout_ms = 5000 };
        CHECK(child_fork(look_at, &none, &child, NULL) == OK && ended(&child) == 1);
}

TEST(probe_look_http, asks_no_proxy)
{
        struct look look = { .says = "" };
        CHECK(setenv("http_proxy", "http://127.0.0.1:1", 1) == 0);
        CHECK(look_with_answer(&look, BODY("200", "")) == 0);
        CHECK(unsetenv("http_proxy") == 0);
}
