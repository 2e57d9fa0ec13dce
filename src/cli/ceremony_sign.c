#include "cli/ceremony_sign.h"

static bool is_asked(const struct ceremony_file *file, enum paper paper, const struct public_key *key)
{
        struct rotation_need needs[ROTATION_NEEDS_MAX];
        for (size_t i = rotation_needs(&file->proposal, &file->before, &file->after, paper, needs); i > 0; i--)
                if (anchor_role_find(&needs[i - 1].role, key))
                        return true;
        return false;
}

enum err ceremony_sign(struct ceremony_file *file, const char *reference, struct signing_key *key, struct why *why)
{
        struct paper_signature signature = { .key = *signing_key_public(key) };
        size_t count = 0;
        enum err e = OK;
        for (enum paper paper = 0; !e && paper < PAPERS; paper++) {
                const struct buf *text = &file->proposal.papers[paper].text;
                if (!is_asked(file, paper, &signature.key))
                        continue;
                count++;
                e = signing_key_sign(key, text->bytes, text->length, signature.signature, why);
                if (!e)
                        e = proposal_add(&file->proposal, paper, &signature, why);
        }
        if (!e && !count)
                e = FAIL(why, ERR_UNTRUSTED, "%.200s is none of the keys that this needs; `firebreak proposal show` names them", reference);
        return e;
}
