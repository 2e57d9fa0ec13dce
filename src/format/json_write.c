#include "format/json_node.h"

#include <inttypes.h>
#include <string.h>

/* What JSON must escape; everything else, UTF-8 included, goes through as it is. */
static void write_text(const char *text, struct buf *into)
{
        static const char letters[32] = { ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r' };
        buf_add(into, "\"", 1);
        while (*text) {
                size_t plain = 0;
                while ((unsigned char)text[plain] >= 0x20 && text[plain] != '"' && text[plain] != '\\')
                        plain++;
                buf_add(into, text, plain);
                text += plain;
                if (!*text)
                        break;
                unsigned char c = (unsigned char)*text++;
                if (c >= 0x20 || letters[c])
                        buf_addf(into, "\\%c", c >= 0x20 ? c : letters[c]);
                else
                        buf_addf(into, "\\u%04x", c);
        }
        buf_add(into, "\"", 1);
}

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
                        write_text(json->items[i]->key, writer->into);
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
        case JSON_TEXT: write_text(json->text, writer->into); break;
        case JSON_INT: buf_addf(writer->into, "%" PRId64, json->number); break;
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
