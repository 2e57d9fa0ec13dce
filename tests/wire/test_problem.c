#include "wire/problem.h"

#include "format/json.h"
#include "support/sweep.h"
#include "support/test.h"

#include <string.h>

TEST(problem, is_what_the_formats_guide_shows)
{
        OWN(buf) struct buf buf;
        buf_init(&buf, 1000);
        struct why why;
        enum err e = FAIL(&why, ERR_REFUSED, "rollout is \"done\": start another");
        problem_write(e, &why, &buf);
        CHECK(strcmp(buf_text(&buf), "{\"type\":\"about:blank\",\"title\":\"Conflict\",\"status\":409,"
                                     "\"detail\":\"rollout is \\\"done\\\": start another\",\"code\":\"REFUSED\"}") == 0);
        buf_clear(&buf);
        problem_write_status(405, ERR_USAGE, "this path takes GET only", &buf);
        CHECK(strstr(buf_text(&buf), "\"title\":\"Method Not Allowed\",\"status\":405,"));
}

/* However a text was cut or mixed up on the way, the other side gets JSON. */
TEST(problem, is_json_whatever_the_text)
{
        for (int e = OK + 1; e < ERR_COUNT; e++) {
                OWN(buf) struct buf buf;
                buf_init(&buf, 2000);
                struct why why = { .text = "cut in the middle of \xC3" };
                problem_write((enum err)e, e % 2 ? &why : NULL, &buf);
                OWN(json) struct json *json = NULL;
                CHECK(json_parse(buf_text(&buf), buf.length, 2000, &json, NULL) == OK);
                CHECK(json_int(json_get(json, "status"), 0) == err_info((enum err)e)->http);
                CHECK(strcmp(json_text(json_get(json, "title")), "Error") != 0 && json_text(json_get(json, "detail"))[0]);
        }
}

TEST(problem, survives_every_allocation_failure)
{
        SWEEP_MEMORY {
                OWN(buf) struct buf buf;
                buf_init(&buf, 1000);
                problem_write(ERR_FULL, NULL, &buf);
                enum err e = buf_check(&buf, NULL);
                CHECK(e == OK || e == ERR_NOMEM);
        }
}
