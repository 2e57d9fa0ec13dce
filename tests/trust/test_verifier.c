#include "trust/verifier.h"
#include "trust/keys.h"

/* The second is from tests/interop/log/vectors.py, the first from the text of C2SP signed-note. */
static const char *const known[] = {
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "witness.example.com/w1+745fb5e8+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU",
};

static bool is_name(const char *text)
{
        return verifier_is_name((struct line){ text, strlen(text) });
}

TEST(verifier, has_the_text_of_the_standard)
{
        for (int i = 0; i < 2; i++) {
                struct verifier verifier;
                char text[VERIFIER_TEXT_MAX];
                CHECK(verifier_parse(known[i], &verifier, NULL) == OK && verifier.kind == (i ? VERIFIER_WITNESS : VERIFIER_LOG));
                verifier_text(&verifier, text);
                CHECK(strcmp(text, known[i]) == 0);
        }
}

TEST(verifier, is_refused_when_a_byte_changed)
{
        struct verifier verifier;
        char text[VERIFIER_TEXT_MAX];
        for (size_t i = 0; i < strlen(known[1]); i++) {
                memcpy(text, known[1], strlen(known[1]) + 1);
                text[i] ^= 1;
                CHECK(verifier_parse(text, &verifier, NULL) == ERR_SYNTAX);
                text[i] = 0;
                CHECK(verifier_parse(text, &verifier, NULL) == ERR_SYNTAX);
        }
}

TEST(verifier, of_a_log_is_a_vkey_when_its_name_is_a_word)
{
        struct secret_key key = test_key(1);
        struct verifier verifier;
        struct vkey vkey = test_vkey("a", 1);
        char text[VERIFIER_TEXT_MAX], other[VKEY_TEXT_MAX];
        CHECK(verifier_log("a", &key.public, &verifier, NULL) == OK);
        verifier_text(&verifier, text);
        vkey_text(&vkey, other);
        CHECK(strcmp(text, other) == 0);
}

/* What a log may be called is no name to a release note, an anchor or a lease. */
TEST(verifier, does_not_loosen_what_other_notes_take)
{
        struct vkey vkey;
        struct note note;
        static const char signed_by_a_log[] = "hello\n\n\xe2\x80\x94 log.example.com/fleet "
                "CJQthzNAIYOtpi/eeJbHckjWqDhLMwoilgnwQADjwlO7KxWrJpIT8om+IrYd3k4FJgEuGL5tKqJTA6wapG0v+xhAOQo=\n";
        CHECK(vkey_parse(known[0], &vkey, NULL) == ERR_SYNTAX && vkey_parse(known[1], &vkey, NULL) == ERR_SYNTAX);
        CHECK(note_parse(signed_by_a_log, strlen(signed_by_a_log), &note, NULL) == ERR_SYNTAX);
}

TEST(verifier, has_a_name_without_spaces)
{
        static const char *const bad[] = { "", " ", "a b", "a+b", "a\tb", "a\nb", "a\x7f", "a\xff", "a\xc2\xa0", "\xc2\x85", "a\xe1\x9a\x80x", "\xe2\x80\x80", "\xe2\x80\x8a", "\xe2\x80\xa8",
                                           "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80" };
        static const char *const good[] = { "a", "log.example.com/fleet", "oid/1.2.3", "\xe2\x80\x8b", "gr\xc3\xbc\xc3\x9fy", "a:b?c=d", "-" };
        char longest[LIMIT_ORIGIN_BYTES + 2] = "";
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                CHECK(!is_name(bad[i]));
        for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
                CHECK(is_name(good[i]));
        memset(longest, 'a', LIMIT_ORIGIN_BYTES);
        CHECK(is_name(longest));
        longest[LIMIT_ORIGIN_BYTES] = 'a';
        CHECK(!is_name(longest));
}
