#include "trust/bundle.h"

#include "trust/word.h"

#include <stddef.h>
#include <string.h>

enum { HEAD_BYTES = 5, FILE_MASK = 0xc0, NUMBER_BYTES = 8 };

static void add_head(struct buf *bundle, uint8_t kind, size_t length)
{
        uint8_t head[HEAD_BYTES] = { kind, (uint8_t)length, (uint8_t)(length >> 8), (uint8_t)(length >> 16), (uint8_t)(length >> 24) };
        buf_add(bundle, head, sizeof(head));
}

void bundle_add(struct buf *bundle, uint8_t kind, const void *bytes, size_t length)
{
        add_head(bundle, kind, length);
        buf_add(bundle, bytes, length);
}

void bundle_add_text(struct buf *bundle, uint8_t kind, const char *text)
{
        bundle_add(bundle, kind, text, strlen(text));
}

void bundle_add_numbers(struct buf *bundle, uint8_t kind, const uint64_t *numbers, size_t count)
{
        add_head(bundle, kind, count * NUMBER_BYTES);
        for (size_t i = 0; i < count * NUMBER_BYTES; i++) {
                uint8_t byte = (uint8_t)(numbers[i / NUMBER_BYTES] >> (8 * (i % NUMBER_BYTES)));
                buf_add(bundle, &byte, 1);
        }
}

void bundle_add_number(struct buf *bundle, uint8_t kind, uint64_t number)
{
        bundle_add_numbers(bundle, kind, &number, 1);
}

static bool is_kind(uint8_t kind)
{
        uint8_t files = kind & FILE_MASK;
        if (!files)
                return kind >= BUNDLE_NOW && kind <= BUNDLE_DENIED;
        uint8_t which = kind & (uint8_t)~FILE_MASK;
        return which < BUNDLE_REPOSITORIES << 2 && (files != BUNDLE_ABSENT || (which & 3) == TUF_ROOT);
}

static enum err split(const uint8_t *bytes, size_t length, struct bundle *bundle, struct why *why)
{
        for (size_t at = 0; at < length;) {
                if (length - at < HEAD_BYTES)
                        return FAIL(why, ERR_SYNTAX, "bundle: record %zu is cut", bundle->count);
                const uint8_t *head = bytes + at;
                size_t size = (size_t)head[1] | (size_t)head[2] << 8 | (size_t)head[3] << 16 | (size_t)head[4] << 24;
                if (size > length - at - HEAD_BYTES)
                        return FAIL(why, ERR_SYNTAX, "bundle: record %zu is cut", bundle->count);
                if (!is_kind(head[0]))
                        return FAIL(why, ERR_SYNTAX, "bundle: record %zu is of kind %u, which there is not", bundle->count, head[0]);
                if (bundle->count == BUNDLE_RECORDS_MAX)
                        return FAIL(why, ERR_LIMIT, "bundle: more than %d records", BUNDLE_RECORDS_MAX);
                bundle->records[bundle->count++] = (struct bundle_record){ head[0], head + HEAD_BYTES, size };
                at += HEAD_BYTES + size;
        }
        return OK;
}

unsigned bundle_find(const struct bundle *bundle, uint8_t kind)
{
        for (size_t i = bundle->count; i > 0; i--)
                if (bundle->records[i - 1].kind == kind)
                        return (unsigned)i - 1;
        return BUNDLE_NONE;
}

/* Everything is there once; fresh roots may follow each other. */
static enum err check_once(const struct bundle *bundle, struct why *why)
{
        unsigned seen[256] = { 0 };
        for (size_t i = 0; i < bundle->count; i++) {
                uint8_t kind = bundle->records[i].kind;
                bool is_root = (kind & FILE_MASK) == BUNDLE_FRESH && (kind & 3) == TUF_ROOT;
                if (++seen[kind] > (is_root ? BUNDLE_ROOTS_MAX : 1))
                        return FAIL(why, ERR_SYNTAX, "bundle: kind %u is there %u times", kind, seen[kind]);
        }
        return OK;
}

