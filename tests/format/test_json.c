#include "format/json.h"

#include "base/limits.h"
#include "support/sweep.h"
#include "support/test.h"

#include <string.h>

static enum err parse(const char *text, struct json **ret_json, struct why *why)
{
        return json_parse(text, strlen(text), LIMIT_REQUEST_BYTES, ret_json, why);
}

static enum err parse_only(const char *bytes, size_t length)
{
        OWN(json) struct json *json = NULL;
        enum err e = json_parse(bytes, length, LIMIT_REQUEST_BYTES, &json, NULL);
        CHECK((e == OK) == (json != NULL));
        return e;
}

/* Whether the text comes back as `expected` when it is written again. */
static bool becomes(const char *text, const char *expected)
{
        OWN(json) struct json *json = NULL;
        OWN(buf) struct buf buf;
        buf_init(&buf, LIMIT_REQUEST_BYTES);
        CHECK(parse(text, &json, NULL) == OK);
        CHECK(json_write(json, 0, &buf, NULL) == OK);
        return strcmp(buf_text(&buf), expected) == 0;
}

TEST(json_parse, keeps_what_it_reads)
{
        CHECK(becomes(" { \"b\" : [ 1 , -2, true,false, null ] , \"a\": {} } ", "{\"b\":[1,-2,true,false,null],\"a\":{}}"));
        CHECK(becomes("[9223372036854775807,-9223372036854775808,0]", "[9223372036854775807,-9223372036854775808,0]"));
        CHECK(becomes("\"\\u00e9\\ud83d\\ude00\\n\\/\\\"\\\\\\u0001\"", "\"\xC3\xA9\xF0\x9F\x98\x80\\n/\\\"\\\\\\u0001\""));
        CHECK(becomes("[]", "[]"));
}

TEST(json_parse, refuses_what_is_not_strict_json)
{
        static const char *const bad[] = {
                "", " ", "{", "}", "[", "[1", "[1,", "[1,]", "[,1]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{1:1}", "{\"a\" 1}",
                "[1 2]", "[] []", "[]x", "nul", "nulll", "True", "'a'", "\"", "\"\\", "\"\\x\"", "\"\\u12\"", "\"\\u123g\"", "[1}", "{]",
                "-", "01", "-01", "+1", "1.0", "1e3", "1E3", "0.5", ".5", "NaN", "Infinity", "0x10", "--1",
                "9223372036854775808", "-9223372036854775809", "99999999999999999999999999",
                "\"\\u0000\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800x\"", "\"\\ud800\\u0041\"", "\"\\ud800\\ud800\"",
                "\"\n\"", "\"\t\"", "\"\x01\"", "/* */[]", "[] // x", "\xEF\xBB\xBF[]",
                "\"\x80\"", "\"\xC0\x80\"", "\"\xC1\xBF\"", "\"\xE0\x80\x80\"", "\"\xED\xA0\x80\"", "\"\xF0\x80\x80\x80\"", "\"\xF4\x90\x80\x80\"",
                "\"\xF5\x80\x80\x80\"", "\"\xC3\"", "\"\xE2\x82\"", "\"\xFF\"",
        };
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                CHECK(parse_only(bad[i], strlen(bad[i])) == ERR_SYNTAX);
}

TEST(json_parse, refuses_nul_bytes_anywhere)
{
        CHECK(parse_only("[1]\0", 4) == ERR_SYNTAX);
        CHECK(parse_only("\"a\0b\"", 5) == ERR_SYNTAX);
        CHECK(parse_only("1\0", 2) == ERR_SYNTAX);
        CHECK(parse_only("[1\0]", 4) == ERR_SYNTAX);
}

