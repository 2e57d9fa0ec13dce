/* answers.h - what a server has for those who ask who vouches for a release: proofs and approvals, by the paths of docs/guide/formats.md, 6. */
#pragma once

#include "base/buf.h"

#include <stddef.h>
#include <stdint.h>

enum { ANSWERS_MAX = 32, ANSWER_PATH_BYTES = 176 };

struct answers {
        size_t count;
        struct { char path[ANSWER_PATH_BYTES]; struct buf bytes; } of[ANSWERS_MAX];
};

void answers_done(struct answers *answers);
/* In place of what it had under this path. No bytes: it says that there is nothing. */
void answers_set(struct answers *answers, const char *path, const struct buf *bytes);
/* NULL: it has no answer. */
const struct buf *answers_find(const struct answers *answers, const char *path);

void answer_proof_path(const uint8_t target[32], char path[ANSWER_PATH_BYTES]);
void answer_approval_path(const uint8_t target[32], const char *by, char path[ANSWER_PATH_BYTES]);
