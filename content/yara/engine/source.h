/* source.h - the files of a rules folder, read one after the other in the order of their names. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

typedef enum err source_visit(void *user, const char *name, const struct buf *text, struct why *why);

/* Only regular files that end in .yar. ERR_SYNTAX: one has a NUL; ERR_REFUSED: one is no regular file; ERR_LIMIT. */
MUST_CHECK enum err source_each(const char *folder, source_visit *visit, void *user, struct why *why);

/* First line of FOLDER/VERSION as one word, nothing but letters, digits and `._+:-`; "" when there is none. */
void source_version(const char *folder, char *version, int size);
