#include "support/jansson.h"

#include <jansson.h>
#include <string.h>

static bool has_real(const json_t *json)
{
        const char *key;
        json_t *value;
        size_t i;
        if (json_is_object(json))
                json_object_foreach((json_t *)json, key, value)
                        if (has_real(value))
                                return true;
        if (json_is_array(json))
                json_array_foreach(json, i, value)
                        if (has_real(value))
                                return true;
        return json_is_real(json);
}

/* It passes over NUL bytes where white space may be; that is refused here in its place. */
static json_t *load(const void *bytes, size_t length)
{
        if (length && memchr(bytes, 0, length))
                return NULL;
        json_t *json = json_loadb(bytes, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
        if (!json || !has_real(json))
                return json;
        json_decref(json);
        return NULL;
}

bool jansson_reads(const void *bytes, size_t length)
{
        json_t *json = load(bytes, length);
        json_decref(json);
        return json != NULL;
}

bool jansson_agrees(const void *a, size_t a_length, const void *b, size_t b_length)
{
        json_t *left = load(a, a_length), *right = load(b, b_length);
        bool agrees = left && right && json_equal(left, right);
        json_decref(left);
        json_decref(right);
        return agrees;
}
