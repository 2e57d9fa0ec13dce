#include "tuf/options.h"

#include "support/test.h"

#include <getopt.h>
#include <string.h>

static enum err read_options(char *const *words, struct tuf_options *ret_options, struct why *why)
{
        char *argv[16] = { "firebreak-tuf" };
        int argc = 1;
        while (words[argc - 1]) {
                argv[argc] = words[argc - 1];
                argc++;
        }
        optind = 0;                      /* begin anew: it goes on where it ended */
        return tuf_options_read(argc, argv, ret_options, why);
}
#define READ(ret_options, why, ...) read_options((char *const[]){ __VA_ARGS__, NULL }, (ret_options), (why))

static bool is(const char *text, const char *expected)
{
        return text && strcmp(text, expected) == 0;
}

TEST(tuf_options, are_those_of_init)
{
        struct tuf_options options;
        CHECK(READ(&options, NULL, "--metadata-dir", "m", "init", "root.json") == OK);
        CHECK(options.command == TUF_INIT && is(options.metadata_dir, "m") && is(options.root, "root.json"));
        CHECK(!options.metadata_url && !options.target_dir && !options.target_base_url && !options.ca && !options.name_count && !options.is_json);
}

TEST(tuf_options, are_those_of_refresh)
{
        struct tuf_options options;
        CHECK(READ(&options, NULL, "--metadata-dir=m", "--metadata-url=https://u", "--ca", "c", "--json", "refresh") == OK);
        CHECK(options.command == TUF_REFRESH && is(options.metadata_dir, "m") && is(options.metadata_url, "https://u") && is(options.ca, "c") && options.is_json);
        CHECK(!options.root && !options.wants_help && !options.wants_version);
}

TEST(tuf_options, are_those_of_download)
{
        struct tuf_options options;
        CHECK(READ(&options, NULL, "--metadata-dir", "m", "--metadata-url", "u", "--target-name", "a/b", "--target-name", "c", "--target-dir", "t", "--target-base-url", "b",
                   "download") == OK);
        CHECK(options.command == TUF_DOWNLOAD && is(options.target_dir, "t") && is(options.target_base_url, "b"));
        CHECK(options.name_count == 2 && is(options.names[0], "a/b") && is(options.names[1], "c"));
}

TEST(tuf_options, may_stand_before_and_after_words)
{
        static char *const orders[][8] = {
                { "--metadata-dir", "m", "init", "r" }, { "init", "--metadata-dir", "m", "r" }, { "init", "r", "--metadata-dir", "m" }, { "init", "r", "--metadata-dir=m" },
                { "--metadata-dir", "m", "--", "init", "r" }, { "--metadata-dir", "old", "init", "r", "--metadata-dir", "m" },
        };
        for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
                struct tuf_options options;
                CHECK(read_options(orders[i], &options, NULL) == OK && options.command == TUF_INIT && is(options.metadata_dir, "m") && is(options.root, "r"));
        }
}

TEST(tuf_options, ask_for_help_or_the_version_without_a_command)
{
        struct tuf_options options;
        CHECK(READ(&options, NULL, "--help") == OK && options.wants_help && !options.wants_version);
        CHECK(READ(&options, NULL, "--version") == OK && options.wants_version && !options.wants_help);
        CHECK(READ(&options, NULL, "--help", "--metadata-dir", "m", "nonsense") == OK && options.wants_help);
        CHECK(READ(&options, NULL, "--help", "--nonsense") == ERR_USAGE);
}

TEST(tuf_options, name_what_is_missing_or_wrong)
{
        static const struct { char *words[13]; const char *says; } cases[] = {
                { { NULL }, "init, refresh or download" },
                { { "--metadata-dir", "m" }, "init, refresh or download" },
                { { "--metadata-dir", "m", "Init", "r" }, "init, refresh or download" },
                { { "--metadata-dir", "m", "" }, "init, refresh or download" },
                { { "init", "r" }, "--metadata-dir is missing" },
                { { "refresh", "--metadata-url", "u" }, "--metadata-dir is missing" },
                { { "init", "--metadata-dir", "m" }, "init what?" },
                { { "refresh", "--metadata-dir", "m" }, "--metadata-url is missing" },
                { { "download", "--metadata-dir", "m", "--target-name", "n", "--target-dir", "t", "--target-base-url", "b" }, "--metadata-url is missing" },
                { { "download", "--metadata-dir", "m", "--metadata-url", "u", "--target-dir", "t", "--target-base-url", "b" }, "--target-name is missing" },
                { { "download", "--metadata-dir", "m", "--metadata-url", "u", "--target-name", "n", "--target-base-url", "b" }, "--target-dir is missing" },
                { { "download", "--metadata-dir", "m", "--metadata-url", "u", "--target-name", "n", "--target-dir", "t" }, "--target-base-url is missing" },
                { { "init", "--metadata-dir", "m", "--nonsense" }, "no option --nonsense" },
                { { "--nonsense", "init", "r", "--metadata-dir", "m" }, "no option --nonsense" },
                { { "init", "-x", "--metadata-dir", "m" }, "no option -x" },
                { { "--metadata-dir", "m", "init", "-xy" }, "no option -x" },
                { { "-xy" }, "no option -x" },
                { { "--json=yes", "init", "r", "--metadata-dir", "m" }, "--json takes no value" },
                { { "--target", "t", "init", "r" }, "--target may mean several options" },
                { { "init", "r", "--metadata-dir" }, "--metadata-dir needs a value" },
                { { "--metadata-dir", "m", "download", "--target-name" }, "--target-name needs a value" },
                { { "init", "r", "--metadata-dir", "m", "more" }, "more: one word too many" },
                { { "refresh", "more", "--metadata-dir", "m", "--metadata-url", "u" }, "more: one word too many" },
                { { "refresh", "--metadata-dir", "m", "--metadata-url", "u", "--", "--json" }, "--json: one word too many" },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct tuf_options options = { .root = "as before" };
                struct why why = { 0 };
                CHECK(read_options(cases[i].words, &options, &why) == ERR_USAGE && is(options.root, "as before"));
                CHECK(strstr(why.text, cases[i].says));
        }
}

TEST(tuf_options, take_256_names_and_no_more)
{
        static char *const first[] = { "firebreak-tuf", "download", "--metadata-dir=m", "--metadata-url=u", "--target-dir=t", "--target-base-url=b" };
        for (int over = 0; over < 2; over++) {
                char *argv[sizeof(first) / sizeof(first[0]) + TUF_NAMES_MAX + 2];
                struct tuf_options options;
                int argc = sizeof(first) / sizeof(first[0]);
                memcpy(argv, first, sizeof(first));
                for (int i = 0; i < TUF_NAMES_MAX + over; i++)
                        argv[argc++] = i % 2 ? "--target-name=odd" : "--target-name=even";
                argv[argc] = NULL;
                optind = 0;
                CHECK(tuf_options_read(argc, argv, &options, NULL) == (over ? ERR_USAGE : OK));
                CHECK(over || (options.name_count == TUF_NAMES_MAX && is(options.names[0], "even") && is(options.names[TUF_NAMES_MAX - 1], "odd")));
        }
}
