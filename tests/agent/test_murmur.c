#include "agent/murmur.h"

#include "support/test.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct heard { char text[8192]; unsigned lines; };

static void hear(void *user, const char *line)
{
        struct heard *heard = user;
        size_t length = strlen(heard->text);
        snprintf(heard->text + length, sizeof(heard->text) - length, "%s|", line);
        heard->lines++;
}

static void utter(const struct murmur *murmur, const char *text)
{
        CHECK(write(murmur->write_end, text, strlen(text)) == (ssize_t)strlen(text));
}

TEST(murmur, is_passed_on_line_by_line)
{
        struct murmur murmur;
        struct heard heard = { .lines = 0 };
        CHECK(murmur_open(&murmur, NULL) == OK);
        murmur_take(&murmur, 1000, hear, &heard);
        CHECK(!heard.lines);
        utter(&murmur, "one\ntw");
        murmur_take(&murmur, 1000, hear, &heard);
        utter(&murmur, "o\n\nthree\n");
        murmur_take(&murmur, 1000, hear, &heard);
        CHECK(strcmp(heard.text, "one|two|three|") == 0);
        murmur_close(&murmur);
}

TEST(murmur, of_a_long_line_is_cut_and_the_next_one_is_whole)
{
        struct murmur murmur;
        struct heard heard = { .lines = 0 };
        char text[3 * MURMUR_LINE_BYTES];
        memset(text, 'x', sizeof(text) - 1);
        text[sizeof(text) - 1] = '\0';
        CHECK(murmur_open(&murmur, NULL) == OK);
        utter(&murmur, text);
        utter(&murmur, "\nnext\n");
        murmur_take(&murmur, 1000, hear, &heard);
        CHECK(heard.lines == 2 && strlen(heard.text) == MURMUR_LINE_BYTES - 1 + 1 + 5 && strstr(heard.text, "x|next|"));
        murmur_close(&murmur);
}

TEST(murmur, that_floods_is_counted_and_the_count_is_said)
{
        struct murmur murmur;
        struct heard heard = { .lines = 0 };
        CHECK(murmur_open(&murmur, NULL) == OK);
        for (int i = 0; i < 3 * MURMUR_LINES_A_SECOND; i++)
                utter(&murmur, "again\n");
        murmur_take(&murmur, 1000, hear, &heard);
        CHECK(heard.lines == MURMUR_LINES_A_SECOND);
        utter(&murmur, "later\n");
        murmur_take(&murmur, 2000, hear, &heard);
        CHECK(heard.lines == MURMUR_LINES_A_SECOND + 2 && strstr(heard.text, "(40 lines more were left out)|later|"));
        murmur_close(&murmur);
}
