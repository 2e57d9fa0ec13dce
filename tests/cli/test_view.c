#include "cli/view.h"

#include "format/json.h"
#include "support/sweep.h"
#include "support/test.h"

#include <string.h>

static const char holding[] =
        "{\"stream\":\"edr-rules\",\"counter\":4,\"state\":\"holding\",\"reason\":\"budget\",\"verdict\":\"GO\","
        "\"sentence\":\"5 of 5 devices of the budget are hurt.\",\"budget\":5,\"attributed\":5,\"to_stop\":3,\"fleet\":60,\"eligible\":60,\"exposed\":8,\"unanswered\":0,"
        "\"proven\":3,\"harmed\":4,\"dark\":1,\"declined\":0,\"preflight_failed\":0,\"hurt\":5,\"recovered\":4,\"control\":12,\"control_harmed\":0,"
        "\"window\":0,\"limit\":8,\"evidence\":123,\"evidence_needed\":10000,\"started\":1000,\"stopped\":1012,\"stopped_by\":\"budget\",\"stop_s\":12,"
        "\"strata\":[{\"name\":\"os_version=11\",\"exposed\":5,\"harmed\":5,\"control\":4,\"window\":0},"
        "{\"name\":\"locale=de_DE\",\"exposed\":3,\"harmed\":1,\"control\":4,\"window\":2}],\"unseen\":[\"locale=ja_JP\"]}";

static const char holding_screen[] =
        "edr-rules/4  holding (budget)  started 65 s ago\n"
        "5 of 5 devices of the budget are hurt.\n"
        "\n"
        "fleet     [!!!##...................................] 3 of 60\n"
        "budget    [!!!!!!!!!!!!!!!!!!!!] 5 of 5, 3 towards the stop\n"
        "hurt      5: harmed 4, dark 1; recovered 4\n"
        "exposed   8, unanswered 0; window 0, limit 8; declined 0, preflight failed 0\n"
        "control   12, of them harmed 0\n"
        "evidence  123 to 1 that it harms, halts at 10000 to 1; verdict GO\n"
        "stopped   by budget after 12 s\n"
        "unseen    locale=ja_JP\n"
        "\n"
        "STRATUM                       EXPOSED   HARMED  CONTROL   WINDOW\n"
        "os_version=11                       5        5        4        0\n"
        "locale=de_DE                        3        1        4        2\n";

static const struct view plain = { .columns = 80, .rows = 24, .now = 1065 };

static void render(const struct view *view, const char *text, struct buf *into)
{
        OWN(json) struct json *rollout = NULL;
        CHECK(json_parse(text, strlen(text), 65536, &rollout, NULL) == OK);
        view_rollout(view, rollout, into);
}

TEST(view, shows_a_held_rollout_as_stored)
{
        OWN(buf) struct buf screen;
        buf_init(&screen, 65536);
        render(&plain, holding, &screen);
        CHECK(strcmp(buf_text(&screen), holding_screen) == 0);
}

TEST(view, colours_only_when_asked)
{
        OWN(buf) struct buf screen;
        buf_init(&screen, 65536);
        render(&plain, holding, &screen);
        CHECK(!strchr(buf_text(&screen), 0x1b));
        struct view coloured = plain;
        coloured.is_colour = true;
        buf_clear(&screen);
        render(&coloured, holding, &screen);
        CHECK(strstr(buf_text(&screen), "\x1b[33mholding\x1b[0m") && strstr(buf_text(&screen), "\x1b[31m!!!!"));
}

static const char large[] = "{\"stream\":\"edr-rules\",\"counter\":77,\"state\":\"exposing\",\"reason\":\"\",\"sentence\":\"345 hurt among 21009 exposed.\",\"budget\":300,\"attributed\":122,"
                            "\"to_stop\":61,\"nearest\":\"os_version=11.22621.3880\",\"fleet\":20000,\"eligible\":19600,\"exposed\":21009,\"proven\":19000,\"hurt\":345,\"harmed\":333,\"dark\":12,"
                            "\"evidence\":1234567,\"evidence_needed\":10000000,\"started\":1000,\"strata\":[{\"name\":\"os_version=11.22621.3880\",\"exposed\":1234567,\"harmed\":7654321,"
                            "\"control\":2345678,\"window\":8765432}]}";

/* Held out are 400, it began 65 s ago, and who is not told of is none. */
static const char large_numbers[] = "345 21009 77 300 122 61 11 22621 3880 20000 19600 19000 333 12 1234567 10000000 7654321 2345678 8765432 400 65 0 1";

/* Not as a part of another number. */
static bool has_number(const char *document, const char *digits, size_t count)
{
        for (const char *at = document; *at;) {
                size_t length = strspn(at, "0123456789");
                if (length == count && strncmp(at, digits, count) == 0)
                        return true;
                at += length ? length : 1;
        }
        return false;
}

