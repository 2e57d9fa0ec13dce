#include "nft/program.h"

#include "support/test.h"

#include <string.h>

enum { LONG_MS = 10000, SHORT_MS = 300, SOME_BYTES = 1024 };

static enum err run_it(const char *script, int64_t timeout_ms, struct why *why)
{
        OWN(buf) struct buf said;
        buf_init(&said, SOME_BYTES);
        return program_run((const char *const[]){ "sh", "-c", script, NULL }, timeout_ms, &said, why);
}

TEST(program_run, tells_the_line_that_says_what_is_wrong)
{
        struct why why;
        CHECK(run_it("echo first; echo second; exit 3", LONG_MS, &why) == ERR_CONTENT && strstr(why.text, "exit 3: first") && !strstr(why.text, "second"));
        CHECK(run_it("echo 'In file included from a:'; echo 'b:1:5: Error: bad'; echo rest; exit 1", LONG_MS, &why) == ERR_CONTENT && strstr(why.text, "exit 1: b:1:5: Error: bad"));
        CHECK(!strstr(why.text, "included") && !strstr(why.text, "rest"));
}

TEST(program_run, says_that_it_failed_also_where_it_said_too_much)
{
        struct why why;
        CHECK(run_it("echo first; head -c 5000 /dev/zero; exit 3", LONG_MS, &why) == ERR_CONTENT && strstr(why.text, "exit 3"));
        CHECK(run_it("head -c 5000 /dev/zero", LONG_MS, &why) == ERR_LIMIT);
}

TEST(program_run, ends_who_writes_without_end)
{
        struct why why;
        CHECK(run_it("exec cat /dev/zero", SHORT_MS, &why) == ERR_TIMEOUT);
}

/* ERR_NOT_FOUND would be taken for "no such record". */
TEST(program_run, of_what_is_not_installed_is_not_available)
{
        OWN(buf) struct buf said;
        struct why why;
        buf_init(&said, SOME_BYTES);
        CHECK(program_run((const char *const[]){ "/nowhere/nft", NULL }, LONG_MS, &said, &why) == ERR_UNAVAILABLE);
}
