/* problem.h - a failure as RFC 9457 has it: {"type","title","status","detail","code"}, application/problem+json. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#define PROBLEM_TYPE "application/problem+json"

/* Status and code come from base/err.def, the detail from `why` (NULL: the code's own text). A text of ours about the
 * inside of the server must not be in `why`: the other side reads it. */
void problem_write(enum err e, const struct why *why, struct buf *into);

/* When HTTP has a status that err.def has not, such as 405 or 429. `title` is HTTP's phrase for it. */
void problem_write_status(int status, enum err e, const char *detail, struct buf *into);

/* HTTP's phrase for a status, "Error" for one that we never send. */
const char *problem_title(int status);
