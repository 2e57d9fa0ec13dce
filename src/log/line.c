#include "log/line.h"

#include "format/hex.h"
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

bool line_hash(struct line line, struct tree_hash *ret_hash)
{
        struct tree_hash hash;
        size_t length = 0;
        if (base64_decode(line.text, line.length, hash.bytes, sizeof(hash.bytes), &length, NULL) || length != sizeof(hash.bytes))
                return false;
        *ret_hash = hash;
        return true;
}

enum err line_proof(struct line *rest, struct tree_proof *ret_proof, struct why *why)
{
        struct line line;
        ret_proof->count = 0;
        for (;;) {
                if (!line_next(rest, &line))
                        return FAIL(why, ERR_SYNTAX, "no empty line after the hashes of the proof");
                if (!line.length)
                        return OK;
                if (ret_proof->count == LIMIT_PROOF_HASHES)
                        return FAIL(why, ERR_LIMIT, "a proof has at most %d hashes", LIMIT_PROOF_HASHES);
                if (!line_hash(line, &ret_proof->hashes[ret_proof->count]))
                        return FAIL(why, ERR_SYNTAX, "hash %zu of the proof is not 32 bytes in base64", ret_proof->count + 1);
                ret_proof->count++;
        }
}

void line_add_hash(struct buf *into, const struct tree_hash *hash)
{
        base64_encode(hash->bytes, sizeof(hash->bytes), into);
        buf_add(into, "\n", 1);
}

void line_add_proof(struct buf *into, const struct tree_proof *proof)
{
        for (size_t i = 0; i < proof->count; i++)
                line_add_hash(into, &proof->hashes[i]);
        buf_add(into, "\n", 1);
}
