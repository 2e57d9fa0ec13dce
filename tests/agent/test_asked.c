#include "agent/asked.h"
#include "support/test.h"

#include <string.h>

static struct asked_question question;

/* What a path begins with that is absolute. */
#ifdef _WIN32
#define ROOT "C:/"
#else
#define ROOT "/"
#endif
#define READ(text) asked_read(text, sizeof(text) - 1, &question)

TEST(asked, reads_an_action_and_a_path_of_any_bytes)
{
        CHECK(READ("quarantine\0" ROOT "srv/x") && strcmp(question.action, "quarantine") == 0 && strcmp(question.path, ROOT "srv/x") == 0);
        CHECK(READ("cut-off_net\0" ROOT "\n\xff") && strcmp(question.path, ROOT "\n\xff") == 0);
}

TEST(asked, takes_nothing_else_for_a_question)
{
        CHECK(!READ("") && !READ("quarantine") && !READ("quarantine\0") && !READ("\0" ROOT "srv/x") && !READ("quarantine\0srv") && !READ("Kill\0" ROOT "x") && !READ("a b\0" ROOT "x"));
        CHECK(!READ("quarantine\0" ROOT "srv/x\0") && !READ("quarantine\0" ROOT "a\0" ROOT "b"));
}

TEST(asked, holds_to_its_sizes)
{
        char bytes[ASKED_BYTES_MAX + 2];
        memset(bytes, 'a', sizeof(bytes));
        bytes[ASKED_ACTION_MAX] = 0;
        memcpy(bytes + ASKED_ACTION_MAX + 1, ROOT, sizeof(ROOT) - 1);
        CHECK(asked_read(bytes, ASKED_BYTES_MAX, &question) && strlen(question.path) == ASKED_PATH_MAX && strlen(question.action) == ASKED_ACTION_MAX);
        CHECK(!asked_read(bytes, ASKED_BYTES_MAX + 1, &question));
        bytes[ASKED_ACTION_MAX] = 'a';
        bytes[ASKED_ACTION_MAX + 1] = 0;
        memcpy(bytes + ASKED_ACTION_MAX + 2, ROOT, sizeof(ROOT) - 1);
        CHECK(!asked_read(bytes, 100, &question));
}

TEST(asked, knows_the_question_of_counts)
{
        CHECK(asked_is_counts("counts", 7) && !asked_is_counts("counts", 6) && !asked_is_counts("counts\0/", 8) && !asked_read("counts", 7, &question));
}

TEST(asked, ends_the_texts_of_a_message_and_refuses_what_is_none)
{
        struct asked_message message;
        memset(&message, 'x', sizeof(message));
        CHECK(!asked_is_sound(&message, sizeof(message)));
        message.version = ASKED_VERSION;
        message.kind = ASKED_NOTE;
        message.file = BREAKER_UNKNOWN;
        CHECK(!asked_is_sound(&message, sizeof(message) - 1) && asked_is_sound(&message, sizeof(message)));
        CHECK(strlen(message.question.action) == ASKED_ACTION_MAX && strlen(message.question.path) == ASKED_PATH_MAX);
        message.file = BREAKER_FILES;
        CHECK(!asked_is_sound(&message, sizeof(message)));
}
