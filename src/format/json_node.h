/* json_node.h - what a value is made of: shared by json*.c and canon.c, nobody else. */
#pragma once

#include "base/mem.h"
#include "format/json.h"

struct json {
        enum json_type type;
        bool is_broken;              /* a member was lost on the way in; see json_is_whole() */
        char *key;                   /* owned; NULL unless a member of an object */
        int64_t number;              /* JSON_INT, JSON_BOOL */
        struct json **items;         /* owned, in the document's order */
        struct json **sorted;        /* the same pointers by key, or NULL: looked up one by one */
        size_t count, capacity;
        char text[];                 /* JSON_TEXT */
};

struct json *json_new_node(enum json_type type, size_t text_bytes);
bool json_append(struct json *parent, struct json *child);      /* false: out of memory, and nothing changed */

/* The members by key, in an array of the caller's; NULL when out of memory. */
struct json **json_sorted(const struct json *object);

OWN_DEFINE(json_index, struct json **, mem_free)
OWN_DEFINE(json_key, char *, mem_free)