static uint64_t number_at(const uint8_t *bytes)
{
        uint64_t number = 0;
        for (size_t i = 0; i < NUMBER_BYTES; i++)
                number |= (uint64_t)bytes[i] << (8 * i);
        return number;
}

bool bundle_denies(const struct bundle *bundle, uint64_t counter)
{
        unsigned index = bundle_find(bundle, BUNDLE_DENIED);
        for (size_t at = 0; index != BUNDLE_NONE && at + NUMBER_BYTES <= bundle->records[index].length; at += NUMBER_BYTES)
                if (number_at(bundle->records[index].bytes + at) == counter)
                        return true;
        return false;
}

static enum err read_number(const struct bundle *bundle, enum bundle_kind kind, uint64_t *ret_number, struct why *why)
{
        unsigned index = bundle_find(bundle, (uint8_t)kind);
        *ret_number = 0;
        if (index == BUNDLE_NONE || bundle->records[index].length != NUMBER_BYTES)
                return FAIL(why, ERR_SYNTAX, "bundle: kind %u is not there, or not 8 bytes", kind);
        *ret_number = number_at(bundle->records[index].bytes);
        return *ret_number <= INT64_MAX ? OK : FAIL(why, ERR_SYNTAX, "bundle: the number of kind %u is out of range", kind);
}

static const struct word_field { enum bundle_kind kind; size_t offset, bytes_max; bool (*is_good)(const char *text); } word_fields[] = {
        { BUNDLE_DEVICE, offsetof(struct bundle, device), 32, word_is_device },
        { BUNDLE_RING, offsetof(struct bundle, ring), LIMIT_NAME_BYTES, word_is_name },
        { BUNDLE_PLATFORM, offsetof(struct bundle, platform), LIMIT_NAME_BYTES, word_is_name },
        { BUNDLE_STREAM, offsetof(struct bundle, stream), LIMIT_NAME_BYTES, word_is_name },
};

static enum err read_word(struct bundle *bundle, const struct word_field *field, struct why *why)
{
        unsigned index = bundle_find(bundle, (uint8_t)field->kind);
        char *word = (char *)bundle + field->offset;
        if (index == BUNDLE_NONE || bundle->records[index].length > field->bytes_max)
                return FAIL(why, ERR_SYNTAX, "bundle: kind %u is not there, or too long", field->kind);
        memcpy(word, bundle->records[index].bytes, bundle->records[index].length);
        if (strlen(word) != bundle->records[index].length || !field->is_good(word))
                return FAIL(why, ERR_SYNTAX, "bundle: kind %u is not such a word", field->kind);
        return OK;
}

enum err bundle_parse(const void *bytes, size_t length, struct bundle *ret_bundle, struct why *why)
{
        uint64_t now = 0;
        *ret_bundle = (struct bundle){ .count = 0 };
        if (length > BUNDLE_BYTES_MAX)
                return FAIL(why, ERR_LIMIT, "a bundle has at most %d bytes", BUNDLE_BYTES_MAX);
        enum err e = split(bytes, length, ret_bundle, why);
        if (!e)
                e = check_once(ret_bundle, why);
        if (!e)
                e = read_number(ret_bundle, BUNDLE_NOW, &now, why);
        if (!e)
                e = read_number(ret_bundle, BUNDLE_FLOOR, &ret_bundle->floor, why);
        if (!e && bundle_find(ret_bundle, BUNDLE_WANTED) != BUNDLE_NONE)
                e = read_number(ret_bundle, BUNDLE_WANTED, &ret_bundle->wanted, why);
        ret_bundle->has_above = bundle_find(ret_bundle, BUNDLE_ABOVE) != BUNDLE_NONE;
        if (!e && ret_bundle->has_above)
                e = read_number(ret_bundle, BUNDLE_ABOVE, &ret_bundle->above, why);
        ret_bundle->now = (int64_t)now;
        for (size_t i = 0; !e && i < sizeof(word_fields) / sizeof(word_fields[0]); i++)
                e = read_word(ret_bundle, &word_fields[i], why);
        return e;
}
