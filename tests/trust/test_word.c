#include "support/test.h"
#include "trust/word.h"

#include <stdio.h>
#include <string.h>

TEST(word, names_are_what_formats_md_says)
{
        char longest[66];
        memset(longest, 'a', 65);
        longest[64] = 0;
        CHECK(word_is_name("a") && word_is_name("9") && word_is_name("edr-rules_1.0+x") && word_is_name(longest));
        longest[64] = 'a';
        longest[65] = 0;
        static const char *const bad[] = { "", ".a", "-a", "+a", "_a", "a b", "a/b", "a\n", "\xc3\xa9", "a:" };
        CHECK(!word_is_name(longest));
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                CHECK(!word_is_name(bad[i]));
}

TEST(word, paths_stay_inside)
{
        static const char *const good[] = { "a", "a/b", "rules/main.yar", "..a", "a..", "...", ".hidden/x", "a@b+c-d_e", "-a" };
        static const char *const bad[] = { "", "/", "/a", "a/", "a//b", ".", "..", "./a", "../a", "a/..", "a/./b", "a/../b", "a\\b", "a b", "a\nb", "a\x01", "caf\xc3\xa9", "a:b", "~/a*" };
        char path[300];
        for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
                CHECK(word_is_path(good[i]));
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                CHECK(!word_is_path(bad[i]));
        snprintf(path, sizeof(path), "%0255d", 0);
        CHECK(word_is_path(path));
        snprintf(path, sizeof(path), "%0256d", 0);
        CHECK(!word_is_path(path));
}

TEST(word, numbers_have_one_spelling)
{
        uint64_t number = 7;
        CHECK(word_number("0", &number) && number == 0 && word_number("9223372036854775807", &number) && number == INT64_MAX);
        static const char *const bad[] = { "", "-1", "+1", "01", "00", " 1", "1 ", "1.0", "0x1", "9223372036854775808", "18446744073709551616", "99999999999999999999" };
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                CHECK(!word_number(bad[i], &number));
        CHECK(number == INT64_MAX);
}

TEST(word, devices_are_32_lower_case_digits)
{
        CHECK(word_is_device("00112233445566778899aabbccddeeff") && !word_is_device("00112233445566778899AABBCCDDEEFF"));
        CHECK(!word_is_device("") && !word_is_device("00112233445566778899aabbccddeef") && !word_is_device("00112233445566778899aabbccddeefff"));
}
