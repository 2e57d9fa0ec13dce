#include "trust/line.h"
#include "support/test.h"

#include <string.h>

static struct line of(const char *text)
{
        return (struct line){ text, strlen(text) };
}

TEST(line, is_taken_when_it_is_ended)
{
        struct line rest = of("one\n\ntwo"), line;
        CHECK(line_next(&rest, &line) && line.length == 3 && memcmp(line.text, "one", 3) == 0);
        CHECK(line_next(&rest, &line) && line.length == 0);
        CHECK(!line_next(&rest, &line) && rest.length == 3);
}

TEST(line, has_one_spelling_of_a_number)
{
        static const char *const bad[] = { "", "00", "01", "+1", "-1", " 1", "1 ", "1a", "9223372036854775808", "18446744073709551616", "00000000000000000001" };
        uint64_t number = 7;
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                CHECK(!line_number(of(bad[i]), &number) && number == 7);
        CHECK(!line_number((struct line){ "1\0002", 3 }, &number));
        CHECK(line_number(of("0"), &number) && number == 0);
        CHECK(line_number(of("9223372036854775807"), &number) && number == INT64_MAX);
}

TEST(line, begins_with_its_word)
{
        struct line value;
        CHECK(line_after(of("old 5"), "old", &value) && value.length == 1 && line_after(of("old "), "old", &value) && value.length == 0);
        CHECK(!line_after(of("old"), "old", &value) && !line_after(of("older 5"), "old", &value) && !line_after(of(" old 5"), "old", &value));
}
