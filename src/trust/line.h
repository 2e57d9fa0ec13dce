/* line.h - what logs, witnesses and their readers tell each other is lines of text: taken one by one, each in its only spelling. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Borrowed bytes; without the newline when it is a line. */
struct line {
        const char *text;
        size_t length;
};

/* Takes the first line off. False when there is none that is ended. */
bool line_next(struct line *rest, struct line *ret_line);
/* What comes after `word` and a space; false when the line begins otherwise. */
bool line_after(struct line line, const char *word, struct line *ret_value);
/* Decimal without sign or leading zeros, at most INT64_MAX. */
bool line_number(struct line line, uint64_t *ret_number);
