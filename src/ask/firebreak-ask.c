#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "ask/firebreak-ask.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { RETRY_MS = 20 };                          /* while the queue before the agent is full */

struct question {
        const char *socket, *action, *path;
        int64_t until_ms;
        char *reason;                            /* NULL or of reason_bytes, which is not 0 then */
        size_t reason_bytes;
};

static int64_t now_ms(void)
{
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int left_ms(const struct question *question)
{
        int64_t left = question->until_ms - now_ms();
        return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

static enum firebreak_answer say(const struct question *question, enum firebreak_answer answer, const char *text, size_t length)
{
        if (question->reason) {
                size_t most = question->reason_bytes - 1;
                length = length < most ? length : most;
                memcpy(question->reason, text, length);
                question->reason[length] = 0;
        }
        return answer;
}

static enum firebreak_answer no_answer(const struct question *question, const char *text)
{
        return say(question, FIREBREAK_NO_ANSWER, text, strlen(text));
}

static int is_action(const char *action)
{
        size_t length = strspn(action, "abcdefghijklmnopqrstuvwxyz_-");
        return length && length <= FIREBREAK_ACTION_MAX && !action[length];
}

/* An error number, or 0. A full queue is waited for. */
static int reach(int end, const struct question *question)
{
        struct sockaddr_un name = { .sun_family = AF_UNIX };
        size_t length = strlen(question->socket);
        if (length >= sizeof(name.sun_path))
                return ENAMETOOLONG;
        memcpy(name.sun_path, question->socket, length);
        while (connect(end, (const struct sockaddr *)&name, sizeof(name))) {
                if (errno != EINTR && errno != EAGAIN)
                        return errno;
                int left = left_ms(question);
                if (!left)
                        return ETIMEDOUT;
                (void)poll(NULL, 0, left < RETRY_MS ? left : RETRY_MS);
        }
        return 0;
}

static int send_question(int end, const struct question *question)
{
        struct iovec parts[2] = {
                { (void *)(uintptr_t)question->action, strlen(question->action) + 1 },
                { (void *)(uintptr_t)question->path, strlen(question->path) },
        };
        const struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
        ssize_t sent;
        do
                sent = sendmsg(end, &message, MSG_NOSIGNAL);
        while (sent < 0 && errno == EINTR);
        return sent < 0 ? errno : 0;
}

static int is_answered(int end, const struct question *question)
{
        for (;;) {
                struct pollfd wait = { .fd = end, .events = POLLIN };
                int left = left_ms(question), ready = poll(&wait, 1, left);
                if (ready > 0)
                        return 1;
                if ((ready < 0 && errno != EINTR) || !left)
                        return 0;
        }
}

/* A line: `allow`, or `deny` and why. */
static enum firebreak_answer read_answer(int end, const struct question *question)
{
        char line[FIREBREAK_REASON_BYTES + 8];
        ssize_t got = recv(end, line, sizeof(line), MSG_DONTWAIT);
        if (got <= 0 || line[got - 1] != '\n')
                return no_answer(question, "the agent closed the connection");
        size_t length = (size_t)got - 1;
        if (length == 5 && memcmp(line, "allow", 5) == 0)
                return say(question, FIREBREAK_ALLOW, "", 0);
        if (length > 5 && memcmp(line, "deny ", 5) == 0)
                return say(question, FIREBREAK_DENY, line + 5, length - 5);
        return no_answer(question, "the agent's answer is none");
}

static enum firebreak_answer converse(int end, const struct question *question)
{
        int failed = reach(end, question);
        if (failed)
                return no_answer(question, failed == ETIMEDOUT ? "too many ask before us" : failed == EACCES ? "we may not ask this agent"
                                 : failed == ENAMETOOLONG ? "the socket's path is too long" : "the agent is not there");
        if (send_question(end, question))
                return no_answer(question, "the agent closed the connection");
        return is_answered(end, question) ? read_answer(end, question) : no_answer(question, "the agent did not answer in time");
}

enum firebreak_answer firebreak_ask(const char *socket_path, const char *action, const char *path, int timeout_ms, char *reason, size_t reason_bytes)
{
        const struct question question = { socket_path, action, path, now_ms() + (timeout_ms > 0 ? timeout_ms : 0), reason_bytes ? reason : NULL, reason_bytes };
        if (!is_action(action))
                return no_answer(&question, "an action is a word of a-z, _ and -, 32 at most");
        if (path[0] != '/' || strlen(path) > FIREBREAK_PATH_MAX)
                return no_answer(&question, "the path is not absolute, or longer than 4096 bytes");
        int end = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (end < 0)
                return no_answer(&question, "no socket to ask with");
        enum firebreak_answer answer = converse(end, &question);
        close(end);
        return answer;
}