TEST(json_parse, reads_nothing_past_the_end)
{
        static const char text[] = "{\"key\":[\"\\u00e9\\ud83d\\ude00 \xF0\x9F\x98\x80\",-12,true,null]}";
        for (size_t length = 0; length < sizeof(text) - 1; length++) {
                char *exact = malloc(length ? length : 1);        /* so that ASan sees one byte too far */
                CHECK(exact);
                memcpy(exact, text, length);
                CHECK(parse_only(exact, length) == ERR_SYNTAX);
                free(exact);
        }
        CHECK(parse_only(text, sizeof(text) - 1) == OK);
}

TEST(json_parse, refuses_duplicate_keys_however_they_are_spelled)
{
        struct why why;
        OWN(json) struct json *json = NULL;
        CHECK(parse("{\"a\":1,\n\"b\":{\"k\":1,\"\\u006b\":2}}", &json, &why) == ERR_SYNTAX);
        CHECK(strcmp(why.text, "k: line 2, column 22: this object has a key twice") == 0);
}

static void add_keys(struct buf *buf, int count, int last)
{
        buf_add_text(buf, "{");
        for (int i = 0; i < count; i++)
                buf_addf(buf, "\"k%d\":%d,", (i * 7919) % count, i);
        buf_addf(buf, "\"k%d\":-1}", last);
}

TEST(json_parse, finds_keys_and_duplicates_among_many)
{
        OWN(buf) struct buf buf;
        buf_init(&buf, LIMIT_REQUEST_BYTES);
        add_keys(&buf, 5000, 5000);
        OWN(json) struct json *json = NULL;
        CHECK(json_parse(buf.bytes, buf.length, LIMIT_REQUEST_BYTES, &json, NULL) == OK);
        CHECK(json_count(json) == 5001 && json_int(json_get(json, "k5000"), 0) == -1);
        CHECK(json_int(json_get(json, "k7919"), -5) == -5 && json_int(json_get(json, "k2919"), -5) == 1);
        CHECK(strcmp(json_key_at(json, 1), "k2919") == 0);
        buf_clear(&buf);
        add_keys(&buf, 5000, 4321);
        CHECK(parse_only(buf.bytes, buf.length) == ERR_SYNTAX);
}

TEST(json_parse, names_line_and_column)
{
        struct why why;
        OWN(json) struct json *json = NULL;
        CHECK(parse("{\n  \"a\": 1,\n  \"b\": 1.5\n}", &json, &why) == ERR_SYNTAX);
        CHECK(strcmp(why.text, "line 3, column 8: only whole numbers are allowed") == 0);
        CHECK(parse("[1 2]", &json, &why) == ERR_SYNTAX);
        CHECK(strcmp(why.text, "line 1, column 4: , or ] is missing") == 0);
        CHECK(json == NULL);
}

TEST(json_parse, has_ceilings)
{
        char deep[2 * LIMIT_JSON_DEPTH + 2];
        memset(deep, '[', LIMIT_JSON_DEPTH);
        memset(deep + LIMIT_JSON_DEPTH, ']', LIMIT_JSON_DEPTH);
        CHECK(parse_only(deep, 2 * LIMIT_JSON_DEPTH) == OK);
        memset(deep, '[', LIMIT_JSON_DEPTH + 1);
        memset(deep + LIMIT_JSON_DEPTH + 1, ']', LIMIT_JSON_DEPTH + 1);
        CHECK(parse_only(deep, 2 * LIMIT_JSON_DEPTH + 2) == ERR_LIMIT);

        OWN(json) struct json *json = NULL;
        CHECK(json_parse("[1]", 3, 2, &json, NULL) == ERR_LIMIT);

        OWN(buf) struct buf many;
        buf_init(&many, 1 << 20);
        buf_add_text(&many, "[0");
        for (int i = 1; i < LIMIT_JSON_VALUES; i++)
                buf_add(&many, ",0", 2);
        buf_add_text(&many, "]");
        CHECK(buf_check(&many, NULL) == OK);
        CHECK(parse_only(many.bytes, many.length) == ERR_LIMIT);
}

