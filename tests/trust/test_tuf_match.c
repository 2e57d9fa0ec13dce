#include "support/test.h"
#include "trust/tuf_match.h"

#include <string.h>

struct match { const char *pattern, *path; bool matches; };

static void check_all(const struct match *cases, size_t count)
{
        for (size_t i = 0; i < count; i++)
                if (tuf_match_pattern(cases[i].pattern, cases[i].path) != cases[i].matches) {
                        char claim[200];
                        snprintf(claim, sizeof(claim), "`%s` %s `%s`", cases[i].pattern, cases[i].matches ? "matches" : "does not match", cases[i].path);
                        test_fail(__FILE__, __LINE__, claim);
                }
}
#define CHECK_ALL(cases) check_all((cases), sizeof(cases) / sizeof((cases)[0]))

TEST(tuf_match, takes_all_that_is_no_wildcard_for_itself)
{
        static const struct match cases[] = {
                { "", "", true }, { "", "a", false }, { "a", "", false }, { "a", "a", true }, { "a", "A", false }, { "A", "a", false },
                { "a", "ab", false }, { "ab", "a", false }, { "a/b", "a/b", true }, { "/a", "a", false }, { "a", "/a", false }, { "a/", "a", false },
                { "a.b", "axb", false }, { "{a,b}", "a", false }, { "\\*", "*", false }, { "\\a", "\\a", true }, { "a]", "a]", true }, { "a-b", "a-b", true },
        };
        CHECK_ALL(cases);
}

TEST(tuf_match, star_is_any_run_within_one_folder)
{
        static const struct match cases[] = {
                { "*", "", true }, { "*", "a", true }, { "*", ".a", true }, { "*", "a/b", false }, { "*", "/", false }, { "**", "a/b", false }, { "**", "", true },
                { "*/*", "a/b", true }, { "*/*", "/", true }, { "*/*", "a", false }, { "*/*", "a/b/c", false }, { "*/b", "a/a/b", false }, { "a*", "a/", false },
                { "*.txt", "a.txt", true }, { "*.txt", "a.txt.txt", true }, { "*.txt", "a.txt2", false }, { "*.txt", "a/b.txt", false },
                { "a*b*c", "abc", true }, { "a*b*c", "axbybzc", true }, { "a*b*c", "axcyb", false }, { "*a*", "bab", true }, { "*a*", "bbb", false },
                { "a*b*/c*d", "axbyb/cdd", true }, { "a*b*/c*d", "ab/cde", false }, { "*ab", "aab", true }, { "a*", "A", false },
        };
        CHECK_ALL(cases);
}

TEST(tuf_match, question_mark_is_any_one_byte_but_a_slash)
{
        static const struct match cases[] = {
                { "?", "a", true }, { "?", "", false }, { "?", "ab", false }, { "?", "/", false }, { "a?b", "a/b", false }, { "a?b", "axb", true },
                { "*?", "a", true }, { "*?", "", false }, { "?*?", "a", false }, { "?*?", "ab", true }, { "??", "\xc3\xa4", true }, { "?", "\xc3\xa4", false },
        };
        CHECK_ALL(cases);
}

TEST(tuf_match, set_is_one_byte_of_those_it_names)
{
        static const struct match cases[] = {
                { "[abc]", "a", true }, { "[abc]", "c", true }, { "[abc]", "d", false }, { "[abc]", "", false }, { "[abc]", "ab", false }, { "[abc]", "A", false },
                { "[a-z]", "a", true }, { "[a-z]", "z", true }, { "[a-z]", "m", true }, { "[a-z]", "{", false }, { "[a-z]", "`", false }, { "[a-z]", "-", false },
                { "[!a-z]", "m", false }, { "[!a-z]", "M", true }, { "[!a-z]", "!", true }, { "[a!]", "!", true }, { "[^a]", "^", true }, { "[^a]", "b", false },
                { "[a-cx-z]", "y", true }, { "[a-cx-z]", "d", false }, { "[z-a]", "m", false }, { "[!z-a]", "m", true },
                { "[a-]", "-", true }, { "[a-]", "b", false }, { "[-a]", "-", true }, { "[*]", "*", true }, { "[*]", "a", false }, { "[?]", "a", false },
                { "*[0-9]", "a12", true }, { "[0-9]*", "1a", true }, { "[0-9][0-9]", "12", true }, { "[0-9][0-9]", "1", false },
        };
        CHECK_ALL(cases);
}

