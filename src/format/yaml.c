#include "format/yaml.h"

#include "base/limits.h"
#include "format/near.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>
#include <yaml.h>

enum { KEYS_MAX = 64 };         /* of one map: one bit each for "seen" */
enum { PAIRS_MAX = 1000 };      /* of a map with free keys: each is compared with those before */

struct reader {
        yaml_parser_t parser;
        yaml_event_t event;          /* the current one; owned */
        struct arena *arena;
        const char *name;
};

static void reader_release(struct reader *reader)
{
        yaml_event_delete(&reader->event);
        yaml_parser_delete(&reader->parser);
}

static size_t event_line(const struct reader *reader) { return reader->event.start_mark.line + 1; }

/* "agent.yaml:12: what" */
#define COMPLAIN(reader, line, ...) \
        DURING(why, FAIL(why, ERR_SYNTAX, __VA_ARGS__), "%.60s:%zu", (reader)->name, (size_t)(line))

static enum err refuse_syntax(struct reader *reader, struct why *why)
{
        const yaml_parser_t *parser = &reader->parser;
        if (parser->error == YAML_MEMORY_ERROR)
                return FAIL(why, ERR_NOMEM, "%s: out of memory", reader->name);
        if (parser->error == YAML_READER_ERROR)
                return DURING(why, FAIL(why, ERR_SYNTAX, "byte %zu: %s", parser->problem_offset, parser->problem), "%s", reader->name);
        size_t line = (parser->problem_mark.line ? parser->problem_mark.line : parser->context_mark.line) + 1;
        return COMPLAIN(reader, line, "not YAML: %s", parser->problem ? parser->problem : "malformed");
}

static enum err refuse_tricks(struct reader *reader, struct why *why)
{
        const yaml_event_t *event = &reader->event;
        const yaml_char_t *anchor = NULL, *tag = NULL;
        if (event->type == YAML_SCALAR_EVENT) {
                anchor = event->data.scalar.anchor;
                tag = event->data.scalar.tag;
                if (memchr(event->data.scalar.value, 0, event->data.scalar.length))
                        return COMPLAIN(reader, event_line(reader), "a NUL character is not allowed");
        } else if (event->type == YAML_SEQUENCE_START_EVENT) {
                anchor = event->data.sequence_start.anchor;
                tag = event->data.sequence_start.tag;
        } else if (event->type == YAML_MAPPING_START_EVENT) {
                anchor = event->data.mapping_start.anchor;
                tag = event->data.mapping_start.tag;
        }
        if (anchor || event->type == YAML_ALIAS_EVENT)
                return COMPLAIN(reader, event_line(reader), "anchors and aliases (&name, *name) are not allowed; write it out");
        if (tag)
                return COMPLAIN(reader, event_line(reader), "tags (!name) are not allowed");
        return OK;
}

static enum err next(struct reader *reader, struct why *why)
{
        yaml_event_delete(&reader->event);
        if (!yaml_parser_parse(&reader->parser, &reader->event))
                return refuse_syntax(reader, why);
        return refuse_tricks(reader, why);
}

static bool is_bounded(const struct yaml_key *key) { return key->min || key->max; }

static enum err refuse_value(struct reader *reader, const struct yaml_key *key, struct why *why)
{
        static const char *const names[] = {
                [YAML_TEXT] = "a text", [YAML_INT] = "an integer", [YAML_BOOL] = "true or false", [YAML_TEXTS] = "a list of texts (- one)", [YAML_LINES] = "a list of texts (- one)", [YAML_PAIRS] = "a map of texts (key: text)",
                [YAML_MAP] = "a map (key: value)", [YAML_MAPS] = "a list of maps (- key: value)",
        };
        if (key->type == YAML_INT && is_bounded(key))
                return COMPLAIN(reader, event_line(reader), "%s: not an integer from %" PRId64 " to %" PRId64, key->key, key->min, key->max);
        return COMPLAIN(reader, event_line(reader), "%s: not %s", key->key, names[key->type]);
}

static enum err check_count(struct reader *reader, const struct yaml_key *key, size_t count, struct why *why)
{
        if (!is_bounded(key) || ((int64_t)count >= key->min && (int64_t)count <= key->max))
                return OK;
        return COMPLAIN(reader, event_line(reader), "%s: %zu %s, not %" PRId64 " to %" PRId64, key->key, count,
                        key->type == YAML_TEXT ? "bytes" : "items", key->min, key->max);
}

