#include "nft/options.h"

#include "support/test.h"

#include <getopt.h>
#include <string.h>

static enum err read_words(const char *const *words, struct nft_options *options)
{
        char *argv[32] = { (char *)"firebreak-nft" };
        int count = 1;
        for (; words[count - 1]; count++)
                argv[count] = (char *)words[count - 1];
        optind = 0;                      /* getopt's own: begin anew */
        return nft_options_read(count, argv, options, NULL);
}

TEST(nft_options, of_a_run_need_a_path_that_must_answer)
{
        struct nft_options options;
        CHECK(read_words((const char *const[]){ "run", "--rules", "/r", "--owns", "inet a", "--status", "/s", NULL }, &options) == ERR_USAGE);
        CHECK(read_words((const char *const[]){ "run", "--rules", "/r", "--owns", "inet a", "--status", "/s", "--answer", "tcp://h:1", NULL }, &options) == OK);
        CHECK(options.within_ms == 10000 && strcmp(options.state, "/var/lib/firebreak-nft") == 0 && options.owned.count == 1 && options.places.count == 1);
}

TEST(nft_options, are_bounded_and_known)
{
        struct nft_options options;
        static const char *const wrong[][8] = {
                { NULL }, { "check", NULL }, { "check", "--rules", "/r", NULL }, { "ask", NULL }, { "ask", "--answer", "udp://h:1", NULL }, { "ask", "--answer", "tcp://", NULL },
                { "boot", "--within", "0", NULL }, { "boot", "--within", "21", NULL }, { "boot", "--within", "3x", NULL }, { "boot", "--state", "here", NULL }, { "boot", "--nonsense", NULL },
                { "boot", "switch", NULL },
        };
        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
                CHECK(read_words(wrong[i], &options) == ERR_USAGE);
        CHECK(read_words((const char *const[]){ "boot", "--within", "20", NULL }, &options) == OK && options.within_ms == 20000);
}
