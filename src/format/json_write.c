#include "base/text.h"
#include "format/json_node.h"


static void new_line(unsigned indent, unsigned depth, struct buf *into)
{
        if (indent)
                buf_addf(into, "\n%*s", (int)(indent * depth), "");
}

struct writer {
        struct buf *into;
        unsigned indent;
};

static void write_value(const struct writer *writer, const struct json *json, unsigned depth);

static void write_members(const struct writer *writer, const struct json *json, unsigned depth)
{
        bool is_object = json->type == JSON_OBJECT;
        buf_add(writer->into, is_object ? "{" : "[", 1);
        for (size_t i = 0; i < json->count; i++) {
                if (i)
                        buf_add(writer->into, ",", 1);
                new_line(writer->indent, depth + 1, writer->into);
                if (is_object) {
                        text_quote(json->items[i]->key, writer->into);
                        buf_add_text(writer->into, writer->indent ? ": " : ":");
                }
                write_value(writer, json->items[i], depth + 1);
        }
        if (json->count)
                new_line(writer->indent, depth, writer->into);
        buf_add(writer->into, is_object ? "}" : "]", 1);
}

static void write_value(const struct writer *writer, const struct json *json, unsigned depth)
{
        switch (json->type) {
        case JSON_OBJECT:
        case JSON_ARRAY: write_members(writer, json, depth); break;
        case JSON_TEXT: text_quote(json->text, writer->into); break;
        case JSON_INT: buf_add_int(writer->into, json->number); break;
        case JSON_BOOL: buf_add_text(writer->into, json->number ? "true" : "false"); break;
        case JSON_NULL: buf_add_text(writer->into, "null"); break;
        }
}

enum err json_write(const struct json *json, unsigned indent, struct buf *into, struct why *why)
{
        if (!json_is_whole(json))
                return FAIL(why, ERR_NOMEM, "a value was lost: memory ran out, or a text was not UTF-8");
        struct writer writer = { into, indent };
        write_value(&writer, json, 0);
        return buf_check(into, why);
}
