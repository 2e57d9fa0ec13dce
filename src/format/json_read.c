#include "format/json_node.h"
#include "format/near.h"

#include <inttypes.h>
#include <string.h>

static const char *const type_names[] = {
        [JSON_OBJECT] = "an object", [JSON_ARRAY] = "an array", [JSON_TEXT] = "a string",
        [JSON_INT] = "an integer", [JSON_BOOL] = "true or false", [JSON_NULL] = "null",
};

static bool is_bounded(const struct json_field *field) { return field->min || field->max; }

static enum err refuse_type(const struct json_field *field, struct why *why)
{
        if (field->type == JSON_INT && is_bounded(field))
                return FAIL(why, ERR_SYNTAX, "%s: not an integer from %" PRId64 " to %" PRId64, field->key, field->min, field->max);
        return FAIL(why, ERR_SYNTAX, "%s: not %s", field->key, type_names[field->type]);
}

static enum err check_range(const struct json_field *field, const struct json *value, struct why *why)
{
        if (!is_bounded(field) || value->type == JSON_BOOL || value->type == JSON_NULL)
                return OK;
        int64_t size = value->type == JSON_INT ? value->number
                       : value->type == JSON_TEXT ? (int64_t)strlen(value->text) : (int64_t)value->count;
        if (size >= field->min && size <= field->max)
                return OK;
        if (value->type == JSON_INT)
                return refuse_type(field, why);
        return FAIL(why, ERR_SYNTAX, "%s: %" PRId64 " %s, not %" PRId64 " to %" PRId64, field->key, size,
                    value->type == JSON_TEXT ? "bytes" : "members", field->min, field->max);
}

static void store_pointer(unsigned char *place, const void *pointer) { memcpy(place, &pointer, sizeof(pointer)); }

static void store(const struct json_field *field, const struct json *value, void *into)
{
        unsigned char *place = (unsigned char *)into + field->offset;
        switch (field->type) {
        case JSON_TEXT: store_pointer(place, value->text); break;
        case JSON_INT: memcpy(place, &value->number, sizeof(int64_t)); break;
        case JSON_BOOL: memcpy(place, &(bool){ value->number != 0 }, sizeof(bool)); break;
        case JSON_OBJECT:
        case JSON_ARRAY: store_pointer(place, value); break;
        case JSON_NULL: break;
        }
}

static enum err read_field(const struct json_field *field, const struct json *value, void *into, struct why *why)
{
        if (value->type != field->type)
                return refuse_type(field, why);
        enum err e = check_range(field, value, why);
        if (!e)
                store(field, value, into);
        return e;
}

static enum err refuse_unknown(const struct json_field *fields, size_t field_count, const char *key, struct why *why)
{
        struct near near = { .word = key };
        for (size_t i = 0; i < field_count; i++)
                near_consider(&near, fields[i].key);
        if (near.best)
                return FAIL(why, ERR_SYNTAX, "unknown field `%.64s`; did you mean `%s`?", key, near.best);
        return FAIL(why, ERR_SYNTAX, "unknown field `%.64s`", key);
}

static enum err refuse_unknowns(const struct json *object, const struct json_field *fields, size_t field_count, struct why *why)
{
        for (size_t i = 0; i < object->count; i++) {
                size_t k = 0;
                while (k < field_count && strcmp(fields[k].key, object->items[i]->key) != 0)
                        k++;
                if (k == field_count)
                        return refuse_unknown(fields, field_count, object->items[i]->key, why);
        }
        return OK;
}

enum err json_read(const struct json *object, const struct json_field *fields, size_t field_count,
                   void *into, struct why *why)
{
        if (!object || object->type != JSON_OBJECT)
                return FAIL(why, ERR_SYNTAX, "not an object");
        enum err e = refuse_unknowns(object, fields, field_count, why);
        for (size_t i = 0; i < field_count && !e; i++) {
                const struct json *value = json_get(object, fields[i].key);
                if (value)
                        e = read_field(&fields[i], value, into, why);
                else if (fields[i].required)
                        e = FAIL(why, ERR_SYNTAX, "%s: missing", fields[i].key);
        }
        return e;
}
