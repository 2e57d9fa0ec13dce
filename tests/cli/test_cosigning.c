#include "cli/cosigning.h"

#include "log/signed.h"
#include "log/witness.h"
#include "support/sweep.h"

/* A log of 5, and witnesses 1 to 3, of which it takes two. */
static struct log_trust trust_of(size_t threshold)
{
        struct log_trust trust = { .log = test_log(), .witnesses = { .threshold = threshold, .count = 3 } };
        for (uint8_t i = 0; i < 3; i++)
                trust.witnesses.keys[i] = test_witness((uint8_t)(i + 1));
        return trust;
}

static void make_note(struct buf *note)
{
        const struct tree_head head = oracle_head(5);
        test_checkpoint(note, &head);
}

/* What witness `number` answers to it. */
static void make_line(struct buf *line, const struct buf *note, uint8_t number, int64_t time)
{
        OWN(buf) struct buf whole;
        buf_init(&whole, LIMIT_CHECKPOINT_BYTES);
        buf_add(&whole, note->bytes, note->length);
        test_cosign(&whole, number, time);
        buf_init(line, LIMIT_WITNESS_ANSWER_BYTES);
        buf_add(line, whole.bytes + note->length, whole.length - note->length);
}

static struct cosigning_hearing hear(struct cosigning *cosigning, int status, const void *bytes, size_t length)
{
        struct cosigning_hearing hearing;
        struct why why = { 0 };
        OWN(buf) struct buf body;
        buf_init(&body, LIMIT_WITNESS_ANSWER_BYTES);
        buf_add(&body, bytes, length);
        CHECK(cosigning_hear(cosigning, &(struct cosigning_answer){ status, &body, TEST_TIME + 1000 }, &hearing, &why) == OK);
        CHECK(hearing.word != COSIGNING_REFUSED || why.text[0]);
        return hearing;
}

static struct cosigning_hearing hear_text(struct cosigning *cosigning, int status, const char *text)
{
        return hear(cosigning, status, text, strlen(text));
}

TEST(cosigning, gathers_until_it_is_enough)
{
        const struct log_trust trust = trust_of(2);
        OWN(cosigning) struct cosigning cosigning;
        OWN(buf) struct buf note;
        make_note(&note);
        CHECK(cosigning_begin(&cosigning, &trust, &note, NULL) == OK && cosigning_count(&cosigning) == 0 && !cosigning_is_enough(&cosigning));
        for (uint8_t number = 3; number >= 2; number--) {
                OWN(buf) struct buf line;
                make_line(&line, &note, number, TEST_TIME + number);
                for (int again = 0; again < 2; again++) {        /* and no more by saying it again */
                        const struct cosigning_hearing hearing = hear(&cosigning, 200, line.bytes, line.length);
                        CHECK(hearing.word == COSIGNING_GIVEN && hearing.time == TEST_TIME + number && strcmp(hearing.name, trust.witnesses.keys[number - 1].name) == 0);
                        CHECK(cosigning_count(&cosigning) == 4u - number && cosigning.gathered == 4u - number);
                }
        }
        struct checkpoint checkpoint;
        int64_t seen;
        const struct witnesses two = { trust.witnesses.keys, 3, 2, 0, INT64_MAX };
        CHECK(cosigning_is_enough(&cosigning) && checkpoint_parse(buf_text(&cosigning.note), cosigning.note.length, &checkpoint, NULL) == OK);
        CHECK(checkpoint.signature_count == 3 && checkpoint_verify(&checkpoint, &trust.log, NULL) == OK && cosignature_verify(&checkpoint, &two, &seen, NULL) == OK);
}

TEST(cosigning, takes_no_word_from_a_clock_that_is_ahead)
{
        const struct log_trust trust = trust_of(2);
        OWN(cosigning) struct cosigning cosigning;
        OWN(buf) struct buf note, late, soon;
        make_note(&note);
        CHECK(cosigning_begin(&cosigning, &trust, &note, NULL) == OK);
        make_line(&late, &note, 1, TEST_TIME + 1000 + LIMIT_WITNESS_AHEAD_S + 1);
        make_line(&soon, &note, 1, TEST_TIME + 1000 + LIMIT_WITNESS_AHEAD_S);
        CHECK(hear(&cosigning, 200, late.bytes, late.length).word == COSIGNING_REFUSED && cosigning_count(&cosigning) == 0);
        CHECK(hear(&cosigning, 200, soon.bytes, soon.length).word == COSIGNING_GIVEN && cosigning_count(&cosigning) == 1);
}

