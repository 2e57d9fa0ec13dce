/* firebreak-ask.h - ask this device's agent before an action that could do harm: to quarantine, delete, kill or cut off.
 *
 *      cc -c firebreak-ask.c                   C11 on Linux, gcc or clang; needs nothing but the C library
 *      firebreak-ask-windows.c                 the same on Windows 10 and later; needs kernel32 and advapi32. `socket` is //./pipe/NAME there, `path` C:/x or a share's
 *
 * One question, one answer:
 *
 *      char reason[FIREBREAK_REASON_BYTES];
 *      if (firebreak_ask("/run/firebreak/edr-rules.ask", "quarantine", path, 1000, reason, sizeof(reason)) == FIREBREAK_ALLOW)
 *              quarantine(path);
 *      else
 *              say(path, reason);
 *
 * Any number of threads may ask at once. It allocates nothing, keeps nothing, raises no signal and leaves no file open; errno may change.
 * firebreak-ask(3) says what to do when there is no answer. */
#pragma once

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* None of them is to be used as true or false. */
enum firebreak_answer {
        FIREBREAK_NO_ANSWER,             /* nobody there, not our turn in time, or no question: see the reason */
        FIREBREAK_DENY,
        FIREBREAK_ALLOW,
};

enum { FIREBREAK_ACTION_MAX = 32, FIREBREAK_PATH_MAX = 4096, FIREBREAK_REASON_BYTES = 160 };

/* `socket`: the agent's, see firebreak-agent.yaml(5). `action`: a word of a-z, _ and -. `path`: absolute, of what the action is done to; any
 * bytes but NUL. Waits `timeout_ms` milliseconds at most, all in all. `reason` is one line for people, always ended by NUL; "" when
 * allowed. It may be NULL if `reason_bytes` is 0. */
enum firebreak_answer firebreak_ask(const char *socket, const char *action, const char *path, int timeout_ms, char *reason, size_t reason_bytes);

#ifdef __cplusplus
}
#endif
