#include "redteam/answers.h"

#include "base/limits.h"
#include "format/hex.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

void answers_done(struct answers *answers)
{
        while (answers->count)
                buf_done(&answers->of[--answers->count].bytes);
}

void answers_set(struct answers *answers, const char *path, const struct buf *bytes)
{
        size_t i = 0;
        while (i < answers->count && strcmp(answers->of[i].path, path) != 0)
                i++;
        assert(i < ANSWERS_MAX);
        struct buf *into = &answers->of[i].bytes;
        if (i == answers->count) {
                snprintf(answers->of[answers->count++].path, ANSWER_PATH_BYTES, "%s", path);
                buf_init(into, LIMIT_PROOF_BYTES);
        }
        buf_clear(into);
        buf_add(into, buf_text(bytes), bytes->length);
}

const struct buf *answers_find(const struct answers *answers, const char *path)
{
        for (size_t i = 0; i < answers->count; i++)
                if (strcmp(answers->of[i].path, path) == 0)
                        return &answers->of[i].bytes;
        return NULL;
}

void answer_proof_path(const uint8_t target[32], char path[ANSWER_PATH_BYTES])
{
        char name[65];
        hex_encode(target, 32, name);
        snprintf(path, ANSWER_PATH_BYTES, "/v1/log/proof/%s", name);
}

void answer_approval_path(const uint8_t target[32], const char *by, char path[ANSWER_PATH_BYTES])
{
        char name[65];
        hex_encode(target, 32, name);
        snprintf(path, ANSWER_PATH_BYTES, "/v1/approvals/%s/%s", name, by);
}