TEST(cosigning, counts_what_the_server_has_and_does_not_hand_it_back)
{
        const struct log_trust trust = trust_of(2);
        OWN(cosigning) struct cosigning cosigning;
        OWN(buf) struct buf note, plain, line;
        make_note(&note);
        make_note(&plain);
        make_line(&line, &plain, 2, TEST_TIME);
        test_cosign(&note, 1, TEST_TIME - 5);
        test_cosign(&note, 9, TEST_TIME);                        /* not in the anchor */
        CHECK(cosigning_begin(&cosigning, &trust, &note, NULL) == OK && cosigning_count(&cosigning) == 1 && cosigning.times[0] == TEST_TIME - 5);
        CHECK(buf_equal(&cosigning.note, &plain) && cosigning.gathered == 0);
        CHECK(hear(&cosigning, 200, line.bytes, line.length).word == COSIGNING_GIVEN && cosigning_is_enough(&cosigning) && cosigning.gathered == 1);
}

TEST(cosigning, takes_a_cosignature_of_the_server_that_does_not_fit_for_none)
{
        const struct log_trust trust = trust_of(1);
        OWN(cosigning) struct cosigning cosigning;
        OWN(buf) struct buf note, other, line;
        const struct tree_head head = oracle_head(4);
        make_note(&note);
        test_checkpoint(&other, &head);
        make_line(&line, &other, 1, TEST_TIME);
        buf_add(&note, line.bytes, line.length);
        CHECK(cosigning_begin(&cosigning, &trust, &note, NULL) == OK && cosigning_count(&cosigning) == 0);
}

TEST(cosigning, begins_with_nothing_that_the_log_did_not_sign)
{
        struct log_trust trust = trust_of(2);
        OWN(buf) struct buf note;
        make_note(&note);
        note.bytes[strlen(TEST_ORIGIN) + 1] = '6';
        for (int i = 0; i < 2; i++) {
                OWN(cosigning) struct cosigning cosigning;
                CHECK(cosigning_begin(&cosigning, &trust, &note, NULL) == ERR_UNTRUSTED);
                note.bytes[strlen(TEST_ORIGIN) + 1] = '5';
                trust.log = test_witness(1);
        }
}

TEST(cosigning, asks_as_a_witness_understands_it)
{
        const struct log_trust trust = trust_of(2);
        OWN(cosigning) struct cosigning cosigning;
        OWN(buf) struct buf note, request;
        struct witness_request parsed;
        const struct tree_proof proof = { .count = 1, .hashes = { { { 7 } } } };
        make_note(&note);
        test_cosign(&note, 1, TEST_TIME);
        buf_init(&request, WITNESS_REQUEST_MAX);
        CHECK(cosigning_begin(&cosigning, &trust, &note, NULL) == OK);
        cosigning_ask(&cosigning, 3, &proof, &request);
        CHECK(witness_request_parse(buf_text(&request), request.length, &parsed, NULL) == OK && parsed.old_size == 3 && parsed.proof.count == 1);
        CHECK(parsed.checkpoint.head.size == 5 && parsed.checkpoint.signature_count == 1 && checkpoint_verify(&parsed.checkpoint, &trust.log, NULL) == OK);
}

/* Of each of these nothing is taken, and what was gathered stays. */
TEST(cosigning, takes_nothing_from_a_hostile_answer)
{
        static const struct { int status; const char *body; } cases[] = {
                { 200, "" }, { 200, "\n" }, { 200, "hello\n" }, { 200, "\n\nhello\n" }, { 200, "\xe2\x80\x94 a b\n" }, { 200, "\xe2\x80\x94 a AAAA\n" }, { 200, "log.example.com/fleet\n9\n" }, { 200, "<html>" },
                { 204, "" }, { 302, "" }, { 400, "malformed\n" }, { 403, "who?\n" }, { 404, "" }, { 409, "" }, { 409, "x\n" }, { 409, "3" }, { 409, "03\n" }, { 409, "-3\n" }, { 409, "3\n4\n" }, { 409, "99999999999999999999\n" },
                { 409, "6\n" }, { 422, "a fork\n" }, { 500, "\x1b[2J" }, { 999, "?" }, { 0, "" },
        };
        const struct log_trust trust = trust_of(2);
        OWN(cosigning) struct cosigning cosigning;
        OWN(buf) struct buf note, line;
        make_note(&note);
        make_line(&line, &note, 1, TEST_TIME);
        CHECK(cosigning_begin(&cosigning, &trust, &note, NULL) == OK && hear(&cosigning, 200, line.bytes, line.length).word == COSIGNING_GIVEN);
        const size_t length = cosigning.note.length;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                const struct cosigning_hearing hearing = hear_text(&cosigning, cases[i].status, cases[i].body);
                if (hearing.word != COSIGNING_REFUSED)
                        printf("# %d %s\n", cases[i].status, cases[i].body);
                CHECK(hearing.word == COSIGNING_REFUSED && cosigning.note.length == length && cosigning_count(&cosigning) == 1);
        }
}

