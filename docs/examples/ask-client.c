/* ask-client.c - an engine's two kinds of action, and what each does without an answer. An example for firebreak-ask(3).
 *
 *      cc -o ask-client ask-client.c firebreak-ask.c
 *      ./ask-client SOCKET quarantine|delete FILE */
#include "firebreak-ask.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_MS = 1000 };

/* What can be undone may happen without an answer, a few times: an agent that is not there must not disarm the engine, and a storm must not begin because
 * it is not there. What cannot be undone may not. */
static int may_act(enum firebreak_answer answer, int is_reversible)
{
        enum { UNANSWERED_MAX = 3 };
        static int unanswered;           /* of a program with threads: count it under a lock, over an hour */
        if (answer == FIREBREAK_NO_ANSWER)
                return is_reversible && unanswered++ < UNANSWERED_MAX;
        return answer == FIREBREAK_ALLOW;
}

int main(int argc, char **argv)
{
        char reason[FIREBREAK_REASON_BYTES], path[PATH_MAX];
        if (argc != 4 || !realpath(argv[3], path)) {
                fprintf(stderr, "usage: ask-client SOCKET quarantine|delete FILE\n");
                return 64;
        }
        int is_reversible = strcmp(argv[2], "quarantine") == 0;
        enum firebreak_answer answer = firebreak_ask(argv[1], argv[2], path, ANSWER_MS, reason, sizeof(reason));
        int acts = may_act(answer, is_reversible);
        printf("%s %s: %s%s%s\n", argv[2], path, acts ? "would be done" : "left alone", reason[0] ? ": " : "", reason);
        return acts ? 0 : 1;
}
