#include "log/entry_proof.h"

#include "format/hex.h"
#include "log/hash_lines.h"
#include "log/merkle.h"

#include <inttypes.h>
#include <string.h>

static const char heading[] = "c2sp.org/tlog-proof@v1";

void entry_proof_write(const struct entry_proof *proof, struct buf *into)
{
        buf_addf(into, "%s\n", heading);
        if (proof->extra_length) {
                buf_add_text(into, "extra ");
                base64_encode(proof->extra, proof->extra_length, into);
                buf_add(into, "\n", 1);
        }
        buf_addf(into, "index %" PRIu64 "\n", proof->index);
        hash_lines_write(into, &proof->path);
        buf_add(into, proof->checkpoint.text, proof->checkpoint.length);
}

static enum err read_extra(struct line value, struct entry_proof *proof, struct why *why)
{
        enum err e = base64_decode(value.text, value.length, proof->extra, sizeof(proof->extra), &proof->extra_length, why);
        if (!e && !proof->extra_length)
                e = FAIL(why, ERR_SYNTAX, "an empty one is left out");
        return e ? DURING(why, e, "the proof's line `extra`") : OK;
}

enum err entry_proof_parse(const char *bytes, size_t length, struct entry_proof *ret_proof, struct why *why)
{
        struct line rest = { bytes, length }, line, value;
        ret_proof->extra_length = 0;
        if (length > LIMIT_PROOF_BYTES)
                return FAIL(why, ERR_LIMIT, "a proof has at most %d bytes", LIMIT_PROOF_BYTES);
        if (!line_next(&rest, &line) || line.length != strlen(heading) || memcmp(line.text, heading, line.length) != 0)
                return FAIL(why, ERR_SYNTAX, "a proof begins with `%s`", heading);
        bool is_line = line_next(&rest, &line);
        if (is_line && line_after(line, "extra", &value)) {
                enum err e = read_extra(value, ret_proof, why);
                if (e)
                        return e;
                is_line = line_next(&rest, &line);
        }
        if (!is_line || !line_after(line, "index", &value) || !line_number(value, &ret_proof->index))
                return FAIL(why, ERR_SYNTAX, "not `index NUMBER` before the hashes of the proof");
        enum err e = hash_lines_read(&rest, &ret_proof->path, why);
        if (e)
                return e;
        ret_proof->checkpoint = rest;
        return rest.length ? OK : FAIL(why, ERR_SYNTAX, "the proof has no checkpoint");
}

enum err entry_proof_verify(const struct entry_proof *proof, const struct entry_claim *entry, const struct entry_policy *policy, int64_t *ret_seen,
                            struct why *why)
{
        struct checkpoint checkpoint;
        struct tree_hash leaf;
        int64_t seen = 0;
        enum err e = checkpoint_parse(proof->checkpoint.text, proof->checkpoint.length, &checkpoint, why);
        if (!e)
                e = checkpoint_verify(&checkpoint, policy->log, why);
        if (!e && policy->witnesses)
                e = cosignature_verify(&checkpoint, policy->witnesses, &seen, why);
        if (e)
                return e;
        tree_leaf(entry->bytes, entry->length, &leaf);
        e = merkle_inclusion(&leaf, proof->index, &checkpoint.head, &proof->path, why);
        if (!e)
                *ret_seen = seen;
        return e;
}
