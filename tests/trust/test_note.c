#include "base/limits.h"
#include "support/sweep.h"
#include "trust/keys.h"

static enum err verify(const struct buf *bytes, const struct vkey *keys, size_t count, size_t threshold)
{
        struct note note;
        enum err e = note_parse(buf_text(bytes), bytes->length, &note, NULL);
        struct note_keys of = { keys, count, threshold };
        return e ? e : note_verify(&note, &of, NULL);
}

static void begin(struct buf *note, const char *text)
{
        buf_init(note, 2 * LIMIT_NOTE_BYTES);
        buf_add_text(note, text);
}

TEST(note, is_trusted_when_the_threshold_signed)
{
        OWN(buf) struct buf note;
        struct vkey keys[] = { test_vkey("a", 1), test_vkey("b", 2), test_vkey("c", 3) };
        begin(&note, "hello\nworld\n");
        test_sign(&note, "a", 1);
        CHECK(verify(&note, keys, 3, 1) == OK && verify(&note, keys, 3, 2) == ERR_UNTRUSTED);
        test_sign(&note, "stranger", 9);
        CHECK(verify(&note, keys, 3, 2) == ERR_UNTRUSTED);
        test_sign(&note, "c", 3);
        CHECK(verify(&note, keys, 3, 2) == OK && verify(&note, keys, 3, 3) == ERR_UNTRUSTED && verify(&note, keys, 2, 2) == ERR_UNTRUSTED);
}

TEST(note, counts_a_key_once_under_whatever_names)
{
        OWN(buf) struct buf note;
        struct vkey keys[] = { test_vkey("a", 1), test_vkey("b", 1), test_vkey("a", 1) };
        begin(&note, "hello\n");
        test_sign(&note, "a", 1);
        test_sign(&note, "a", 1);
        test_sign(&note, "b", 1);
        CHECK(verify(&note, keys, 3, 1) == OK && verify(&note, keys, 3, 2) == ERR_UNTRUSTED);
}

TEST(note, means_nothing_without_threshold)
{
        OWN(buf) struct buf note;
        struct vkey keys[] = { test_vkey("a", 1) };
        begin(&note, "hello\n");
        test_sign(&note, "a", 1);
        CHECK(verify(&note, keys, 1, 0) == ERR_UNTRUSTED && verify(&note, keys, 0, 1) == ERR_UNTRUSTED);
        CHECK(verify(&note, keys, LIMIT_KEYS + 1, 1) == ERR_UNTRUSTED);
}

TEST(note, is_refused_when_a_byte_changed)
{
        OWN(buf) struct buf note;
        struct vkey keys[] = { test_vkey("a", 1) };
        begin(&note, "hello\nworld\n");
        test_sign(&note, "a", 1);
        for (size_t i = 0; i < note.length; i++) {
                note.bytes[i] ^= 4;
                CHECK(verify(&note, keys, 1, 1) != OK);
                note.bytes[i] ^= 4;
        }
        CHECK(verify(&note, keys, 1, 1) == OK);
}

TEST(note, is_refused_when_it_is_cut)
{
        OWN(buf) struct buf note;
        struct vkey keys[] = { test_vkey("a", 1) };
        begin(&note, "hello\nworld\n");
        test_sign(&note, "a", 1);
        for (size_t length = 0; length < note.length; length++) {
                struct buf cut = { .bytes = note.bytes, .length = length };
                CHECK(verify(&cut, keys, 1, 1) == ERR_SYNTAX);
        }
}

/* A stored note, so that the form cannot change unnoticed. */
TEST(note, has_always_this_form)
{
        OWN(buf) struct buf note;
        begin(&note, "firebreak test v1\n");
        test_sign(&note, "a", 1);
        CHECK(strcmp(note.bytes, "firebreak test v1\n\n\xe2\x80\x94 a "
              "CJQthzNAIYOtpi/eeJbHckjWqDhLMwoilgnwQADjwlO7KxWrJpIT8om+IrYd3k4FJgEuGL5tKqJTA6wapG0v+xhAOQo=" "\n") == 0);
}

TEST(note, refuses_text_that_is_none)
{
        static const char *const bad[] = { "", "hello", "\nhello\n", "a\tb\n", "a\x7f\n", "a\xff\n", "a\xc0\x80\n", "\xed\xa0\x80\n" };
        struct secret_key key = test_key(1);
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                OWN(buf) struct buf note;
                begin(&note, bad[i]);
                CHECK(note_sign(&note, "a", &key, NULL) != OK);
        }
        OWN(buf) struct buf nul;
        begin(&nul, "a");
        buf_add(&nul, "\0\n", 2);
        CHECK(note_sign(&nul, "a", &key, NULL) == ERR_SYNTAX && note_sign(&nul, "a b", &key, NULL) == ERR_SYNTAX);
}

TEST(note, refuses_signature_lines_that_are_none)
{
        static const char *const bad[] = { "x\n\n", "x\n\n\n", "x\n\nfoo\n", "x\n\n\xe2\x80\x94 a\n", "x\n\n\xe2\x80\x94 a AAAA\n", "x\n\n\xe2\x80\x94 a !\n", "x\n\n- a AAAA\n" };
        struct note note;
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                CHECK(note_parse(bad[i], strlen(bad[i]), &note, NULL) == ERR_SYNTAX);
}

TEST(note, has_a_ceiling_of_signatures_and_bytes)
{
        OWN(buf) struct buf note, large;
        struct note parsed;
        begin(&note, "hello\n");
        for (int i = 0; i < LIMIT_SIGNATURES; i++)
                test_sign(&note, "a", 1);
        CHECK(note_parse(note.bytes, note.length, &parsed, NULL) == OK && parsed.signature_count == LIMIT_SIGNATURES);
        test_sign(&note, "a", 1);
        CHECK(note_parse(note.bytes, note.length, &parsed, NULL) == ERR_LIMIT);
        begin(&large, "");
        for (int i = 0; i <= LIMIT_NOTE_BYTES / 16; i++)
                buf_add_text(&large, "0123456789abcde\n");
        struct secret_key key = test_key(1);
        CHECK(note_sign(&large, "a", &key, NULL) == ERR_LIMIT);
}

TEST(note, survives_running_out_of_memory)
{
        SWEEP_MEMORY {
                OWN(buf) struct buf note;
                struct secret_key key = test_key(1);
                begin(&note, "hello\n");
                enum err e = buf_check(&note, NULL);
                if (!e)
                        e = note_sign(&note, "a", &key, NULL);
                CHECK(e == ERR_NOMEM || verify(&note, (struct vkey[]){ test_vkey("a", 1) }, 1, 1) == OK);
        }
}