/* A name that was cut ends in `~`. */
static bool has_only_numbers_of(const char *screen, const char *document)
{
        for (const char *at = screen; *at;) {
                size_t length = strspn(at, "0123456789");
                if (length && at[length] != '~' && !has_number(document, at, length)) {
                        printf("# %.*s is nowhere\n", (int)length, at);
                        return false;
                }
                at += length ? length : 1;
        }
        return true;
}

TEST(view, fits_a_narrow_terminal_and_cuts_no_number)
{
        for (unsigned columns = 40; columns <= 120; columns++) {
                OWN(buf) struct buf screen;
                buf_init(&screen, 65536);
                struct view narrow = plain;
                narrow.columns = columns;
                render(&narrow, large, &screen);
                CHECK(has_only_numbers_of(buf_text(&screen), large_numbers));
                for (const char *at = buf_text(&screen); *at; at += strcspn(at, "\n") + 1)
                        CHECK(strcspn(at, "\n") <= columns);
        }
}

TEST(view, breaks_a_long_sentence_between_words)
{
        OWN(buf) struct buf screen;
        buf_init(&screen, 65536);
        render(&plain, "{\"sentence\":\"The harm budget of 5 is spent: 5 hurt among 5 exposed. Withdraw it, or override with two people and a reason.\"}", &screen);
        CHECK(strstr(buf_text(&screen), "\nThe harm budget of 5 is spent: 5 hurt among 5 exposed. Withdraw it, or override\nwith two people and a reason.\n\n"));
}

TEST(view, breaks_the_list_of_unseen_strata_between_names)
{
        OWN(buf) struct buf screen;
        buf_init(&screen, 65536);
        render(&plain, "{\"unseen\":[\"os_version=11\",\"locale=de_DE\",\"locale=ja_JP\",\"group=headquarters\",\"arch=arm64\"]}", &screen);
        CHECK(strstr(buf_text(&screen), "\nunseen    os_version=11, locale=de_DE, locale=ja_JP, group=headquarters,\n          arch=arm64\n"));
}

#define THREE(state, counts) "{\"state\":\"" state "\",\"fleet\":3,\"eligible\":2," counts "}"

TEST(view, says_when_nobody_is_left_to_expose)
{
        static const struct {
                const char *text;
                bool is_said;
        } cases[] = {
                { THREE("exposing", "\"exposed\":2,\"proven\":1,\"hurt\":1,\"unanswered\":0"), true },
                { THREE("exposing", "\"exposed\":2,\"proven\":0,\"hurt\":1,\"unanswered\":1"), false },
                { THREE("exposing", "\"exposed\":1,\"proven\":1,\"hurt\":0,\"unanswered\":0"), false },
                { THREE("complete", "\"exposed\":2,\"proven\":1,\"hurt\":1,\"unanswered\":0"), false },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                OWN(buf) struct buf screen;
                buf_init(&screen, 65536);
                render(&plain, cases[i].text, &screen);
                CHECK(strstr(buf_text(&screen), " of 2, held out 1\n"));
                bool is_said = strstr(buf_text(&screen), "\nleft      nobody is left to expose: 1 held out, 1 proven, 1 hurt; withdraw it,\n          or start a newer release\n");
                CHECK(is_said == cases[i].is_said);
        }
}

TEST(view, counts_those_whose_owners_hold_it_by_reason)
{
        OWN(buf) struct buf screen, none;
        buf_init(&screen, 65536);
        buf_init(&none, 65536);
        render(&plain, "{\"state\":\"exposing\",\"fleet\":10,\"eligible\":10,\"held\":{\"freeze\":2,\"window\":1}}", &screen);
        CHECK(strstr(buf_text(&screen), "held      2 freeze, 1 window; by their owners"));
        render(&plain, "{\"state\":\"exposing\",\"fleet\":10,\"eligible\":10,\"held\":{}}", &none);
        CHECK(!strstr(buf_text(&none), "by their owners"));
}

TEST(view, says_who_was_silent_after_a_goodbye)
{
        OWN(buf) struct buf screen, none;
        buf_init(&screen, 65536);
        buf_init(&none, 65536);
        render(&plain, "{\"state\":\"exposing\",\"fleet\":10,\"eligible\":10,\"goodbyes\":{\"unanswered\":2,\"dark\":1}}", &screen);
        CHECK(strstr(buf_text(&screen), "goodbyes  2 of the unanswered and 1 of the dark have said goodbye since"));
        render(&plain, "{\"state\":\"exposing\",\"fleet\":10,\"eligible\":10,\"goodbyes\":{\"unanswered\":0,\"dark\":0}}", &none);
        CHECK(!strstr(buf_text(&none), "goodbyes"));
}