TEST(tuf_match, bracket_that_comes_first_is_in_the_set)
{
        static const struct match cases[] = {
                { "[]]", "]", true }, { "[]]", "a", false }, { "[]a]", "a", true }, { "[!]]", "]", false }, { "[!]]", "a", true }, { "[]-a]", "_", true },
                { "[[]", "[", true }, { "[[]", "]", false },
        };
        CHECK_ALL(cases);
}

TEST(tuf_match, set_that_is_not_closed_is_a_bracket)
{
        static const struct match cases[] = {
                { "[", "[", true }, { "[", "a", false }, { "[abc", "[abc", true }, { "[abc", "a", false }, { "[]", "[]", true }, { "[]", "]", false },
                { "[!]", "[!]", true }, { "[!]", "a", false }, { "[!", "[!", true }, { "[*", "[x", true }, { "[a-", "[a-", true },
        };
        CHECK_ALL(cases);
}

TEST(tuf_match, set_never_spans_or_matches_a_slash)
{
        static const struct match cases[] = {
                { "[a/b]", "a", false }, { "[a/b]", "/", false }, { "[a/b]", "[a/b]", true }, { "[!a]", "/", false }, { "[.-0]", "/", false }, { "[.-0]", ".", true },
                { "a[!b]c", "a/c", false }, { "[/]", "/", false },
        };
        CHECK_ALL(cases);
}

TEST(tuf_match, compares_bytes_and_not_characters)
{
        static const struct match cases[] = {
                { "\xc3\xa4", "\xc3\xa4", true }, { "[\x80-\xff]", "\xc3", true }, { "[\x80-\xff]", "a", false }, { "[a-\xff]", "\xe4", true }, { "[!a]", "\xff", true },
                { "[\xa0-\xb0]", "\xa4", true }, { "[\xa0-\xb0]", "\xc4", false }, { "*\xa4", "\xc3\xa4", true }, { "\xff*", "\xff\xfe", true },
        };
        CHECK_ALL(cases);
}

/* A matcher that tries each star again would not end before the universe does. */
TEST(tuf_match, ends_soon_whatever_the_pattern)
{
        char pattern[401] = "", path[4002];
        for (size_t at = 0; at + 9 < sizeof(pattern); at += 9)
                memcpy(pattern + at, "*a*a*a*a*", 10);
        memset(path, 'a', 4000);
        memcpy(path + 4000, "", 1);
        CHECK(tuf_match_pattern(pattern, path));
        memcpy(pattern + strlen(pattern), "b", 2);
        CHECK(!tuf_match_pattern(pattern, path));
        memcpy(path + 4000, "b", 2);
        CHECK(tuf_match_pattern(pattern, path));
}

TEST(tuf_match, prefix_is_how_the_sha_256_of_the_path_begins)
{
        static const char abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        static const struct { const char *prefix, *path; bool matches; } cases[] = {
                { "", "abc", true }, { "", "", true }, { "b", "abc", true }, { "ba78", "abc", true }, { "a", "abc", false }, { "ba79", "abc", false },
                { "a7816", "abc", false },
                { "BA78", "abc", false }, { abc, "abc", true }, { abc, "abd", false }, { "e3b0c442", "", true }, { "ba7816*", "abc", false },
                { "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad0", "abc", false },
                { "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ae", "abc", false },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
                CHECK(tuf_match_prefix(cases[i].prefix, cases[i].path) == cases[i].matches);
}
