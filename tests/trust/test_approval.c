#include "trust/approval.h"

#include "support/sweep.h"
#include "trust/keys.h"

static const struct approval emergency = { .kind = APPROVAL_EMERGENCY, .release = { 1, 2, 3 } };

/* Of the keys 1, 2 and 3, those that `by` names. */
static struct buf signed_by(const struct approval *approval, const char *by)
{
        struct buf note;
        buf_init(&note, LIMIT_NOTE_BYTES);
        approval_write(approval, &note);
        for (; *by; by++)
                test_sign(&note, "holder", (uint8_t)(*by - '0'));
        return note;
}

static enum err verify(const struct buf *note, const struct approval *approval)
{
        struct vkey keys[] = { test_vkey("holder", 1), test_vkey("holder", 2), test_vkey("holder", 3) };
        return approval_verify(note, approval, &(struct note_keys){ keys, 3, 2 }, NULL);
}

TEST(approval, is_one_text)
{
        OWN(buf) struct buf text;
        struct approval again = { .kind = APPROVAL_CUSTOMER };
        buf_init(&text, APPROVAL_TEXT_MAX);
        approval_write(&emergency, &text);
        CHECK(strcmp(buf_text(&text), "firebreak approval v1\nkind emergency\nrelease 0102030000000000000000000000000000000000000000000000000000000000\n") == 0);
        CHECK(approval_parse(text.bytes, text.length, &again, NULL) == OK && memcmp(&again, &emergency, sizeof(again)) == 0);
}

TEST(approval, takes_the_threshold)
{
        static const struct { const char *by; enum err e; } cases[] = { { "12", OK }, { "321", OK }, { "1", ERR_UNTRUSTED }, { "11", ERR_UNTRUSTED }, { "14", ERR_UNTRUSTED } };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                OWN(buf) struct buf note = signed_by(&emergency, cases[i].by);
                CHECK(verify(&note, &emergency) == cases[i].e);
        }
}

/* A customer's says whose it is, so that anybody can see that it is his. */
TEST(approval, of_a_customer_is_by_his_own_key)
{
        struct approval ours = { .kind = APPROVAL_CUSTOMER, .release = { 1, 2, 3 }, .by = test_vkey("bank", 5) }, again;
        OWN(buf) struct buf note;
        buf_init(&note, LIMIT_NOTE_BYTES);
        approval_write(&ours, &note);
        CHECK(approval_parse(note.bytes, note.length, &again, NULL) == OK && note.length < APPROVAL_TEXT_MAX);
        CHECK(again.kind == APPROVAL_CUSTOMER && memcmp(again.release, ours.release, sizeof(ours.release)) == 0 && strcmp(again.by.name, "bank") == 0 && key_equal(&again.by.key, &ours.by.key));
        test_sign(&note, "bank", 5);
        const struct vkey bank = test_vkey("bank", 5), other = test_vkey("bank", 6), named = test_vkey("shop", 5);
        CHECK(approval_verify(&note, &ours, &(struct note_keys){ &bank, 1, 1 }, NULL) == OK);
        CHECK(approval_verify(&note, &ours, &(struct note_keys){ &other, 1, 1 }, NULL) == ERR_UNTRUSTED && approval_verify(&note, &ours, &(struct note_keys){ &named, 1, 1 }, NULL) == ERR_UNTRUSTED);
        ours.by = other;
        CHECK(approval_verify(&note, &ours, &(struct note_keys){ &bank, 1, 1 }, NULL) == ERR_UNTRUSTED);
}

TEST(approval, is_of_one_release_and_of_one_kind)
{
        OWN(buf) struct buf note = signed_by(&emergency, "12");
        struct approval other = emergency;
        other.kind = APPROVAL_CUSTOMER;
        CHECK(verify(&note, &other) == ERR_UNTRUSTED);
        other = emergency;
        other.release[31] ^= 1;
        CHECK(verify(&note, &other) == ERR_UNTRUSTED);
}

TEST(approval, is_read_strictly)
{
        static const char *const bad[] = { "", "firebreak approval v2\n", "firebreak approval v1\nkind faster\nrelease 00\n", "firebreak approval v1\nkind emergency\nrelease 00\n",
                                           "firebreak approval v1\nkind emergency\n",
                                           "firebreak approval v1\nkind emergency\nrelease 0102030000000000000000000000000000000000000000000000000000000000\nmore 1\n" };
        struct approval approval;
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                CHECK(approval_parse(bad[i], strlen(bad[i]), &approval, NULL) == ERR_SYNTAX);
        char huge[APPROVAL_TEXT_MAX + 1] = "";
        CHECK(approval_parse(huge, sizeof(huge), &approval, NULL) == ERR_LIMIT);
        OWN(buf) struct buf note = signed_by(&emergency, "12");
        for (size_t i = 0; i < note.length; i++) {
                note.bytes[i] ^= 1;
                CHECK(verify(&note, &emergency) != OK);
                note.bytes[i] ^= 1;
        }
        CHECK(verify(&note, &emergency) == OK);
}
