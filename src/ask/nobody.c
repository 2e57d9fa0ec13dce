/* Where there is no breaker to ask (Windows): every question has no answer, and says so. */
#include "ask/firebreak-ask.h"

#include <stdio.h>

enum firebreak_answer firebreak_ask(const char *socket, const char *action, const char *path, int timeout_ms, char *reason, size_t reason_bytes)
{
        (void)socket, (void)action, (void)path, (void)timeout_ms;
        if (reason_bytes)
                snprintf(reason, reason_bytes, "the agent has no breaker on this system");
        return FIREBREAK_NO_ANSWER;
}
