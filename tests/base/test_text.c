#include "base/text.h"

#include "support/test.h"

#include <string.h>

TEST(text_is_utf8, follows_the_unicode_standard)
{
        static const char *const good[] = { "", "a", "\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80", "\xEF\xBF\xBF",
                                            "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF", "a\xC3\xA9z" };
        static const char *const bad[] = { "\x80", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2z", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xED\xBF\xBF", "\xE2\x82",
                                           "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFE", "\xFF", "a\xC3" };
        for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
                CHECK(text_is_utf8(good[i], strlen(good[i])));
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                CHECK(!text_is_utf8(bad[i], strlen(bad[i])));
        CHECK(!text_is_utf8("a\0b", 3));
}

static bool quotes(const char *text, const char *expected)
{
        OWN(buf) struct buf buf;
        buf_init(&buf, 200);
        text_quote(text, &buf);
        return strcmp(buf_text(&buf), expected) == 0;
}

TEST(text_is_same_name, looks_past_case_and_spaces)
{
        CHECK(text_is_same_name("ann", " ANN\t") && text_is_same_name("", "  ") && text_is_same_name("a b", "A B"));
        CHECK(!text_is_same_name("ann", "anna") && !text_is_same_name("an n", "ann") && !text_is_same_name("", "a"));
}

TEST(text_quote, always_gives_a_json_string)
{
        CHECK(quotes("", "\"\"") && quotes("plain /text", "\"plain /text\""));
        CHECK(quotes("a\"b\\c\n\t\r\b\f\x01\x1F\x7F", "\"a\\\"b\\\\c\\n\\t\\r\\b\\f\\u0001\\u001f\x7F\""));
        CHECK(quotes("\xC3\xA9\xF0\x9F\x98\x80", "\"\xC3\xA9\xF0\x9F\x98\x80\""));
        CHECK(quotes("a\xFF\xC3", "\"a\xEF\xBF\xBD\xEF\xBF\xBD\""));
}

TEST(text_add_utf8, replaces_what_is_none)
{
        OWN(buf) struct buf buf;
        buf_init(&buf, 200);
        text_add_utf8("a\xC3\xA9\xFFz\xC3", &buf);
        CHECK(strcmp(buf_text(&buf), "a\xC3\xA9\xEF\xBF\xBDz\xEF\xBF\xBD") == 0);
}

TEST(text_has, looks_through_all_bytes_and_no_further)
{
        CHECK(text_has("abcabd", 6, "abd") && text_has("abc", 3, "abc") && text_has("a\0bc", 4, "bc") && text_has("x", 1, "") && text_has("", 0, ""));
        CHECK(!text_has("abcabd", 5, "abd") && !text_has("ab", 2, "abc") && !text_has("", 0, "a"));
}
