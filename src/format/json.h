/* json.h - a JSON document as a tree: read strictly, walked, built, written.
 *
 * Strict: UTF-8, no duplicate keys, no reals, no NUL, depth at most LIMIT_JSON_DEPTH, nothing after the end.
 * Not for the hot path: see flat.h. Canonical form: see canon.h. Why it is ours and not a library's: docs/decisions/001-json.md. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json;   /* an owned document, or a borrowed part of one */

enum json_type { JSON_OBJECT, JSON_ARRAY, JSON_TEXT, JSON_INT, JSON_BOOL, JSON_NULL };

/* ERR_SYNTAX names line and column; ERR_LIMIT for depth or bytes_max. */
MUST_CHECK enum err json_parse(const void *bytes, size_t length, size_t bytes_max, struct json **ret_json, struct why *why);
void json_close(struct json *json);
OWN_DEFINE(json, struct json *, json_close)

/* Walking: everything returned is borrowed from the document. */
enum json_type json_type(const struct json *json);
const struct json *json_get(const struct json *object, const char *key);      /* NULL: absent, or not an object */
size_t json_count(const struct json *json);                                    /* of an array or object */
const struct json *json_at(const struct json *array, size_t index);
const char *json_key_at(const struct json *object, size_t index);              /* in the document's order */
const struct json *json_value_at(const struct json *object, size_t index);
const char *json_text(const struct json *json);                                /* NULL unless JSON_TEXT */
int64_t json_int(const struct json *json, int64_t otherwise);
bool json_bool(const struct json *json, bool otherwise);

/* Building: NULL when out of memory, and every setter takes NULL values, so calls string together;
 * json_write() then says ERR_NOMEM. `take_` values belong to the document, also on failure. A key that is
 * there already gets the new value in its old place. */
struct json *json_new_object(void);
struct json *json_new_array(void);
struct json *json_new_text(const char *text);                                   /* must be UTF-8 */
struct json *json_new_int(int64_t value);
struct json *json_new_bool(bool value);
struct json *json_new_null(void);
struct json *json_copy(const struct json *json);                                /* deep */
void json_set(struct json *object, const char *key, struct json *take_value);
void json_set_text(struct json *object, const char *key, const char *text);
void json_set_int(struct json *object, const char *key, int64_t value);
void json_set_bool(struct json *object, const char *key, bool value);
void json_add(struct json *array, struct json *take_value);
bool json_is_whole(const struct json *json);                                    /* false: an allocation failed on the way */

/* One line, keys in insertion order; `indent` > 0 for people. */
MUST_CHECK enum err json_write(const struct json *json, unsigned indent, struct buf *into, struct why *why);

/* Reading an object into a struct by table: unknown, missing and wrongly typed fields are errors that
 * name the field ("budget: not an integer from 1 to 1000000"). Text is borrowed from the document. */
struct json_field {
        const char *key;
        enum json_type type;
        bool required;
        size_t offset;              /* of const char *, int64_t, bool or const struct json * in the struct */
        int64_t min, max;           /* integers: range; text, arrays, objects: least and most bytes or members.
                                     * Both 0: any */
};
MUST_CHECK enum err json_read(const struct json *object, const struct json_field *fields, size_t field_count,
                              void *into, struct why *why);
#define JSON_READ(object, fields, into, why) json_read((object), (fields), sizeof(fields) / sizeof((fields)[0]), (into), (why))
