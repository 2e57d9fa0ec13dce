#include "format/flat.h"

#include "base/limits.h"
#include "base/text.h"
#include "format/scan.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

enum { FIELDS_MAX = 64 };       /* one bit each for "seen" */

static enum err refuse_value(const struct flat_field *field, struct why *why)
{
        if (field->type == FLAT_INT)
                return FAIL(why, ERR_SYNTAX, "%s: not an integer from %" PRId64 " to %" PRId64, field->key, field->min, field->max);
        return FAIL(why, ERR_SYNTAX, "%s: not a string of %" PRId64 " to %zu bytes", field->key, field->min, field->size - 1);
}

static enum err read_value(const struct scan *scan, const struct flat_field *field, void *into, struct why *why)
{
        char *place = (char *)into + field->offset;
        bool is_int = field->type == FLAT_INT;
        if (scan->token != (is_int ? SCAN_INT : SCAN_TEXT))
                return refuse_value(field, why);
        if (is_int ? scan->number < field->min || scan->number > field->max
                   : scan->text_length >= field->size || (int64_t)scan->text_length < field->min)
                return refuse_value(field, why);
        if (is_int)
                memcpy(place, &scan->number, sizeof(scan->number));
        else
                scan_copy_text(scan, place);
        return OK;
}

struct reader {
        struct scan scan;
        const struct flat_field *fields;
        size_t field_count, next;               /* next: after the last one read; who writes as we do names that one */
        uint64_t seen;
        void *into;
};

/* The field that the current token names. */
static enum err find_field(const struct reader *reader, size_t *ret_at, struct why *why)
{
        const struct scan *scan = &reader->scan;
        char key[LIMIT_NAME_BYTES + 1];
        if (scan->token != SCAN_TEXT)
                return scan_fail(scan, "a key in quotes is missing", why);
        if (scan->text_length > LIMIT_NAME_BYTES)
                return scan_fail(scan, "unknown field", why);
        scan_copy_text(scan, key);
        for (size_t i = 0, at = reader->next; i < reader->field_count; i++, at++) {
                at = at < reader->field_count ? at : 0;
                if (strcmp(reader->fields[at].key, key) == 0) {
                        *ret_at = at;
                        return OK;
                }
        }
        return FAIL(why, ERR_SYNTAX, "unknown field `%s`", key);
}

static enum err read_member(struct reader *reader, struct why *why)
{
        size_t at = 0;
        enum err e = find_field(reader, &at, why);
        if (!e && reader->seen >> at & 1)
                e = FAIL(why, ERR_SYNTAX, "%s: there twice", reader->fields[at].key);
        if (!e)
                e = scan_expect(&reader->scan, SCAN_COLON, why);
        if (!e)
                e = scan_next(&reader->scan, why);
        if (!e)
                e = read_value(&reader->scan, &reader->fields[at], reader->into, why);
        reader->seen |= UINT64_C(1) << at;
        reader->next = at + 1;
        return e;
}

static enum err read_members(struct reader *reader, struct why *why)
{
        enum err e = scan_expect(&reader->scan, SCAN_OPEN_OBJECT, why);
        if (!e)
                e = scan_next(&reader->scan, why);
        if (!e && reader->scan.token == SCAN_CLOSE_OBJECT)
                return OK;
        while (!e) {
                e = read_member(reader, why);
                if (!e)
                        e = scan_next(&reader->scan, why);
                if (!e && reader->scan.token == SCAN_CLOSE_OBJECT)
                        return OK;
                if (!e && reader->scan.token != SCAN_COMMA)
                        e = scan_fail(&reader->scan, ", or } is missing", why);
                if (!e)
                        e = scan_next(&reader->scan, why);
        }
        return e;
}

enum err flat_read(const char *bytes, size_t length, const struct flat_field *fields, size_t field_count,
                   void *into, struct why *why)
{
        assert(field_count <= FIELDS_MAX);
        struct reader reader = { .fields = fields, .field_count = field_count, .into = into };
        scan_init(&reader.scan, bytes, length);
        enum err e = read_members(&reader, why);
        if (!e)
                e = scan_expect(&reader.scan, SCAN_END, why);
        for (size_t i = 0; i < field_count && !e; i++)
                if (fields[i].required && !(reader.seen >> i & 1))
                        e = FAIL(why, ERR_SYNTAX, "%s: missing", fields[i].key);
        return e;
}

void flat_write(const struct flat_field *fields, size_t field_count, const void *from, struct buf *into)
{
        for (size_t i = 0; i < field_count; i++) {
                const char *place = (const char *)from + fields[i].offset;
                int64_t number = 0;
                buf_add(into, i ? "," : "{", 1);
                text_quote(fields[i].key, into);
                buf_add(into, ":", 1);
                if (fields[i].type == FLAT_TEXT) {
                        text_quote(place, into);
                        continue;
                }
                memcpy(&number, place, sizeof(number));
                buf_add_int(into, number);
        }
        buf_add_text(into, field_count ? "}" : "{}");
}