static enum err refuse_memory(struct reader *reader, struct why *why)
{
        return DURING(why, FAIL(why, ERR_NOMEM, "out of memory, or too large"), "%.60s:%zu", reader->name, event_line(reader));
}

/* The text of a scalar; NULL when it is none. `key:` with nothing after it is none either: "" says it. */
static const char *scalar_text(const struct reader *reader)
{
        const yaml_event_t *event = &reader->event;
        bool is_scalar = event->type == YAML_SCALAR_EVENT;
        if (!is_scalar || (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !event->data.scalar.length))
                return NULL;
        return (const char *)event->data.scalar.value;
}

/* Likewise, but not in quotes: "5" is a text. */
static const char *plain_text(const struct reader *reader)
{
        const char *text = scalar_text(reader);
        return text && reader->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE ? text : NULL;
}

static enum err read_text(struct reader *reader, const struct yaml_key *key, void *place, struct why *why)
{
        const char *text = scalar_text(reader);
        if (!text)
                return refuse_value(reader, key, why);
        enum err e = check_count(reader, key, strlen(text), why);
        if (e)
                return e;
        const char *copy = arena_strdup(reader->arena, text);
        if (!copy)
                return refuse_memory(reader, why);
        memcpy(place, &copy, sizeof(copy));
        return OK;
}

/* Decimal only: 010 and 0x10 mean different numbers to different people. */
static bool parse_int(const char *text, int64_t *ret_number)
{
        bool is_negative = *text == '-';
        const char *digits = text + is_negative;
        int64_t number = 0;
        if (!*digits || (digits[0] == '0' && digits[1]))
                return false;
        for (const char *at = digits; *at; at++) {
                if (*at < '0' || *at > '9' || __builtin_mul_overflow(number, 10, &number)
                    || __builtin_add_overflow(number, is_negative ? '0' - *at : *at - '0', &number))
                        return false;
        }
        *ret_number = number;
        return true;
}

static enum err read_int(struct reader *reader, const struct yaml_key *key, void *place, struct why *why)
{
        const char *text = plain_text(reader);
        int64_t number;
        if (!text || !parse_int(text, &number) || (is_bounded(key) && (number < key->min || number > key->max)))
                return refuse_value(reader, key, why);
        memcpy(place, &number, sizeof(number));
        return OK;
}

static enum err read_bool(struct reader *reader, const struct yaml_key *key, void *place, struct why *why)
{
        const char *text = plain_text(reader);
        bool is_true = text && strcmp(text, "true") == 0;
        if (!is_true && !(text && strcmp(text, "false") == 0))
                return refuse_value(reader, key, why);
        memcpy(place, &is_true, sizeof(is_true));
        return OK;
}

/* Room for one more item of a list: doubled when it is full, the old room stays in the arena. */
struct list { unsigned char *items; size_t count, capacity, size; };

static void *list_add(struct arena *arena, struct list *list)
{
        if (list->count == list->capacity) {
                size_t capacity = list->capacity ? list->capacity * 2 : 4;
                unsigned char *items = arena_alloc(arena, capacity, list->size);
                if (!items)
                        return NULL;
                if (list->count)
                        memcpy(items, list->items, list->count * list->size);
                list->items = items;
                list->capacity = capacity;
        }
        return list->items + list->size * list->count++;
}

typedef enum err read_item(struct reader *reader, const struct yaml_key *key, void *item, struct why *why);

static enum err read_list(struct reader *reader, const struct yaml_key *key, read_item *read, struct list *list, struct why *why)
{
        if (reader->event.type != YAML_SEQUENCE_START_EVENT)
                return refuse_value(reader, key, why);
        enum err e;
        while (!(e = next(reader, why)) && reader->event.type != YAML_SEQUENCE_END_EVENT) {
                void *item = list_add(reader->arena, list);
                e = item ? read(reader, key, item, why) : refuse_memory(reader, why);
                if (e)
                        return e;
        }
        return e ? e : check_count(reader, key, list->count, why);
}

static enum err read_text_item(struct reader *reader, const struct yaml_key *key, void *item, struct why *why)
{
        const struct yaml_key any = { .key = key->key, .type = YAML_TEXT };
        return read_text(reader, &any, item, why);
}

