#include "trust/line.h"

#include "trust/word.h"

#include <string.h>

enum { DIGITS_MAX = 19 };

bool line_next(struct line *rest, struct line *ret_line)
{
        const char *newline = rest->length ? memchr(rest->text, '\n', rest->length) : NULL;
        if (!newline)
                return false;
        *ret_line = (struct line){ rest->text, (size_t)(newline - rest->text) };
        rest->text += ret_line->length + 1;
        rest->length -= ret_line->length + 1;
        return true;
}

bool line_after(struct line line, const char *word, struct line *ret_value)
{
        size_t length = strlen(word);
        if (line.length <= length || memcmp(line.text, word, length) != 0 || line.text[length] != ' ')
                return false;
        *ret_value = (struct line){ line.text + length + 1, line.length - length - 1 };
        return true;
}

bool line_number(struct line line, uint64_t *ret_number)
{
        char digits[DIGITS_MAX + 1] = "";
        if (line.length > DIGITS_MAX || memchr(line.text, 0, line.length))
                return false;
        memcpy(digits, line.text, line.length);
        return word_number(digits, ret_number);
}