TEST(json_parse, survives_every_allocation_failure)
{
        static const char text[] = "{\"a\":[1,2,3,4,5,{\"b\":null}],\"long enough to need memory of its own\":\"and its value too\",\"t\":true}";
        SWEEP_MEMORY {
                enum err e = parse_only(text, sizeof(text) - 1);
                CHECK(e == OK || e == ERR_NOMEM);
        }
}

TEST(json, walks_without_surprises)
{
        OWN(json) struct json *json = NULL;
        CHECK(parse("{\"list\":[10,\"x\"],\"yes\":true,\"none\":null}", &json, NULL) == OK);
        const struct json *list = json_get(json, "list");
        CHECK(json_type(list) == JSON_ARRAY && json_count(list) == 2);
        CHECK(json_int(json_at(list, 0), 0) == 10 && strcmp(json_text(json_at(list, 1)), "x") == 0);
        CHECK(json_at(list, 2) == NULL && json_at(json, 0) == NULL && json_get(list, "x") == NULL && json_get(json, "absent") == NULL);
        CHECK(json_text(list) == NULL && json_int(json_at(list, 1), 7) == 7 && json_bool(json_get(json, "yes"), false));
        CHECK(json_bool(NULL, true) && json_int(NULL, 3) == 3 && json_text(NULL) == NULL && json_count(NULL) == 0);
        CHECK(strcmp(json_key_at(json, 2), "none") == 0 && json_key_at(json, 3) == NULL && json_key_at(list, 0) == NULL);
        CHECK(json_type(json_value_at(json, 2)) == JSON_NULL && json_value_at(json, 3) == NULL);
}

static struct json *build_sample(void)
{
        struct json *json = json_new_object();
        json_set_text(json, "name", "a\nb");
        json_set_int(json, "n", 1);
        json_set_bool(json, "is", true);
        struct json *list = json_new_array();
        json_add(list, json_new_null());
        json_add(list, json_new_bool(false));
        json_set(json, "list", list);
        json_set_int(json, "n", 2);
        return json;
}

TEST(json_set, builds_in_order_and_replaces_in_place)
{
        OWN(json) struct json *json = build_sample();
        OWN(buf) struct buf buf;
        buf_init(&buf, 1000);
        CHECK(json_write(json, 0, &buf, NULL) == OK);
        CHECK(strcmp(buf_text(&buf), "{\"name\":\"a\\nb\",\"n\":2,\"is\":true,\"list\":[null,false]}") == 0);
        buf_clear(&buf);
        CHECK(json_write(json, 2, &buf, NULL) == OK);
        CHECK(strcmp(buf_text(&buf), "{\n  \"name\": \"a\\nb\",\n  \"n\": 2,\n  \"is\": true,\n  \"list\": [\n    null,\n    false\n  ]\n}") == 0);
}

TEST(json_set, never_hides_a_lost_value)
{
        SWEEP_MEMORY {
                OWN(json) struct json *json = build_sample();
                OWN(json) struct json *copy = json_copy(json);
                OWN(buf) struct buf buf;
                buf_init(&buf, 1000);
                enum err e = json_write(copy, 0, &buf, NULL);
                CHECK(e == ERR_NOMEM || strcmp(buf_text(&buf), "{\"name\":\"a\\nb\",\"n\":2,\"is\":true,\"list\":[null,false]}") == 0);
                CHECK(e == OK || e == ERR_NOMEM);
        }
}

TEST(json_set, refuses_text_that_is_not_utf8)
{
        OWN(json) struct json *json = json_new_object();
        json_set_text(json, "good", "\xC3\xA9");
        CHECK(json_is_whole(json));
        json_set_text(json, "bad", "\xC3");
        CHECK(!json_is_whole(json));
        OWN(buf) struct buf buf;
        buf_init(&buf, 100);
        CHECK(json_write(json, 0, &buf, NULL) != OK && buf.length == 0);
}

