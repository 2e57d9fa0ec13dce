#include "log/hash_lines.h"

#include "format/hex.h"

bool hash_line_read(struct line line, struct tree_hash *ret_hash)
{
        struct tree_hash hash;
        size_t length = 0;
        if (base64_decode(line.text, line.length, hash.bytes, sizeof(hash.bytes), &length, NULL) || length != sizeof(hash.bytes))
                return false;
        *ret_hash = hash;
        return true;
}

enum err hash_lines_read(struct line *rest, struct tree_proof *ret_proof, struct why *why)
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
                if (!hash_line_read(line, &ret_proof->hashes[ret_proof->count]))
                        return FAIL(why, ERR_SYNTAX, "hash %zu of the proof is not 32 bytes in base64", ret_proof->count + 1);
                ret_proof->count++;
        }
}

void hash_line_write(struct buf *into, const struct tree_hash *hash)
{
        base64_encode(hash->bytes, sizeof(hash->bytes), into);
        buf_add(into, "\n", 1);
}

void hash_lines_write(struct buf *into, const struct tree_proof *proof)
{
        for (size_t i = 0; i < proof->count; i++)
                hash_line_write(into, &proof->hashes[i]);
        buf_add(into, "\n", 1);
}
