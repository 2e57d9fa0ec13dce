#include "agent/judge.h"

#include "trust/anchor.h"
#include "trust/sha.h"

#include <inttypes.h>
#include <string.h>

/* What is not the text that was offered, or comes with lines that are no signatures, says nothing of the release: somebody on the way
 * changed it. */
static enum err open_note(const struct anchor *anchor, const struct buf *signed_note, const uint8_t target[32], struct release_note **ret_note, struct why *why)
{
        struct note note;
        uint8_t digest[32];
        enum err e = note_parse(buf_text(signed_note), signed_note->length, &note, why);
        if (e)
                return DURING(why, ERR_IO, "the release note");
        sha256(note.text, note.text_length, digest);
        if (memcmp(digest, target, sizeof(digest)) != 0)
                return FAIL(why, ERR_IO, "the release note has another text than its name says");
        return release_note_open(anchor, signed_note, ret_note, why);
}

enum err judge_candidate(const struct anchor *anchor, const struct judge_offer *offer, const struct buf *signed_note, struct release_note **ret_note, struct why *why)
{
        OWN(release_note) struct release_note *note = NULL;
        struct install_facts facts = offer->facts;
        enum err e = offer->is_agent ? anchor_check_agent_stream(anchor, facts.stream, why) : OK;
        if (!e)
                e = open_note(anchor, signed_note, facts.target, &note, why);
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

enum err judge_lease(const struct director_anchor *director, const struct judge_question *question, const struct buf *signed_lease,
                     struct lease *ret_lease, struct why *why)
{
        struct lease lease;
        enum err e = lease_open(&director->key, signed_lease, &lease, why);
        if (e)
                return e;
        struct install_facts facts = question->facts;
        facts.lease = &lease;
        e = lease.is_shadow ? check_shadow(question, &facts, why) : install_rule(&facts, why);
        if (!e)
                *ret_lease = lease;
        return e;
}