static enum err read_texts(struct reader *reader, const struct yaml_key *key, void *place, struct why *why)
{
        struct list list = { .size = sizeof(const char *) };
        enum err e = read_list(reader, key, read_text_item, &list, why);
        if (!e)
                memcpy(place, &(struct yaml_texts){ list.count, (const char **)(void *)list.items }, sizeof(struct yaml_texts));
        return e;
}

static enum err read_line(struct reader *reader, const struct yaml_key *key, void *item, struct why *why)
{
        struct yaml_pair *pair = item;
        *pair = (struct yaml_pair){ .line = event_line(reader) };
        return read_text_item(reader, key, &pair->text, why);
}

static enum err read_lines(struct reader *reader, const struct yaml_key *key, void *place, struct why *why)
{
        struct list list = { .size = sizeof(struct yaml_pair) };
        enum err e = read_list(reader, key, read_line, &list, why);
        if (!e)
                memcpy(place, &(struct yaml_pairs){ list.count, (struct yaml_pair *)(void *)list.items }, sizeof(struct yaml_pairs));
        return e;
}

/* The current event is the key. */
static enum err read_free_pair(struct reader *reader, const struct yaml_key *key, struct list *list, struct why *why)
{
        const char *name = scalar_text(reader);
        if (!name)
                return COMPLAIN(reader, event_line(reader), "%s: a key is missing", key->key);
        const struct yaml_pair *had = (const void *)list->items;
        for (size_t i = 0; i < list->count; i++)
                if (strcmp(had[i].key, name) == 0)
                        return COMPLAIN(reader, event_line(reader), "%.60s: there twice", name);
        struct yaml_pair *pair = list_add(reader->arena, list);
        const char *copy = pair ? arena_strdup(reader->arena, name) : NULL;
        if (!copy)
                return refuse_memory(reader, why);
        *pair = (struct yaml_pair){ .key = copy, .line = event_line(reader) };
        enum err e = next(reader, why);
        const struct yaml_key any = { .key = pair->key, .type = YAML_TEXT };
        return e ? e : read_text(reader, &any, &pair->text, why);
}

static enum err read_pairs(struct reader *reader, const struct yaml_key *key, void *place, struct why *why)
{
        struct list list = { .size = sizeof(struct yaml_pair) };
        if (reader->event.type != YAML_MAPPING_START_EVENT)
                return refuse_value(reader, key, why);
        enum err e;
        while (!(e = next(reader, why)) && reader->event.type != YAML_MAPPING_END_EVENT) {
                e = list.count < PAIRS_MAX ? read_free_pair(reader, key, &list, why)
                                           : DURING(why, FAIL(why, ERR_LIMIT, "%s: more than %d", key->key, PAIRS_MAX), "%.60s:%zu", reader->name, event_line(reader));
                if (e)
                        return e;
        }
        if (!e)
                e = check_count(reader, key, list.count, why);
        if (!e)
                memcpy(place, &(struct yaml_pairs){ list.count, (struct yaml_pair *)(void *)list.items }, sizeof(struct yaml_pairs));
        return e;
}

static enum err read_map(struct reader *reader, const struct yaml_schema *schema, void *into, struct why *why);

static enum err read_nested(struct reader *reader, const struct yaml_key *key, void *place, struct why *why)
{
        if (reader->event.type != YAML_MAPPING_START_EVENT)
                return refuse_value(reader, key, why);
        return read_map(reader, key->schema, place, why);
}

static enum err read_maps(struct reader *reader, const struct yaml_key *key, void *place, struct why *why)
{
        struct list list = { .size = key->schema->item_size };
        enum err e = read_list(reader, key, read_nested, &list, why);
        if (!e)
                memcpy(place, &(struct yaml_maps){ list.count, list.items }, sizeof(struct yaml_maps));
        return e;
}

static read_item *const readers[] = {
        [YAML_TEXT] = read_text, [YAML_INT] = read_int, [YAML_BOOL] = read_bool,
        [YAML_TEXTS] = read_texts, [YAML_LINES] = read_lines, [YAML_PAIRS] = read_pairs, [YAML_MAP] = read_nested, [YAML_MAPS] = read_maps,
};

