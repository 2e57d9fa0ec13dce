#include "agent/judge.h"

#include "support/test.h"
#include "trust/anchor.h"
#include "trust/keys.h"
#include "trust/sha.h"

#include <string.h>

enum { ROOT = 1, CONTENT, LAB, DIRECTOR };

static struct anchor publisher(void)
{
        return (struct anchor){ .version = 1, .root = { 1, 1, { test_vkey("root", ROOT) } }, .content = { 1, 1, { test_vkey("content", CONTENT) } },
                                .lab = { 1, 1, { test_vkey("lab", LAB) } } };
}

static void make_note(struct buf *note, uint8_t *target)
{
        struct release_file file = { .length = 1, .path = "VERSION" };
        const struct release_note of = {
                .stream = "rules", .version = "1", .counter = 4, .floor = 2, .platform_count = 1, .platforms = { "any" }, .file_count = 1, .files = &file,
                .ceiling = { .start = 1000, .count = 1, .steps = { { 0, CEILING_ALL_PPM } } },
        };
        buf_init(note, LIMIT_NOTE_BYTES);
        CHECK(release_note_write(&of, note, NULL) == OK);
        sha256(note->bytes, note->length, target);
        test_sign(note, "content", CONTENT);
}

static struct judge_offer offer_at(int64_t now_s, const uint8_t *target)
{
        return (struct judge_offer){ { .device = "00112233445566778899aabbccddeeff", .stream = "rules", .platform = "linux-amd64", .ring = "main", .now = now_s, .target = target }, 4, false };
}

TEST(judge_candidate, takes_what_was_offered_and_signed_when_it_is_time)
{
        const struct anchor anchor = publisher();
        OWN(buf) struct buf bytes;
        OWN(release_note) struct release_note *note = NULL;
        uint8_t target[32];
        make_note(&bytes, target);
        struct judge_offer offer = offer_at(1000, target);
        CHECK(judge_candidate(&anchor, &offer, &bytes, &note, NULL) == OK && note->counter == 4);
}

TEST(judge_candidate, refuses_another_number_time_floor_platform_or_name)
{
        const struct anchor anchor = publisher();
        OWN(buf) struct buf bytes;
        struct release_note *note = NULL;
        uint8_t target[32], other[32] = { 0 };
        make_note(&bytes, target);
        const struct judge_offer good = offer_at(1000, target);
        struct judge_offer offer = good;
        offer.counter = 5;
        CHECK(judge_candidate(&anchor, &offer, &bytes, &note, NULL) == ERR_UNTRUSTED);
        offer = good;
        offer.facts.now = 999;
        CHECK(judge_candidate(&anchor, &offer, &bytes, &note, NULL) == ERR_REFUSED);
        offer = good;
        offer.facts.floor = 5;
        CHECK(judge_candidate(&anchor, &offer, &bytes, &note, NULL) == ERR_ROLLBACK);
        offer = good;
        offer.facts.stream = "other";
        CHECK(judge_candidate(&anchor, &offer, &bytes, &note, NULL) == ERR_REFUSED);
        offer = good;
        offer.facts.target = other;
        CHECK(judge_candidate(&anchor, &offer, &bytes, &note, NULL) == ERR_IO && !note);
}

/* Where the publisher has keys for the agent, nothing goes on as it that comes by another stream. */
TEST(judge_candidate, takes_no_agent_from_a_stream_that_is_contents)
{
        struct anchor anchor = publisher();
        OWN(buf) struct buf bytes;
        OWN(release_note) struct release_note *note = NULL, *of_rules = NULL;
        uint8_t target[32];
        make_note(&bytes, target);
        struct judge_offer offer = offer_at(1000, target);
        offer.is_agent = true;
        CHECK(judge_candidate(&anchor, &offer, &bytes, &note, NULL) == OK);
        release_note_free(GIVE(note));
        anchor.agent = (struct anchor_role){ 1, 1, { test_vkey("build", CONTENT + 1) } };
        anchor.agent_streams = (struct anchor_streams){ 1, { "agent" } };
        CHECK(judge_candidate(&anchor, &offer, &bytes, &note, NULL) == ERR_UNTRUSTED && !note);
        offer.is_agent = false;
        CHECK(judge_candidate(&anchor, &offer, &bytes, &of_rules, NULL) == OK);
}

/* Lines below the text are nobody's word on the release: whoever stands between can change them. */
TEST(judge_candidate, takes_damage_on_the_way_for_damage)
{
        static const char *const tails[] = { "", "\n", "\nhello\n", "\n\u2014 content AAAA\n", "\n\u2014 content\n" };
        const struct anchor anchor = publisher();
        OWN(buf) struct buf bytes, changed;
        struct release_note *note = NULL;
        uint8_t target[32];
        make_note(&bytes, target);
        buf_init(&changed, LIMIT_NOTE_BYTES);
        const struct judge_offer offer = offer_at(1000, target);
        const size_t length = note_signed_length(bytes.bytes, bytes.length);
        for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
                buf_clear(&changed);
                buf_add(&changed, bytes.bytes, length);
                buf_add_text(&changed, tails[i]);
                CHECK(judge_candidate(&anchor, &offer, &changed, &note, NULL) == ERR_IO && !note);
        }
        for (size_t cut = 0; cut < bytes.length; cut++) {
                buf_clear(&changed);
                buf_add(&changed, bytes.bytes, cut);
                CHECK(judge_candidate(&anchor, &offer, &changed, &note, NULL) == ERR_IO && !note);
        }
}

TEST(judge_candidate, minds_no_signature_more_and_any_that_is_missing)
{
        const struct anchor anchor = publisher();
        struct anchor other = anchor;
        OWN(buf) struct buf bytes;
        OWN(release_note) struct release_note *note = NULL;
        struct release_note *none = NULL;
        uint8_t target[32];
        make_note(&bytes, target);
        test_sign(&bytes, "somebody", CONTENT + 1);
        const struct judge_offer offer = offer_at(1000, target);
        other.content.keys[0] = test_vkey("content", CONTENT + 2);
        CHECK(judge_candidate(&other, &offer, &bytes, &none, NULL) == ERR_UNTRUSTED && !none);
        CHECK(judge_candidate(&anchor, &offer, &bytes, &note, NULL) == OK && memcmp(note->target, target, sizeof(target)) == 0);
}
