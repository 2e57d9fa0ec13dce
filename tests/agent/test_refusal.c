#include "agent/refusal.h"

#include "support/test.h"

#include <string.h>

static enum err read_text(int status, const char *text, struct why *why)
{
        OWN(buf) struct buf body;
        buf_init(&body, 4096);
        buf_add(&body, text, strlen(text));
        return refusal_read(status, &body, why);
}

TEST(refusal_read, goes_by_the_code_and_says_the_detail)
{
        struct why why;
        CHECK(read_text(409, "{\"title\":\"Conflict\",\"status\":409,\"detail\":\"used up\",\"code\":\"REFUSED\"}", &why) == ERR_REFUSED);
        CHECK(strcmp(why.text, "used up") == 0);
        CHECK(read_text(401, "{\"detail\":\"a\\u001b[2Jb\\nc\",\"code\":\"OK\"}", &why) == ERR_UNAUTHORIZED);
        CHECK(strcmp(why.text, "a [2Jb") == 0);
}

TEST(refusal_read, takes_the_first_line_of_what_is_no_document)
{
        struct why why;
        CHECK(read_text(400, "This port speaks HTTPS: use https://\nmore", &why) == ERR_SYNTAX);
        CHECK(strcmp(why.text, "This port speaks HTTPS: use https://") == 0);
}

TEST(refusal_read, says_that_there_is_no_reason)
{
        static const char *const bodies[] = { "", "{}", "[1]", "<html><body>Bad Gateway</body></html>", "\n", "{\"detail\":7}" };
        struct why why;
        for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
                CHECK(read_text(502, bodies[i], &why) == ERR_UNAVAILABLE && strstr(why.text, "status 502"));
        CHECK(read_text(418, "", &why) == ERR_REFUSED && read_text(304, "", &why) == ERR_REFUSED);
}