static enum err refuse_unknown(struct reader *reader, const struct yaml_schema *schema, const char *key, struct why *why)
{
        struct near near = { .word = key };
        for (size_t i = 0; i < schema->key_count; i++)
                if (schema->keys[i].key)
                        near_consider(&near, schema->keys[i].key);
        if (near.best)
                return COMPLAIN(reader, event_line(reader), "unknown key `%.40s`; did you mean `%s`?", key, near.best);
        return COMPLAIN(reader, event_line(reader), "unknown key `%.40s`", key);
}

/* The current event is the key. */
static enum err read_pair(struct reader *reader, const struct yaml_schema *schema, uint64_t *seen, void *into, struct why *why)
{
        const char *key = scalar_text(reader);
        if (!key)
                return COMPLAIN(reader, event_line(reader), "a key is missing");
        size_t at = 0;
        while (at < schema->key_count && !(schema->keys[at].key && strcmp(schema->keys[at].key, key) == 0))
                at++;
        if (at == schema->key_count)
                return refuse_unknown(reader, schema, key, why);
        if (*seen >> at & 1)
                return COMPLAIN(reader, event_line(reader), "%s: there twice", key);
        *seen |= UINT64_C(1) << at;
        enum err e = next(reader, why);
        return e ? e : readers[schema->keys[at].type](reader, &schema->keys[at], (unsigned char *)into + schema->keys[at].offset, why);
}

static enum err check_missing(struct reader *reader, const struct yaml_schema *schema, uint64_t seen, size_t line, struct why *why)
{
        for (size_t i = 0; i < schema->key_count; i++)
                if (schema->keys[i].required && !(seen >> i & 1))
                        return COMPLAIN(reader, line, "%s: missing", schema->keys[i].key);
        return OK;
}

static enum err read_map(struct reader *reader, const struct yaml_schema *schema, void *into, struct why *why)
{
        assert(schema->key_count <= KEYS_MAX);
        size_t line = event_line(reader);
        uint64_t seen = 0;
        enum err e;
        for (size_t i = 0; i < schema->key_count; i++)
                if (schema->keys[i].type == YAML_HERE)
                        memcpy((unsigned char *)into + schema->keys[i].offset, &line, sizeof(line));
        while (!(e = next(reader, why)) && reader->event.type != YAML_MAPPING_END_EVENT) {
                e = read_pair(reader, schema, &seen, into, why);
                if (e)
                        return e;
        }
        return e ? e : check_missing(reader, schema, seen, line, why);
}

static bool is_nothing(const struct reader *reader)
{
        return reader->event.type == YAML_STREAM_END_EVENT || (reader->event.type == YAML_SCALAR_EVENT && !scalar_text(reader));
}

/* From the event after the start of the stream: one document, a map; an empty file is an empty map. */
static enum err read_document(struct reader *reader, const struct yaml_schema *schema, void *into, struct why *why)
{
        enum err e = next(reader, why);
        if (!e && reader->event.type == YAML_DOCUMENT_START_EVENT)
                e = next(reader, why);
        if (e)
                return e;
        if (is_nothing(reader))
                e = check_missing(reader, schema, 0, 1, why);
        else if (reader->event.type != YAML_MAPPING_START_EVENT)
                e = COMPLAIN(reader, event_line(reader), "not a map (key: value)");
        else
                e = read_map(reader, schema, into, why);
        while (!e && reader->event.type != YAML_STREAM_END_EVENT) {
                e = next(reader, why);
                if (!e && reader->event.type == YAML_DOCUMENT_START_EVENT)
                        e = COMPLAIN(reader, event_line(reader), "a second document; one is enough");
        }
        return e;
}

enum err yaml_read(struct arena *arena, const char *name, const char *bytes, size_t length,
                   const struct yaml_schema *schema, void *into, struct why *why)
{
        if (length > LIMIT_YAML_BYTES)
                return FAIL(why, ERR_LIMIT, "%s: %zu bytes; at most %d are read", name, length, LIMIT_YAML_BYTES);
        /* Zeroed, so that it can be released before libyaml filled it. */
        OWN(reader) struct reader reader = { .arena = arena, .name = name };
        if (!yaml_parser_initialize(&reader.parser))
                return FAIL(why, ERR_NOMEM, "%s: out of memory", name);
        yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(&reader.parser, (const unsigned char *)bytes, length);
        enum err e = next(&reader, why);
        return e ? e : read_document(&reader, schema, into, why);
}
