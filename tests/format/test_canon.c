#include "format/canon.h"

#include "base/limits.h"
#include "support/sweep.h"
#include "support/test.h"

#include <string.h>

static enum err canonicalise(const char *text, struct buf *into)
{
        OWN(json) struct json *json = NULL;
        CHECK(json_parse(text, strlen(text), LIMIT_METADATA_BYTES, &json, NULL) == OK);
        return canon_write(json, into, NULL);
}

static bool becomes(const char *text, const char *expected)
{
        OWN(buf) struct buf buf;
        buf_init(&buf, LIMIT_METADATA_BYTES);
        CHECK(canonicalise(text, &buf) == OK);
        return strcmp(buf_text(&buf), expected) == 0;
}

TEST(canon_write, sorts_keys_and_leaves_no_space)
{
        CHECK(becomes("{ \"b\" : 1, \"a\" : [ true, null, -3 ], \"ab\":{}, \"B\":false }", "{\"B\":false,\"a\":[true,null,-3],\"ab\":{},\"b\":1}"));
        CHECK(becomes("-0", "0"));
}

/* UTF-16 would put U+1F600 (a surrogate pair) before U+FF5E. */
TEST(canon_write, sorts_by_code_point_and_not_by_utf16)
{
        CHECK(becomes("{\"\\ud83d\\ude00\":1,\"\\uff5e\":2,\"z\":3}", "{\"z\":3,\"\xEF\xBD\x9E\":2,\"\xF0\x9F\x98\x80\":1}"));
}

TEST(canon_write, escapes_only_quote_and_backslash)
{
        CHECK(becomes("\"-----BEGIN\\n\\t\\u0001\\u007f\\/\\\"\\\\\\u00e9\"", "\"-----BEGIN\n\t\x01\x7F/\\\"\\\\\xC3\xA9\""));
        CHECK(becomes("{\"a\\\"\":1}", "{\"a\\\"\":1}"));
}

TEST(canon_write, survives_every_allocation_failure)
{
        SWEEP_MEMORY {
                OWN(json) struct json *json = NULL;
                OWN(buf) struct buf buf;
                buf_init(&buf, 1000);
                enum err e = json_parse("{\"b\":[{\"d\":1,\"c\":2}],\"a\":\"x\"}", 29, 1000, &json, NULL);
                if (!e)
                        e = canon_write(json, &buf, NULL);
                CHECK(e == ERR_NOMEM || strcmp(buf_text(&buf), "{\"a\":\"x\",\"b\":[{\"c\":2,\"d\":1}]}") == 0);
                CHECK(e == OK || e == ERR_NOMEM);
        }
}

TEST(canon_write, refuses_what_is_not_whole)
{
        OWN(json) struct json *json = json_new_array();
        json_add(json, NULL);
        OWN(buf) struct buf buf;
        buf_init(&buf, 100);
        CHECK(canon_write(json, &buf, NULL) == ERR_NOMEM);
        CHECK(canon_write(NULL, &buf, NULL) == ERR_NOMEM);
}
