#include "cli/passphrase.h"

#include "platform/file.h"
#include "support/sweep.h"
#include "support/test.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static enum err from_file(const char *bytes, size_t length, enum err (*take)(const struct args *, struct passphrase *, struct why *),
                          struct passphrase *passphrase)
{
        char folder[64], path[128];
        struct args args = { 0 };
        CHECK(file_temporary(folder, NULL) == OK);
        snprintf(path, sizeof(path), "%s/words", folder);
        CHECK(file_write(path, bytes, length, NULL) == OK);
        args.of[OPTION_PASSPHRASE] = (struct arg){ .count = 1, .texts = { path } };
        enum err e = take(&args, passphrase, NULL);
        file_remove_tree(folder);
        return e;
}

TEST(passphrase, is_the_one_line_of_a_file)
{
        OWN(passphrase) struct passphrase p = { 0 };
        CHECK(from_file("horse staple\r\n", 14, passphrase_choose, &p) == OK && strcmp(p.text, "horse staple") == 0);
        CHECK(from_file("short", 5, passphrase_ask, &p) == OK && strcmp(p.text, "short") == 0);
}

TEST(passphrase, is_refused_when_short_empty_or_more_than_a_line)
{
        OWN(passphrase) struct passphrase p = { 0 };
        char longer[2048];
        memset(longer, 'x', sizeof(longer));
        CHECK(from_file("seven77", 7, passphrase_choose, &p) == ERR_USAGE);
        CHECK(from_file("", 0, passphrase_ask, &p) == ERR_USAGE);
        CHECK(from_file("\n", 1, passphrase_ask, &p) == ERR_USAGE);
        CHECK(from_file("first line\nsecond\n", 18, passphrase_ask, &p) == ERR_USAGE);
        CHECK(from_file("zero\0byte here", 14, passphrase_ask, &p) == ERR_USAGE);
        CHECK(from_file(longer, 1024, passphrase_ask, &p) == ERR_USAGE);
        CHECK(from_file(longer, sizeof(longer), passphrase_ask, &p) == ERR_LIMIT);
}

TEST(passphrase, may_be_none_only_when_said_and_not_both)
{
        OWN(passphrase) struct passphrase p = { 0 };
        struct args args = { 0 };
        args.of[OPTION_NO_PASSPHRASE].count = 1;
        CHECK(passphrase_choose(&args, &p, NULL) == OK && p.text[0] == '\0');
        args.of[OPTION_PASSPHRASE] = (struct arg){ .count = 1, .texts = { "/nonexistent" } };
        CHECK(passphrase_choose(&args, &p, NULL) == ERR_USAGE);
        args.of[OPTION_NO_PASSPHRASE].count = 0;
        CHECK(passphrase_choose(&args, &p, NULL) == ERR_NOT_FOUND);
}

/* Whoever runs it from cron used it wrongly; nothing is out of reach. */
TEST(passphrase, is_to_be_in_a_file_where_no_terminal_is)
{
        pid_t child = fork();
        CHECK(child >= 0);
        if (!child) {
                OWN(passphrase) struct passphrase p = { 0 };
                struct args args = { 0 };
                struct why why = { 0 };
                setsid();
                bool is_told = passphrase_ask(&args, &p, &why) == ERR_USAGE && strstr(why.text, "--passphrase-file FILE");
                is_told = is_told && passphrase_choose(&args, &p, &why) == ERR_USAGE && strstr(why.text, "--no-passphrase");
                _exit(is_told ? 0 : 1);
        }
        int status = 0;
        CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST(passphrase, is_wiped_when_released)
{
        struct passphrase p;
        memset(&p, 'x', sizeof(p));
        passphrase_release(&p);
        for (size_t i = 0; i < sizeof(p.text); i++)
                CHECK(p.text[i] == '\0');
}