TEST(cosigning, takes_no_line_that_is_not_all_of_this_checkpoint)
{
        const struct log_trust trust = trust_of(2);
        OWN(cosigning) struct cosigning cosigning;
        OWN(buf) struct buf note, other, good, bad, both;
        const struct tree_head head = oracle_head(4);
        make_note(&note);
        test_checkpoint(&other, &head);
        make_line(&good, &note, 1, TEST_TIME);
        make_line(&bad, &other, 2, TEST_TIME);
        CHECK(cosigning_begin(&cosigning, &trust, &note, NULL) == OK && hear(&cosigning, 200, bad.bytes, bad.length).word == COSIGNING_REFUSED);
        buf_init(&both, LIMIT_WITNESS_ANSWER_BYTES);
        buf_add(&both, good.bytes, good.length);
        buf_add(&both, bad.bytes, bad.length);
        CHECK(hear(&cosigning, 200, both.bytes, both.length).word == COSIGNING_REFUSED && cosigning.gathered == 0);
        /* A text before the line would make another text of the checkpoint. */
        buf_clear(&both);
        buf_add_text(&both, "more\n\n");
        buf_add(&both, good.bytes, good.length);
        CHECK(hear(&cosigning, 200, both.bytes, both.length).word == COSIGNING_REFUSED && cosigning.gathered == 0);
        for (size_t at = 0; at < good.length; at++) {            /* a flipped bit is refused, or is somebody else's line */
                good.bytes[at] ^= 1;
                CHECK(hear(&cosigning, 200, good.bytes, good.length).word != COSIGNING_GIVEN && cosigning.gathered == 0);
                good.bytes[at] ^= 1;
        }
        CHECK(hear(&cosigning, 200, good.bytes, good.length - 1).word == COSIGNING_REFUSED);
        CHECK(hear(&cosigning, 200, good.bytes, good.length).word == COSIGNING_GIVEN);
}

TEST(cosigning, names_a_stranger_and_keeps_none_of_his)
{
        const struct log_trust trust = trust_of(2);
        OWN(cosigning) struct cosigning cosigning;
        OWN(buf) struct buf note, strange, both, ours;
        make_note(&note);
        make_line(&strange, &note, 9, TEST_TIME);
        make_line(&ours, &note, 2, TEST_TIME);
        CHECK(cosigning_begin(&cosigning, &trust, &note, NULL) == OK);
        const struct cosigning_hearing hearing = hear(&cosigning, 200, strange.bytes, strange.length);
        CHECK(hearing.word == COSIGNING_STRANGER && strcmp(hearing.name, "witness.example.com/w9") == 0 && buf_equal(&cosigning.note, &note));
        buf_init(&both, LIMIT_WITNESS_ANSWER_BYTES);
        buf_add(&both, strange.bytes, strange.length);
        buf_add(&both, ours.bytes, ours.length);
        CHECK(hear(&cosigning, 200, both.bytes, both.length).word == COSIGNING_GIVEN && !strstr(buf_text(&cosigning.note), "w9") && cosigning.gathered == 1);
}

TEST(cosigning, goes_on_from_the_size_that_a_witness_says)
{
        const struct log_trust trust = trust_of(2);
        OWN(cosigning) struct cosigning cosigning;
        OWN(buf) struct buf note;
        make_note(&note);
        CHECK(cosigning_begin(&cosigning, &trust, &note, NULL) == OK);
        for (uint64_t size = 0; size <= 5; size++) {
                char text[8];
                snprintf(text, sizeof(text), "%u\n", (unsigned)size);
                const struct cosigning_hearing hearing = hear_text(&cosigning, 409, text);
                CHECK(hearing.word == COSIGNING_OTHER_SIZE && hearing.last_size == size);
        }
}

TEST(cosigning, survives_a_lack_of_memory)
{
        const struct log_trust trust = trust_of(1);
        OWN(buf) struct buf note, line;
        unsigned failed = 0;
        make_note(&note);
        make_line(&line, &note, 1, TEST_TIME);
        SWEEP_MEMORY {
                OWN(cosigning) struct cosigning cosigning;
                struct cosigning_hearing hearing;
                enum err e = cosigning_begin(&cosigning, &trust, &note, NULL);
                if (!e)
                        e = cosigning_hear(&cosigning, &(struct cosigning_answer){ 200, &line, TEST_TIME + 1000 }, &hearing, NULL);
                CHECK(e == OK ? cosigning_is_enough(&cosigning) : e == ERR_NOMEM);
                failed += e != OK;
        }
        CHECK(failed > 2);
}