TEST(view, tells_those_kept_back_from_those_held_out)
{
        OWN(buf) struct buf screen;
        buf_init(&screen, 65536);
        render(&plain, "{\"state\":\"exposing\",\"fleet\":10,\"eligible\":6,\"kept_back\":4,\"exposed\":6,\"proven\":5,\"hurt\":1,\"unanswered\":0}", &screen);
        CHECK(strstr(buf_text(&screen), " of 6, kept back 4\n") && !strstr(buf_text(&screen), "held out"));
        CHECK(strstr(buf_text(&screen), "nobody is left to expose: 4 kept back with their group, 5 proven"));
}

TEST(view, says_how_many_are_back_and_how_long_it_takes)
{
        static const struct {
                const char *text, *says;
        } cases[] = {
                { "{\"roll_back\":{\"since\":1000,\"over_s\":600,\"until\":1600,\"devices\":58,\"gone\":12}}", "\nback      12 of 58 run something else again; the last go in 8 min\n" },
                { "{\"roll_back\":{\"since\":1000,\"over_s\":0,\"until\":1000,\"devices\":58,\"gone\":57}}", "\nback      57 of 58 run something else again\n" },
                { "{\"roll_back\":null}", NULL }, { "{\"roll_back\":7}", NULL }, { "{}", NULL },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                OWN(buf) struct buf screen;
                buf_init(&screen, 65536);
                render(&plain, cases[i].text, &screen);
                const char *line = strstr(buf_text(&screen), "\nback ");
                CHECK(!line == !cases[i].says && (!line || strncmp(line, cases[i].says, strlen(cases[i].says)) == 0));
        }
}

TEST(view, shows_no_more_strata_than_fit)
{
        OWN(buf) struct buf screen;
        buf_init(&screen, 65536);
        struct view low = plain;
        low.strata_max = 1;
        render(&low, holding, &screen);
        CHECK(strstr(buf_text(&screen), "and 1 more strata\n") && !strstr(buf_text(&screen), "locale=de_DE"));
}

TEST(view, lets_no_server_command_the_terminal)
{
        OWN(buf) struct buf screen;
        buf_init(&screen, 65536);
        render(&plain, "{\"stream\":\"a\\u001b]0;x\\u0007\",\"counter\":1,\"state\":\"\\u009b2J\",\"reason\":\"\\r\\n\",\"sentence\":\"\\u001b[2J\","
                       "\"strata\":[{\"name\":\"\\u001b[1m\"}],\"unseen\":[\"\\u0008\"],\"stopped_by\":\"\\u001bc\"}", &screen);
        const char *text = buf_text(&screen);
        for (size_t i = 0; text[i]; i++)
                CHECK(text[i] == '\n' || ((unsigned char)text[i] >= 0x20 && text[i] != 0x7f));
        CHECK(!strstr(text, "\xc2\x9b"));
}

TEST(view, stands_a_rollout_that_says_nothing_or_nonsense)
{
        OWN(buf) struct buf screen;
        buf_init(&screen, 65536);
        render(&plain, "{}", &screen);
        render(&plain, "{\"state\":7,\"eligible\":-1,\"proven\":9223372036854775807,\"hurt\":-5,\"budget\":0,\"strata\":{},\"unseen\":\"x\"}", &screen);
        render(&plain, "{\"eligible\":3,\"proven\":3,\"hurt\":3,\"unanswered\":3}", &screen);
        CHECK(buf_check(&screen, NULL) == OK && strstr(buf_text(&screen), "[!!!!!!!!!!"));
}

TEST(view, gives_one_line_for_a_log)
{
        OWN(json) struct json *rollout = NULL;
        CHECK(json_parse(holding, strlen(holding), 65536, &rollout, NULL) == OK);
        OWN(buf) struct buf line;
        buf_init(&line, 4096);
        view_line(&plain, rollout, &line);
        CHECK(strcmp(buf_text(&line), "   65 s  holding  exposed 8  proven 3  hurt 5  budget 5 of 5  window 0  5 of 5 devices of the budget are hurt.\n") == 0);
}

TEST(view, survives_every_allocation_failure)
{
        OWN(json) struct json *rollout = NULL;
        CHECK(json_parse(holding, strlen(holding), 65536, &rollout, NULL) == OK);
        SWEEP_MEMORY {
                OWN(buf) struct buf screen;
                buf_init(&screen, 65536);
                view_rollout(&plain, rollout, &screen);
                enum err e = buf_check(&screen, NULL);
                CHECK(e == OK || e == ERR_NOMEM);
        }
}
