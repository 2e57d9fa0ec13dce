/* lines.h - the text of a note, read line by line in a fixed order: `word SP value`.
 *
 *      struct lines lines = { .at = text, .end = text + length, .what = "lease" };
 *      e = lines_next(&lines, "stream", &value, why);      value is the rest of the line, NUL-ended
 *
 * Works on a copy that it may write NULs into. */
#pragma once

#include "base/err.h"
#include "trust/ceiling.h"
#include "trust/key.h"

struct lines {
        char *at, *end;
        const char *what;            /* for messages: "release note" */
        unsigned number;             /* of the line read last */
};

/* ERR_SYNTAX: names the line and what should stand there. */
MUST_CHECK enum err lines_first(struct lines *lines, const char *heading, struct why *why);     /* "firebreak lease v1" */
MUST_CHECK enum err lines_next(struct lines *lines, const char *word, char **ret_value, struct why *why);
bool lines_is_next(const struct lines *lines, const char *word);
MUST_CHECK enum err lines_end(struct lines *lines, struct why *why);

/* The same, with the value read. */
MUST_CHECK enum err lines_number(struct lines *lines, const char *word, uint64_t *ret_number, struct why *why);
MUST_CHECK enum err lines_name(struct lines *lines, const char *word, char name[static LIMIT_NAME_BYTES + 1], struct why *why);
MUST_CHECK enum err lines_vkey(struct lines *lines, const char *word, struct vkey *ret_vkey, struct why *why);
/* `word AFTER_S PPM`, one or more: into the steps; whether they are those of a ceiling, ceiling_is_valid() says. ERR_LIMIT. */
MUST_CHECK enum err lines_steps(struct lines *lines, const char *word, struct ceiling *ceiling, struct why *why);
void lines_write_steps(const char *word, const struct ceiling *ceiling, struct buf *into);
struct lines_hex { uint8_t *bytes; size_t length; };
MUST_CHECK enum err lines_digest(struct lines *lines, const char *word, struct lines_hex into, struct why *why);

enum err lines_fail(const struct lines *lines, const char *claim, struct why *why);

/* Cut the word before the next space off; NULL when there is none. *rest is what follows. */
char *lines_cut(char *value, char **rest);
