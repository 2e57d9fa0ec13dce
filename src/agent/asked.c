#include "agent/asked.h"

#include "platform/paths.h"

#include <string.h>

const char asked_counts[7] = "counts";

bool asked_is_counts(const void *bytes, size_t length)
{
        return length == sizeof(asked_counts) && memcmp(bytes, asked_counts, length) == 0;
}

bool asked_read(const void *bytes, size_t length, struct asked_question *ret_question)
{
        const char *action = bytes, *end = length ? memchr(bytes, 0, length) : NULL;
        if (!end || end == action || end - action > ASKED_ACTION_MAX || strspn(action, "abcdefghijklmnopqrstuvwxyz_-") != (size_t)(end - action))
                return false;
        const char *path = end + 1;
        size_t path_length = length - (size_t)(path - action);
        if (!path_length || path_length > ASKED_PATH_MAX || memchr(path, 0, path_length))
                return false;
        memset(ret_question, 0, sizeof(*ret_question));
        memcpy(ret_question->action, action, (size_t)(end - action));
        memcpy(ret_question->path, path, path_length);
        return paths_is_absolute(ret_question->path);
}

bool asked_is_sound(struct asked_message *message, size_t length)
{
        if (length != sizeof(*message) || message->version != ASKED_VERSION || message->kind >= ASKED_KINDS || message->file >= BREAKER_FILES)
                return false;
        message->question.action[ASKED_ACTION_MAX] = 0;
        message->question.path[ASKED_PATH_MAX] = 0;
        return true;
}
