/* attributes.h - what a device says of itself: "os=debian,os_version=12,site=b1".
 *
 * At most LIMIT_ATTRIBUTES pairs, each key once, keys and values are names (formats.md, Conventions); may be empty. */
#pragma once

#include "base/err.h"
#include "base/limits.h"

#include <stddef.h>

struct attribute {
        char key[LIMIT_NAME_BYTES + 1], value[LIMIT_NAME_BYTES + 1];
};

struct attributes {
        size_t count;
        struct attribute items[LIMIT_ATTRIBUTES];
};

MUST_CHECK enum err attributes_parse(const char *text, struct attributes *ret_attributes, struct why *why);
const char *attributes_get(const struct attributes *attributes, const char *key);   /* NULL: none */
