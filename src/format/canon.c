#include "format/canon.h"

#include "format/json_node.h"


static void write_text(const char *text, struct buf *into)
{
        buf_add(into, "\"", 1);
        while (*text) {
                size_t plain = 0;
                while (text[plain] && text[plain] != '"' && text[plain] != '\\')
                        plain++;
                buf_add(into, text, plain);
                text += plain;
                if (*text)
                        buf_addf(into, "\\%c", *text++);
        }
        buf_add(into, "\"", 1);
}

static enum err write_value(const struct json *json, struct buf *into, struct why *why);

/* Byte order of UTF-8 is the order of code points. */
static enum err write_object(const struct json *json, struct buf *into, struct why *why)
{
        OWN(json_index) struct json **sorted = json_sorted(json);
        if (!sorted)
                return FAIL(why, ERR_NOMEM, "out of memory at %zu keys", json->count);
        buf_add(into, "{", 1);
        for (size_t i = 0; i < json->count; i++) {
                if (i)
                        buf_add(into, ",", 1);
                write_text(sorted[i]->key, into);
                buf_add(into, ":", 1);
                enum err e = write_value(sorted[i], into, why);
                if (e)
                        return e;
        }
        buf_add(into, "}", 1);
        return OK;
}

static enum err write_array(const struct json *json, struct buf *into, struct why *why)
{
        buf_add(into, "[", 1);
        for (size_t i = 0; i < json->count; i++) {
                if (i)
                        buf_add(into, ",", 1);
                enum err e = write_value(json->items[i], into, why);
                if (e)
                        return e;
        }
        buf_add(into, "]", 1);
        return OK;
}

static enum err write_value(const struct json *json, struct buf *into, struct why *why)
{
        switch (json->type) {
        case JSON_OBJECT: return write_object(json, into, why);
        case JSON_ARRAY: return write_array(json, into, why);
        case JSON_TEXT: write_text(json->text, into); break;
        case JSON_INT: buf_add_int(into, json->number); break;
        case JSON_BOOL: buf_add_text(into, json->number ? "true" : "false"); break;
        case JSON_NULL: buf_add_text(into, "null"); break;
        }
        return OK;
}

enum err canon_write(const struct json *json, struct buf *into, struct why *why)
{
        if (!json_is_whole(json))
                return FAIL(why, ERR_NOMEM, "a value was lost: memory ran out, or a text was not UTF-8");
        enum err e = write_value(json, into, why);
        return e ? e : buf_check(into, why);
}
