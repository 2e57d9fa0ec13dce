#include "format/json.h"

#include "base/mem.h"
#include "base/text.h"
#include "format/json_node.h"

#include <assert.h>
#include <string.h>

struct json *json_new_node(enum json_type type, size_t text_bytes)
{
        struct json *json = mem_new(1, sizeof(*json) + text_bytes);
        if (json)
                json->type = type;
        return json;
}

void json_close(struct json *json)
{
        if (!json)
                return;
        for (size_t i = 0; i < json->count; i++)
                json_close(json->items[i]);
        mem_free(json->items);
        mem_free(json->sorted);
        mem_free(json->key);
        mem_free(json);
}

/* ---- building ---- */

struct json *json_new_object(void) { return json_new_node(JSON_OBJECT, 0); }
struct json *json_new_array(void) { return json_new_node(JSON_ARRAY, 0); }
struct json *json_new_null(void) { return json_new_node(JSON_NULL, 0); }

struct json *json_new_text(const char *text)
{
        size_t length = strlen(text);
        struct json *json = text_is_utf8(text, length) ? json_new_node(JSON_TEXT, length + 1) : NULL;
        if (json)
                memcpy(json->text, text, length);
        return json;
}

struct json *json_new_int(int64_t value)
{
        struct json *json = json_new_node(JSON_INT, 0);
        if (json)
                json->number = value;
        return json;
}

struct json *json_new_bool(bool value)
{
        struct json *json = json_new_node(JSON_BOOL, 0);
        if (json)
                json->number = value;
        return json;
}

bool json_append(struct json *parent, struct json *child)
{
        if (parent->count == parent->capacity) {
                size_t capacity = parent->capacity ? parent->capacity * 2 : 4;
                struct json **items = mem_resize(parent->items, capacity * sizeof(*items));
                if (!items)
                        return false;
                parent->items = items;
                parent->capacity = capacity;
        }
        parent->items[parent->count++] = child;
        return true;
}

void json_add(struct json *array, struct json *take_value)
{
        assert(!array || array->type == JSON_ARRAY);
        if (array && take_value && json_append(array, take_value))
                return;
        if (array)
                array->is_broken = true;
        json_close(take_value);
}

static struct json **find(const struct json *object, const char *key)
{
        for (size_t i = 0; i < object->count; i++)
                if (strcmp(object->items[i]->key, key) == 0)
                        return &object->items[i];
        return NULL;
}

static char *copy_key(const char *key)
{
        size_t length = strlen(key);
        char *copy = text_is_utf8(key, length) ? mem_new(length + 1, 1) : NULL;
        return copy ? memcpy(copy, key, length) : NULL;
}

static bool set_member(struct json *object, const char *key, struct json *value)
{
        value->key = copy_key(key);
        if (!value->key)
                return false;
        mem_free(object->sorted);
        object->sorted = NULL;
        struct json **old = find(object, key);
        if (!old)
                return json_append(object, value);
        json_close(*old);
        *old = value;
        return true;
}

void json_set(struct json *object, const char *key, struct json *take_value)
{
        assert(!object || object->type == JSON_OBJECT);
        if (object && take_value && set_member(object, key, take_value))
                return;
        if (object)
                object->is_broken = true;
        json_close(take_value);
}

void json_set_text(struct json *object, const char *key, const char *text)
{
        json_set(object, key, text ? json_new_text(text) : NULL);
}

void json_set_int(struct json *object, const char *key, int64_t value) { json_set(object, key, json_new_int(value)); }
void json_set_bool(struct json *object, const char *key, bool value) { json_set(object, key, json_new_bool(value)); }

bool json_is_whole(const struct json *json)
{
        if (!json || json->is_broken)
                return false;
        for (size_t i = 0; i < json->count; i++)
                if (!json_is_whole(json->items[i]))
                        return false;
        return true;
}

struct json *json_copy(const struct json *json)
{
        if (!json)
                return NULL;
        if (json->type == JSON_TEXT)
                return json_new_text(json->text);
        OWN(json) struct json *copy = json_new_node(json->type, 0);
        if (!copy)
                return NULL;
        copy->number = json->number;
        copy->is_broken = json->is_broken;
        for (size_t i = 0; i < json->count; i++) {
                const struct json *item = json->items[i];
                OWN(json) struct json *child = json_copy(item);
                if (!child || (item->key && !(child->key = copy_key(item->key))) || !json_append(copy, child))
                        return NULL;
                (void)GIVE(child);
        }
        return GIVE(copy);
}

/* ---- walking ---- */

static int compare_keys(const void *a, const void *b)
{
        return strcmp((*(struct json *const *)a)->key, (*(struct json *const *)b)->key);
}

struct json **json_sorted(const struct json *object)
{
        struct json **sorted = mem_new(object->count + 1, sizeof(*sorted));
        if (!sorted)
                return NULL;
        for (size_t i = 0; i < object->count; i++)
                sorted[i] = object->items[i];
        qsort(sorted, object->count, sizeof(*sorted), compare_keys);
        return sorted;
}

enum json_type json_type(const struct json *json) { return json ? json->type : JSON_NULL; }

const struct json *json_get(const struct json *object, const char *key)
{
        if (!object || object->type != JSON_OBJECT)
                return NULL;
        if (!object->sorted) {
                struct json **found = find(object, key);
                return found ? *found : NULL;
        }
        struct json wanted = { .key = (char *)key }, *wanted_at = &wanted;
        struct json **found = bsearch(&wanted_at, object->sorted, object->count, sizeof(*found), compare_keys);
        return found ? *found : NULL;
}

size_t json_count(const struct json *json) { return json ? json->count : 0; }

const struct json *json_at(const struct json *array, size_t index)
{
        return array && array->type == JSON_ARRAY && index < array->count ? array->items[index] : NULL;
}

const struct json *json_value_at(const struct json *object, size_t index)
{
        return object && object->type == JSON_OBJECT && index < object->count ? object->items[index] : NULL;
}

const char *json_key_at(const struct json *object, size_t index)
{
        const struct json *value = json_value_at(object, index);
        return value ? value->key : NULL;
}

const char *json_text(const struct json *json) { return json && json->type == JSON_TEXT ? json->text : NULL; }
int64_t json_int(const struct json *json, int64_t otherwise) { return json && json->type == JSON_INT ? json->number : otherwise; }
bool json_bool(const struct json *json, bool otherwise) { return json && json->type == JSON_BOOL ? json->number : otherwise; }
