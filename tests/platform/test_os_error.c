#include "platform/os_error.h"

#include "support/test.h"

#include <errno.h>
#include <string.h>

TEST(os_fail, names_the_code_and_says_what_to_do)
{
        struct why why;
        CHECK(OS_FAIL(&why, ENOSPC, "writing %s", "record") == ERR_FULL);
        CHECK(strcmp(why.text, "writing record: no room on the file system: free some or give it more") == 0);
        CHECK(strstr(why.file, "test_os_error.c"));
        CHECK(OS_FAIL(&why, EROFS, "x") == ERR_IO && strstr(why.text, "read-only"));
        CHECK(OS_FAIL(&why, ENOENT, "x") == ERR_NOT_FOUND && OS_FAIL(&why, EEXIST, "x") == ERR_BUSY);
        CHECK(OS_FAIL(NULL, EMFILE, "x") == ERR_LIMIT && OS_FAIL(NULL, ENOMEM, "x") == ERR_NOMEM && OS_FAIL(NULL, ENXIO, "x") == ERR_REFUSED);
}

TEST(os_fail, has_an_answer_to_every_number)
{
        for (int number = 1; number < 200; number++) {
                struct why why;
                CHECK(OS_FAIL(&why, number, "x") != OK && strlen(why.text) > 3);
        }
}
