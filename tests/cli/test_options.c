#include "cli/options.h"

#include "support/test.h"

#include <string.h>

static const enum option_id allowed[] = { OPTION_HELP, OPTION_JSON, OPTION_STREAM, OPTION_BUDGET, OPTION_BAKE, OPTION_HOLDOUT, OPTION_OVERRIDE_BY,
                                          OPTION_REASON, OPTION_NONE };

static enum err parse(char *const *words, struct args *args, struct why *why)
{
        int count = 0;
        while (words[count])
                count++;
        *args = (struct args){ 0 };
        return options_parse(allowed, count, words, args, why);
}
#define PARSE(args, why, ...) parse((char *const[]){ __VA_ARGS__, NULL }, (args), (why))

TEST(options, take_values_both_ways_and_leave_the_words)
{
        struct args args;
        CHECK(PARSE(&args, NULL, "edr/4", "--budget", "5", "--bake=2m", "--json", "--holdout", "2.5%", "--", "--odd") == OK);
        CHECK(args.word_count == 2 && strcmp(args.words[0], "edr/4") == 0 && strcmp(args.words[1], "--odd") == 0);
        CHECK(arg_int(&args, OPTION_BUDGET, 0) == 5 && arg_int(&args, OPTION_BAKE, 0) == 120);
        CHECK(arg_int(&args, OPTION_HOLDOUT, 0) == 25000 && arg_has(&args, OPTION_JSON) && !arg_has(&args, OPTION_HELP));
        CHECK(strcmp(arg_text(&args, OPTION_STREAM, "none"), "none") == 0);
}

TEST(options, collect_what_may_be_repeated)
{
        struct args args;
        CHECK(PARSE(&args, NULL, "--override-by", "anna", "--override-by=bert") == OK);
        CHECK(args.of[OPTION_OVERRIDE_BY].count == 2 && strcmp(args.of[OPTION_OVERRIDE_BY].texts[1], "bert") == 0);
}

TEST(options, refuse_each_mistake_and_say_what_to_write)
{
        static const struct {
                char *words[3];
                const char *says;
        } cases[] = {
                { { "--budgte", "5" }, "did you mean --budget?" },
                { { "--xyzzy", "5" }, "--help lists" },
                { { "--budget" }, "--budget needs a value: --budget N" },
                { { "--budget", "5x" }, "no whole number" },
                { { "--budget", "-5" }, "no whole number" },
                { { "--budget", " 5" }, "no whole number" },
                { { "--budget=" }, "no whole number" },
                { { "--budget", "0" }, "outside 1 to 1000000" },
                { { "--budget", "99999999999999999999" }, "--budget: 99999999999999999999 is outside 1 to 1000000" },
                { { "--budget", "99999999999999999999x" }, "no whole number" },
                { { "--bake", "99999999999999999999" }, "too long a time" },
                { { "--holdout", "99999999999999999999%" }, "too large a share" },
                { { "--bake", "2y" }, "write 90s, 15m, 1h or 3d" },
                { { "--bake", "9000000000d" }, "outside" },
                { { "--holdout", "5" }, "write 5%" },
                { { "--holdout", "60%" }, "outside 0 to 500000 ppm" },
                { { "--json=yes" }, "--json takes no value" },
                { { "--stream", "../etc" }, "is no name" },
                { { "--stream", "" }, "0 bytes" },
                { { "--reason", "" }, "0 bytes" },
                { { "--budget=1", "--budget=2" }, "given twice; once is enough" },
                { { "-b" }, "two dashes" },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct args args;
                struct why why = { 0 };
                CHECK(parse(cases[i].words, &args, &why) == ERR_USAGE);
                CHECK(strstr(why.text, cases[i].says));
        }
}

TEST(options, stop_at_too_many_words_and_repeats)
{
        struct args args;
        CHECK(PARSE(&args, NULL, "a", "b", "c", "d") == OK);
        CHECK(PARSE(&args, NULL, "a", "b", "c", "d", "e", "f", "g", "h", "i") == ERR_USAGE);
        char *many[ARG_REPEATS + 2] = { 0 };
        for (int i = 0; i <= ARG_REPEATS; i++)
                many[i] = "--override-by=x";
        CHECK(parse(many, &args, NULL) == ERR_USAGE);
}

/* replay's may be several, so they are read otherwise; how often a plan simulates is another default; of a group the stream may be left out, a rollout
 * that is withdrawn has its pace, and what a key is called is no publisher's name. */
static bool is_wider(int option)
{
        return option == OPTION_BUDGETS || option == OPTION_POLICIES || option == OPTION_PLAN_SEEDS || option == OPTION_OF_STREAM || option == OPTION_PACE || option == OPTION_KEY_NAME;
}

TEST(options, have_unique_names_and_a_line_of_help_each)
{
        for (int i = 0; i < OPTION_COUNT; i++) {
                const struct option *option = option_info((enum option_id)i);
                CHECK(strlen(option->help) > 10 && (option->type == AS_FLAG) == !option->value && option->min <= option->max);
                for (int j = 0; j < i; j++)
                        CHECK(is_wider(i) || strcmp(option->name, option_info((enum option_id)j)->name) != 0);
        }
}

TEST(share, is_read_exactly)
{
        static const struct {
                const char *text;
                int64_t ppm;
        } cases[] = { { "0", 0 }, { "100%", 1000000 }, { "0.01%", 100 }, { "0.0001%", 1 }, { "12.5%", 125000 }, { "7ppm", 7 } };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                int64_t ppm = -1;
                CHECK(share_parse(cases[i].text, &ppm, NULL) == OK && ppm == cases[i].ppm);
        }
        static const char *const bad[] = { "", "%", "1", ".5%", "0.00001%", "1.%x", "-1%", "1 %", "1e3ppm" };
        int64_t ppm = -1;
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                CHECK(share_parse(bad[i], &ppm, NULL) == ERR_USAGE && ppm == -1);
}
