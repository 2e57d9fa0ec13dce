#include "agent/judge.h"

#include "base/mem.h"
#include "platform/file.h"
#include "trust/anchor.h"
#include "trust/sha.h"

#include <inttypes.h>
#include <string.h>

struct judge {
        struct anchor anchor;
};

enum err judge_new(const struct buf *anchor, struct judge **ret_judge, struct why *why)
{
        OWN(judge) struct judge *judge = mem_new(1, sizeof(*judge));
        if (!judge)
                return FAIL(why, ERR_NOMEM, "reading the anchor");
        enum err e = anchor_open(buf_text(anchor), anchor->length, &judge->anchor, why);
        if (!e)
                *ret_judge = GIVE(judge);
        return e;
}

enum err judge_open(const char *anchor_path, struct judge **ret_judge, struct why *why)
{
        OWN(buf) struct buf bytes;
        buf_init(&bytes, LIMIT_METADATA_BYTES);
        enum err e = file_read(anchor_path, &bytes, why);
        if (!e)
                e = judge_new(&bytes, ret_judge, why);
        return e ? DURING(why, e, "the anchor %s", anchor_path) : OK;
}

void judge_close(struct judge *judge)
{
        mem_free(judge);
}

static enum err open_note(const struct judge *judge, const struct buf *signed_note, const uint8_t target[32], struct release_note **ret_note, struct why *why)
{
        uint8_t digest[32];
        sha256(signed_note->bytes, signed_note->length, digest);
        if (memcmp(digest, target, sizeof(digest)) != 0)
                return FAIL(why, ERR_IO, "the release note has other bytes than its name says");
        return release_note_open(&judge->anchor, signed_note, ret_note, why);
}

enum err judge_candidate(const struct judge *judge, const struct judge_offer *offer, const struct buf *signed_note, struct release_note **ret_note, struct why *why)
{
        OWN(release_note) struct release_note *note = NULL;
        struct install_facts facts = offer->facts;
        enum err e = open_note(judge, signed_note, facts.target, &note, why);
        /* What it is called must be what was signed: by its number it is denied, refused and leased. */
        if (!e && note->counter != offer->counter)
                e = FAIL(why, ERR_UNTRUSTED, "offered as release %" PRIu64 ", signed as release %" PRIu64, offer->counter, note->counter);
        facts.note = note;
        if (!e)
                e = install_candidate(&facts, why);
        if (!e)
                *ret_note = GIVE(note);
        return e;
}

static enum err check_shadow(const struct judge_question *question, const struct install_facts *facts, struct why *why)
{
        enum err e = install_lease_is_ours(facts, why);
        if (e)
                return e;
        if (facts->lease->counter != question->running || memcmp(facts->lease->target, question->running_target, 32) != 0)
                return FAIL(why, ERR_REFUSED, "a shadow lease for release %llu, which does not run here", (unsigned long long)facts->lease->counter);
        return OK;
}

enum err judge_lease(const struct judge *judge, const struct judge_question *question, const struct buf *signed_lease,
                     struct lease *ret_lease, struct why *why)
{
        struct lease lease;
        enum err e = lease_open(&judge->anchor.director, signed_lease, &lease, why);
        if (e)
                return e;
        struct install_facts facts = question->facts;
        facts.lease = &lease;
        e = lease.is_shadow ? check_shadow(question, &facts, why) : install_rule(&facts, why);
        if (!e)
                *ret_lease = lease;
        return e;
}
