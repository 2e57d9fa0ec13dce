#include "support/test.h"
#include "witness/options.h"

#include <string.h>

#define LOG_KEY "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
#define WITNESS_KEY "witness.example.com/w1+745fb5e8+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU"
enum { WORDS_MAX = 16 };

static enum err read_words(const char *const *words, struct witness_options *options)
{
        char *argv[WORDS_MAX + 2] = { "firebreak-witness" };
        int argc = 1;
        for (; *words && argc < WORDS_MAX; words++)
                argv[argc++] = (char *)*words;
        return witness_options_read(argc, argv, options, NULL);
}

TEST(options, are_those_of_the_manual)
{
        struct witness_options options;
        CHECK(read_words((const char *[]){ "--state", "s", "--key", "k", "--name", "n", "--log", LOG_KEY, "--listen", "[::1]:1", NULL }, &options) == OK);
        CHECK(strcmp(options.state, "s") == 0 && strcmp(options.key, "k") == 0 && strcmp(options.name, "n") == 0 && strcmp(options.listen, "[::1]:1") == 0);
        CHECK(options.log_count == 1 && strcmp(options.logs[0].name, "example.com/foo") == 0 && !options.wants_key);
        CHECK(read_words((const char *[]){ "--key=k", "--name=n", "--show-key", NULL }, &options) == OK && options.wants_key && strcmp(options.listen, "127.0.0.1:8480") == 0);
        CHECK(read_words((const char *[]){ "--help", NULL }, &options) == OK && options.wants_help);
        CHECK(read_words((const char *[]){ "--version", NULL }, &options) == OK && options.wants_version);
}

TEST(options, say_what_is_missing_or_too_much)
{
        static const char *const bad[][WORDS_MAX] = {
                { NULL }, { "--state", "s", "--name", "n", "--log", LOG_KEY }, { "--state", "s", "--key", "k", "--log", LOG_KEY }, { "--key", "k", "--name", "n", "--log", LOG_KEY },
                { "--state", "s", "--key", "k", "--name", "n" }, { "--state", "s", "--key", "k", "--name", "n", "--log", LOG_KEY, "more" }, { "--state" }, { "--nothing" }, { "-x" },
                { "--state", "s", "--key", "k", "--name", "n", "--log", LOG_KEY, "--log", LOG_KEY }, { "--state", "s", "--key", "k", "--name", "n", "--log", WITNESS_KEY },
        };
        struct witness_options options;
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                CHECK(read_words(bad[i], &options) == ERR_USAGE);
        CHECK(read_words((const char *[]){ "--state", "s", "--key", "k", "--name", "n", "--log", "example.com/foo", NULL }, &options) == ERR_SYNTAX);
}
