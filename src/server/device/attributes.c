#include "server/device/attributes.h"

#include "wire/device.h"

#include <string.h>

static enum err copy_name(const char *bytes, size_t length, char into[LIMIT_NAME_BYTES + 1], struct why *why)
{
        if (length > LIMIT_NAME_BYTES)
                return FAIL(why, ERR_SYNTAX, "attributes: a name is longer than %d bytes", LIMIT_NAME_BYTES);
        memcpy(into, bytes, length);
        into[length] = 0;
        return OK;
}

static enum err parse_pair(const char *pair, size_t length, struct attributes *into, struct why *why)
{
        const char *equals = memchr(pair, '=', length);
        struct attribute attribute;
        if (!equals)
                return FAIL(why, ERR_SYNTAX, "attributes: each is KEY=VALUE, as os=debian");
        if (into->count == LIMIT_ATTRIBUTES)
                return FAIL(why, ERR_LIMIT, "attributes: more than %d", LIMIT_ATTRIBUTES);
        enum err e = copy_name(pair, (size_t)(equals - pair), attribute.key, why);
        if (!e)
                e = copy_name(equals + 1, length - (size_t)(equals - pair) - 1, attribute.value, why);
        if (!e)
                e = wire_attribute_check(attribute.key, attribute.value, why);
        if (e)
                return e;
        if (attributes_get(into, attribute.key))
                return FAIL(why, ERR_SYNTAX, "attributes: %s is there twice", attribute.key);
        into->items[into->count++] = attribute;
        return OK;
}

enum err attributes_parse(const char *text, struct attributes *ret_attributes, struct why *why)
{
        struct attributes attributes = { 0 };
        while (*text) {
                size_t length = strcspn(text, ",");
                enum err e = parse_pair(text, length, &attributes, why);
                if (e)
                        return e;
                text += length;
                if (*text == ',' && !*++text)
                        return FAIL(why, ERR_SYNTAX, "attributes: nothing after the last comma");
        }
        *ret_attributes = attributes;
        return OK;
}

const char *attributes_get(const struct attributes *attributes, const char *key)
{
        for (size_t i = 0; i < attributes->count; i++)
                if (strcmp(attributes->items[i].key, key) == 0)
                        return attributes->items[i].value;
        return NULL;
}
