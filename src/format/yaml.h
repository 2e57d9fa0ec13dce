/* yaml.h - a YAML file read by a schema table, with the line in every complaint: "agent.yaml:12: unknown key `bake`; did you mean `bake_s`?".
 *
 * Numbers are decimal and plain (`5`, not `"5"` or `0x5`), truth is `true` or `false`, `key:` with nothing after it is an
 * error (`key: ""` is the empty text). An empty file is an empty map.
 *
 * A safe subset: no anchors, aliases, tags or duplicate keys; at most LIMIT_YAML_BYTES. */
#pragma once

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum yaml_type { YAML_TEXT, YAML_INT, YAML_BOOL, YAML_TEXTS, YAML_LINES, YAML_PAIRS, YAML_MAP, YAML_MAPS, YAML_HERE };

struct yaml_texts { size_t count; const char **items; };
struct yaml_pair { const char *key, *text; size_t line; };
struct yaml_pairs { size_t count; struct yaml_pair *items; };      /* YAML_PAIRS: a map of texts whose keys are free; YAML_LINES: a list of texts, `key` NULL */
struct yaml_maps { size_t count; void *items; };      /* count structs of the schema's item_size */

struct yaml_schema;
struct yaml_key {
        const char *key;                     /* NULL with YAML_HERE, which stands for no key: the line at which the map begins, a size_t */
        enum yaml_type type;
        bool required;
        size_t offset;                       /* const char *, int64_t, bool, struct yaml_texts, struct yaml_pairs, a nested struct, struct yaml_maps */
        int64_t min, max;                    /* integers: range; text: bytes; texts, pairs and maps: count. Both 0: any */
        const struct yaml_schema *schema;    /* YAML_MAP and YAML_MAPS */
};
struct yaml_schema {
        const struct yaml_key *keys;
        size_t key_count, item_size;
};

/* At most 64 keys a map; items of a list start as zeros. `name` is for messages. Fields that the file does not have keep
 * what the caller put there. Text lives in the arena.
 * ERR_SYNTAX names file and line; ERR_LIMIT, ERR_NOMEM. After a failure, some fields may have been written. */
MUST_CHECK enum err yaml_read(struct arena *arena, const char *name, const char *bytes, size_t length,
                              const struct yaml_schema *schema, void *into, struct why *why);