TEST(json_set, works_on_a_parsed_object_with_many_keys)
{
        OWN(buf) struct buf buf;
        buf_init(&buf, LIMIT_REQUEST_BYTES);
        add_keys(&buf, 100, 100);
        OWN(json) struct json *json = NULL;
        CHECK(json_parse(buf.bytes, buf.length, LIMIT_REQUEST_BYTES, &json, NULL) == OK);
        json_set_int(json, "k55", 5555);
        json_set_int(json, "new", 1);
        CHECK(json_int(json_get(json, "k55"), 0) == 5555 && json_int(json_get(json, "new"), 0) == 1 && json_count(json) == 102);
}

TEST(json_write, says_when_the_buffer_is_full)
{
        OWN(json) struct json *json = build_sample();
        OWN(buf) struct buf buf;
        buf_init(&buf, 10);
        CHECK(json_write(json, 0, &buf, NULL) == ERR_LIMIT);
        CHECK(json_write(NULL, 0, &buf, NULL) == ERR_NOMEM);
}

struct policy {
        int64_t budget, any;
        const char *name;
        bool is_on;
        const struct json *list, *map;
};

static const struct json_field policy_fields[] = {
        { "budget", JSON_INT, true, offsetof(struct policy, budget), 1, 1000 },
        { "any", JSON_INT, false, offsetof(struct policy, any), 0, 0 },
        { "name", JSON_TEXT, false, offsetof(struct policy, name), 1, 4 },
        { "is_on", JSON_BOOL, false, offsetof(struct policy, is_on), 0, 0 },
        { "list", JSON_ARRAY, false, offsetof(struct policy, list), 1, 2 },
        { "map", JSON_OBJECT, false, offsetof(struct policy, map), 0, 0 },
};

TEST(json_read, fills_the_struct_and_leaves_the_rest)
{
        OWN(json) struct json *json = NULL;
        CHECK(parse("{\"budget\":5,\"name\":\"abcd\",\"is_on\":true,\"list\":[1],\"map\":{}}", &json, NULL) == OK);
        struct policy policy = { .any = 77 };
        CHECK(JSON_READ(json, policy_fields, &policy, NULL) == OK);
        CHECK(policy.budget == 5 && policy.any == 77 && strcmp(policy.name, "abcd") == 0 && policy.is_on);
        CHECK(json_count(policy.list) == 1 && json_type(policy.map) == JSON_OBJECT);
}

TEST(json_read, names_the_field_at_fault)
{
        static const struct {
                const char *text, *complaint;
        } cases[] = {
                { "[]", "not an object" },
                { "{}", "budget: missing" },
                { "{\"budget\":0}", "budget: not an integer from 1 to 1000" },
                { "{\"budget\":1001}", "budget: not an integer from 1 to 1000" },
                { "{\"budget\":\"5\"}", "budget: not an integer from 1 to 1000" },
                { "{\"budget\":null}", "budget: not an integer from 1 to 1000" },
                { "{\"budget\":5,\"any\":true}", "any: not an integer" },
                { "{\"budget\":5,\"name\":\"\"}", "name: 0 bytes, not 1 to 4" },
                { "{\"budget\":5,\"name\":\"12345\"}", "name: 5 bytes, not 1 to 4" },
                { "{\"budget\":5,\"name\":1}", "name: not a string" },
                { "{\"budget\":5,\"is_on\":1}", "is_on: not true or false" },
                { "{\"budget\":5,\"list\":[]}", "list: 0 members, not 1 to 2" },
                { "{\"budget\":5,\"list\":{}}", "list: not an array" },
                { "{\"budget\":5,\"map\":[]}", "map: not an object" },
                { "{\"budgte\":5}", "unknown field `budgte`; did you mean `budget`?" },
                { "{\"budget\":5,\"zzz\":1}", "unknown field `zzz`" },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                OWN(json) struct json *json = NULL;
                struct policy policy = { 0 };
                struct why why;
                CHECK(parse(cases[i].text, &json, NULL) == OK);
                CHECK(JSON_READ(json, policy_fields, &policy, &why) == ERR_SYNTAX);
                CHECK(strcmp(why.text, cases[i].complaint) == 0);
        }
}
