#include "format/near.h"

#include <string.h>

enum { WORD_MAX = 40 };         /* longer names are not guessed at: the work is the product of the lengths */

static size_t smallest(size_t a, size_t b, size_t c)
{
        size_t least = a < b ? a : b;
        return least < c ? least : c;
}

/* Levenshtein's distance, one row at a time. */
static size_t distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
        size_t row[WORD_MAX + 1];
        for (size_t j = 0; j <= b_length; j++)
                row[j] = j;
        for (size_t i = 1; i <= a_length; i++) {
                size_t diagonal = row[0];
                row[0] = i;
                for (size_t j = 1; j <= b_length; j++) {
                        size_t above = row[j];
                        row[j] = smallest(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
                        diagonal = above;
                }
        }
        return row[b_length];
}

void near_consider(struct near *near, const char *candidate)
{
        size_t length = strnlen(near->word, WORD_MAX + 1), candidate_length = strnlen(candidate, WORD_MAX + 1);
        if (length > WORD_MAX || candidate_length > WORD_MAX)
                return;
        size_t found = distance(near->word, length, candidate, candidate_length);
        size_t close_enough = candidate_length < 4 ? 1 : candidate_length / 3 + 1;
        if (found > close_enough || (near->best && found >= near->distance))
                return;
        near->best = candidate;
        near->distance = found;
}
