#include "cli/print.h"

#include "format/json.h"
#include "support/sweep.h"
#include "support/test.h"

#include <string.h>

static const struct column columns[] = { { "NAME", "name", NULL }, { "HURT", "n.hurt", NULL }, { "SEEN", "seen", print_ago }, { "WHY", "why", NULL } };
static const char rows[] = "[{\"name\":\"a\",\"n\":{\"hurt\":12345},\"seen\":940,\"why\":\"x\"},{\"name\":\"gr\u00fcn\",\"n\":{\"hurt\":1},\"seen\":null,\"why\":\"\"}]";

static enum err print_rows(const char *text, struct buf *into)
{
        OWN(json) struct json *list = NULL;
        enum err e = json_parse(text, strlen(text), 65536, &list, NULL);
        struct table table = { .columns = columns, .column_count = 4, .now = 1000 };
        return e ? e : print_table(&table, list, into, NULL);
}

TEST(table, aligns_words_left_and_numbers_right)
{
        OWN(buf) struct buf text;
        buf_init(&text, 4096);
        CHECK(print_rows(rows, &text) == OK);
        CHECK(strcmp(buf_text(&text), "NAME   HURT      SEEN  WHY\n"
                                      "a     12345  60 s ago  x\n"
                                      "gr\u00fcn      1         -  -\n") == 0);
}

static const char *shown(print_cell *as, const char *json, struct buf *into)
{
        OWN(json) struct json *value = NULL;
        CHECK(json_parse(json, strlen(json), 4096, &value, NULL) == OK);
        buf_clear(into);
        as(into, value, 100);
        return buf_text(into);
}

static void as_value(struct buf *into, const struct json *value, int64_t now)
{
        (void)now;
        print_value(into, value);
}

TEST(cell, is_shown_as_what_it_is_and_never_empty)
{
        OWN(buf) struct buf text;
        buf_init(&text, 4096);
        CHECK(strcmp(shown(print_ago, "90", &text), "10 s ago") == 0 && strcmp(shown(print_ago, "null", &text), "-") == 0);
        CHECK(strcmp(shown(print_seconds, "600", &text), "10 min") == 0 && strcmp(shown(print_seconds, "null", &text), "-") == 0);
        CHECK(strcmp(shown(print_streams, "{\"a\":{\"running\":2,\"proven\":7},\"b\":{\"running\":0}}", &text), "a: runs 2, b: runs none") == 0);
        CHECK(strcmp(shown(print_streams, "{}", &text), "-") == 0 && strcmp(shown(as_value, "{}", &text), "-") == 0);
        CHECK(strcmp(shown(as_value, "[]", &text), "-") == 0 && strcmp(shown(as_value, "[1,2]", &text), "1,2") == 0);
}

TEST(table, says_that_it_is_empty)
{
        OWN(buf) struct buf text;
        buf_init(&text, 4096);
        CHECK(print_rows("[]", &text) == OK && strcmp(buf_text(&text), "none\n") == 0);
}

TEST(table, survives_every_allocation_failure)
{
        SWEEP_MEMORY {
                OWN(buf) struct buf text;
                buf_init(&text, 4096);
                enum err e = print_rows(rows, &text);
                CHECK(e == OK || e == ERR_NOMEM);
        }
}

static const char *span(int64_t seconds, struct buf *into)
{
        buf_clear(into);
        print_span(into, seconds);
        return buf_text(into);
}

TEST(span, is_told_in_the_unit_that_people_use)
{
        OWN(buf) struct buf text;
        buf_init(&text, 100);
        CHECK(strcmp(span(-5, &text), "0 s") == 0 && strcmp(span(119, &text), "119 s") == 0);
        CHECK(strcmp(span(120, &text), "2 min") == 0 && strcmp(span(12000, &text), "3 h 20 min") == 0);
        CHECK(strcmp(span(86400 * 5, &text), "5 d") == 0);
}

TEST(bytes, are_told_with_one_decimal)
{
        OWN(buf) struct buf text;
        buf_init(&text, 100);
        print_bytes(&text, 999);
        buf_add_text(&text, ", ");
        print_bytes(&text, 1234567);
        CHECK(strcmp(buf_text(&text), "999 bytes, 1.2 MB") == 0);
}

TEST(clean, replaces_what_commands_a_terminal_and_keeps_letters)
{
        OWN(buf) struct buf text;
        buf_init(&text, 100);
        print_clean(&text, "a\x1b" "[2J\n\x7f" "\u00fc\xc2\x9b""\u65e5");
        CHECK(strcmp(buf_text(&text), "a?[2J??\u00fc?\u65e5") == 0);
}

TEST(clean, replaces_what_turns_the_direction_of_writing_and_nothing_beside_it)
{
        static const struct { const char *text, *clean; } cases[] = {
                { "a\u202eb", "a?b" }, { "\u202a\u202d", "??" }, { "\u2066x\u2069", "?x?" }, { "\u200e\u200f", "??" }, { "\u061c", "?" },
                { "\u2029\u202f", "\u2029\u202f" }, { "\u2065\u206a", "\u2065\u206a" }, { "\u200d\u2010", "\u200d\u2010" }, { "\u05d0\u0627", "\u05d0\u0627" },
                { "\xe2\x80", "\xe2\x80" }, { "\xe2", "\xe2" }, { "\xc2", "\xc2" }, { "", "" },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                OWN(buf) struct buf text;
                buf_init(&text, 100);
                print_clean(&text, cases[i].text);
                CHECK(strcmp(buf_text(&text), cases[i].clean) == 0);
        }
}

static const char *wrapped(const char *text, unsigned width, struct buf *into)
{
        buf_clear(into);
        print_wrapped(into, text, width, 2);
        return buf_text(into);
}

TEST(wrapped, breaks_between_words_and_within_one_that_is_too_long)
{
        OWN(buf) struct buf text;
        buf_init(&text, 1000);
        CHECK(strcmp(wrapped("", 6, &text), "\n") == 0 && strcmp(wrapped("abc de", 6, &text), "abc de\n") == 0);
        CHECK(strcmp(wrapped("abc def", 6, &text), "abc\n  def\n") == 0 && strcmp(wrapped("abcdef gh", 6, &text), "abcdef\n  gh\n") == 0);
        CHECK(strcmp(wrapped("abcdefghijkl", 6, &text), "abcdef\n  ghij\n  kl\n") == 0);
        CHECK(strcmp(wrapped("gr\u00fcn gr\u00fcn", 6, &text), "gr\u00fcn\n  gr\u00fcn\n") == 0 && strcmp(wrapped("ab", 1, &text), "a\nb\n") == 0);
}

TEST(print, says_when_the_output_cannot_be_written)
{
        FILE *full = fopen("/dev/full", "w");
        CHECK(full);
        struct cli cli = { .out = full };
        OWN(buf) struct buf text;
        buf_init(&text, 100);
        buf_add_text(&text, "facts\n");
        struct why why;
        CHECK(print_buf(&cli, &text, &why) == ERR_IO && strstr(why.text, "disk full"));
        fclose(full);
}
