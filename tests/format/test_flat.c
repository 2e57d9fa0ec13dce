#include "format/flat.h"

#include "format/json.h"
#include "support/test.h"

#include <string.h>

struct body {
        char name[9], note[33];
        int64_t count, any;
};

static const struct flat_field fields[] = {
        { "name", FLAT_TEXT, true, offsetof(struct body, name), 9, 1, 0 },
        { "note", FLAT_TEXT, false, offsetof(struct body, note), 33, 0, 0 },
        { "count", FLAT_INT, true, offsetof(struct body, count), 8, 0, 100 },
        { "any", FLAT_INT, false, offsetof(struct body, any), 8, INT64_MIN, INT64_MAX },
};

static enum err read_text(const char *text, struct body *body, struct why *why)
{
        return flat_read(text, strlen(text), fields, 4, body, why);
}

TEST(flat_read, fills_the_struct_and_leaves_the_rest)
{
        struct body body = { .any = 42, .note = "kept" };
        CHECK(read_text(" { \"count\" : 7 , \"name\" : \"a\\u00e9\\n\" } ", &body, NULL) == OK);
        CHECK(body.count == 7 && body.any == 42 && strcmp(body.name, "a\xC3\xA9\n") == 0 && strcmp(body.note, "kept") == 0);
        CHECK(read_text("{\"\\u006eame\":\"12345678\",\"count\":0,\"note\":\"\",\"any\":-9223372036854775808}", &body, NULL) == OK);
        CHECK(strcmp(body.name, "12345678") == 0 && body.note[0] == 0 && body.any == INT64_MIN);
}

TEST(flat_read, takes_the_fields_in_any_order)
{
        static const char *const members[] = { "\"name\":\"n\"", "\"note\":\"o\"", "\"count\":3", "\"any\":-4" };
        for (unsigned order = 0; order < 256; order++) {
                unsigned at[4] = { order & 3, order >> 2 & 3, order >> 4 & 3, order >> 6 };
                bool is_each_once = (1u << at[0] | 1u << at[1] | 1u << at[2] | 1u << at[3]) == 15;
                struct body body = { .any = 0 };
                char text[200];
                snprintf(text, sizeof(text), "{%s,%s,%s,%s}", members[at[0]], members[at[1]], members[at[2]], members[at[3]]);
                CHECK((read_text(text, &body, NULL) == OK) == is_each_once);
                CHECK(!is_each_once || (body.name[0] == 'n' && body.note[0] == 'o' && body.count == 3 && body.any == -4));
        }
}

TEST(flat_read, names_the_field_at_fault)
{
        static const struct {
                const char *text, *complaint;
        } cases[] = {
                { "{}", "name: missing" },
                { "{\"name\":\"x\"}", "count: missing" },
                { "{\"name\":\"\",\"count\":1}", "name: not a string of 1 to 8 bytes" },
                { "{\"name\":\"123456789\",\"count\":1}", "name: not a string of 1 to 8 bytes" },
                { "{\"name\":\"1234567\\u00e9\",\"count\":1}", "name: not a string of 1 to 8 bytes" },
                { "{\"name\":1,\"count\":1}", "name: not a string of 1 to 8 bytes" },
                { "{\"name\":null,\"count\":1}", "name: not a string of 1 to 8 bytes" },
                { "{\"name\":{},\"count\":1}", "name: not a string of 1 to 8 bytes" },
                { "{\"name\":\"x\",\"count\":\"1\"}", "count: not an integer from 0 to 100" },
                { "{\"name\":\"x\",\"count\":-1}", "count: not an integer from 0 to 100" },
                { "{\"name\":\"x\",\"count\":101}", "count: not an integer from 0 to 100" },
                { "{\"name\":\"x\",\"count\":[1]}", "count: not an integer from 0 to 100" },
                { "{\"name\":\"x\",\"count\":1,\"count\":1}", "count: there twice" },
                { "{\"name\":\"x\",\"count\":1,\"\\u0063ount\":1}", "count: there twice" },
                { "{\"nam\":\"x\"}", "unknown field `nam`" },
                { "{\"name\":\"x\",\"count\":1.0}", "line 1, column 21: only whole numbers are allowed" },
                { "{\"name\":\"x\",\"count\":1}x", "line 1, column 23: not JSON" },
                { "{\"name\":\"x\",\"count\":1}{}", "line 1, column 23: something after the end" },
                { "[]", "line 1, column 1: not an object: { is missing" },
                { "", "line 1, column 1: not an object: { is missing" },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct body body = { .any = 0 };
                struct why why;
                CHECK(read_text(cases[i].text, &body, &why) == ERR_SYNTAX);
                CHECK(strcmp(why.text, cases[i].complaint) == 0);
        }
}

TEST(flat_read, never_writes_past_a_field)
{
        struct { struct body body; char after[8]; } room;
        memset(&room, 'x', sizeof(room));
        CHECK(read_text("{\"count\":1,\"note\":\"\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00\"}",
                        &room.body, NULL) == ERR_SYNTAX);       /* fits to the byte; then the name is missing */
        CHECK(strlen(room.body.note) == 32);
        CHECK(read_text("{\"name\":\"1234567\\ud83d\\ude00\"}", &room.body, NULL) == ERR_SYNTAX);
        CHECK(room.body.name[0] == 'x' && memcmp(room.after, "xxxxxxxx", 8) == 0);
}

TEST(flat_read, reads_nothing_past_the_end)
{
        static const char text[] = "{\"name\":\"\\ud83d\\ude00\",\"count\":12,\"note\":\"\xF0\x9F\x98\x80\"}";
        struct body body;
        for (size_t length = 0; length < sizeof(text) - 1; length++) {
                char *exact = malloc(length ? length : 1);
                CHECK(exact);
                memcpy(exact, text, length);
                CHECK(flat_read(exact, length, fields, 4, &body, NULL) == ERR_SYNTAX);
                free(exact);
        }
        CHECK(flat_read(text, sizeof(text) - 1, fields, 4, &body, NULL) == OK);
}

TEST(flat_write, writes_what_flat_read_and_json_parse_read)
{
        struct body body = { .name = "a\"\n\xC3\xA9", .note = "", .count = 100, .any = INT64_MIN }, back = { .any = 1 };
        OWN(buf) struct buf buf;
        buf_init(&buf, 1000);
        flat_write(fields, 4, &body, &buf);
        CHECK(strcmp(buf_text(&buf), "{\"name\":\"a\\\"\\n\xC3\xA9\",\"note\":\"\",\"count\":100,\"any\":-9223372036854775808}") == 0);
        CHECK(flat_read(buf.bytes, buf.length, fields, 4, &back, NULL) == OK);
        CHECK(strcmp(back.name, body.name) == 0 && back.any == INT64_MIN);
        OWN(json) struct json *json = NULL;
        CHECK(json_parse(buf.bytes, buf.length, 1000, &json, NULL) == OK);
}
