#include "base/limits.h"
#include "format/json_node.h"
#include "format/scan.h"

#include <string.h>

enum { SORTED_FROM = 16 };      /* below this many members, looking at each is quicker than an index */

struct parser {
        struct scan scan;
        unsigned depth;
        size_t values_left;
};

/* Sorting, not comparing each with each: 100,000 keys of an attacker cost milliseconds, not minutes. */
static enum err refuse_duplicates(struct parser *parser, struct json *object, struct why *why)
{
        OWN(json_index) struct json **sorted = json_sorted(object);
        if (!sorted)
                return FAIL(why, ERR_NOMEM, "out of memory at %zu keys", object->count);
        for (size_t i = 1; i < object->count; i++)
                if (strcmp(sorted[i - 1]->key, sorted[i]->key) == 0) {
                        enum err e = scan_fail(&parser->scan, "this object has a key twice", why);
                        return DURING(why, e, "%.60s", sorted[i]->key);
                }
        if (object->count >= SORTED_FROM)
                object->sorted = GIVE(sorted);
        return OK;
}

static enum err parse_value(struct parser *parser, struct json **ret_json, struct why *why);

/* The key is the current token. */
static enum err parse_member(struct parser *parser, struct json *object, struct why *why)
{
        if (parser->scan.token != SCAN_TEXT)
                return scan_fail(&parser->scan, "a key in quotes is missing", why);
        OWN(json_key) char *key = mem_new(parser->scan.text_length + 1, 1);
        if (!key)
                return FAIL(why, ERR_NOMEM, "out of memory for a key");
        scan_copy_text(&parser->scan, key);

        OWN(json) struct json *value = NULL;
        enum err e = scan_expect(&parser->scan, SCAN_COLON, why);
        if (!e)
                e = scan_next(&parser->scan, why);
        if (!e)
                e = parse_value(parser, &value, why);
        if (e)
                return e;
        value->key = GIVE(key);
        if (!json_append(object, value))
                return FAIL(why, ERR_NOMEM, "out of memory at %zu members", object->count);
        (void)GIVE(value);
        return OK;
}

static enum err parse_item(struct parser *parser, struct json *array, struct why *why)
{
        OWN(json) struct json *value = NULL;
        enum err e = parse_value(parser, &value, why);
        if (e)
                return e;
        if (!json_append(array, value))
                return FAIL(why, ERR_NOMEM, "out of memory at %zu items", array->count);
        (void)GIVE(value);
        return OK;
}

/* What `{` or `[` opened, up to its end. */
static enum err parse_members(struct parser *parser, struct json *into, struct why *why)
{
        bool is_object = into->type == JSON_OBJECT;
        enum scan_token end = is_object ? SCAN_CLOSE_OBJECT : SCAN_CLOSE_ARRAY;
        enum err e = scan_next(&parser->scan, why);
        if (!e && parser->scan.token == end)
                return OK;
        while (!e) {
                e = is_object ? parse_member(parser, into, why) : parse_item(parser, into, why);
                if (!e)
                        e = scan_next(&parser->scan, why);
                if (!e && parser->scan.token == end)
                        return is_object ? refuse_duplicates(parser, into, why) : OK;
                if (!e && parser->scan.token != SCAN_COMMA)
                        e = scan_fail(&parser->scan, is_object ? ", or } is missing" : ", or ] is missing", why);
                if (!e)
                        e = scan_next(&parser->scan, why);
        }
        return e;
}

static enum err parse_container(struct parser *parser, struct json *into, struct why *why)
{
        if (parser->depth == LIMIT_JSON_DEPTH)
                return FAIL(why, ERR_LIMIT, "nested more than %d deep", LIMIT_JSON_DEPTH);
        parser->depth++;
        enum err e = parse_members(parser, into, why);
        parser->depth--;
        return e;
}

static struct json *node_of_token(const struct scan *scan)
{
        switch ((int)scan->token) {
        case SCAN_OPEN_OBJECT: return json_new_object();
        case SCAN_OPEN_ARRAY: return json_new_array();
        case SCAN_INT: return json_new_int(scan->number);
        case SCAN_TRUE: case SCAN_FALSE: return json_new_bool(scan->token == SCAN_TRUE);
        case SCAN_NULL: return json_new_null();
        default: return json_new_node(JSON_TEXT, scan->text_length + 1);
        }
}

static bool begins_value(enum scan_token token)
{
        return token == SCAN_OPEN_OBJECT || token == SCAN_OPEN_ARRAY || (token >= SCAN_TEXT && token <= SCAN_NULL);
}

/* The current token begins the value. */
static enum err parse_value(struct parser *parser, struct json **ret_json, struct why *why)
{
        if (!begins_value(parser->scan.token))
                return scan_fail(&parser->scan, "a value is missing", why);
        if (!parser->values_left--)
                return FAIL(why, ERR_LIMIT, "more than %d values", LIMIT_JSON_VALUES);
        OWN(json) struct json *json = node_of_token(&parser->scan);
        if (!json)
                return FAIL(why, ERR_NOMEM, "out of memory for a value");
        if (json->type == JSON_TEXT)
                scan_copy_text(&parser->scan, json->text);
        if (json->type == JSON_OBJECT || json->type == JSON_ARRAY) {
                enum err e = parse_container(parser, json, why);
                if (e)
                        return e;
        }
        *ret_json = GIVE(json);
        return OK;
}

enum err json_parse(const void *bytes, size_t length, size_t bytes_max, struct json **ret_json, struct why *why)
{
        if (length > bytes_max)
                return FAIL(why, ERR_LIMIT, "%zu bytes of JSON; at most %zu are read", length, bytes_max);
        struct parser parser = { .values_left = LIMIT_JSON_VALUES };
        scan_init(&parser.scan, bytes, length);
        OWN(json) struct json *json = NULL;
        enum err e = scan_next(&parser.scan, why);
        if (!e)
                e = parse_value(&parser, &json, why);
        if (!e)
                e = scan_expect(&parser.scan, SCAN_END, why);
        if (e)
                return e;
        *ret_json = GIVE(json);
        return OK;
}
