#include "base/buf.h"

#include "base/mem.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { FIRST_CAPACITY = 64 };

void buf_init(struct buf *buf, size_t length_max)
{
        *buf = (struct buf){ .length_max = length_max };
}

void buf_done(struct buf *buf)
{
        mem_free(buf->bytes);
        *buf = (struct buf){ .length_max = buf->length_max };
}

static bool make_room(struct buf *buf, size_t more)
{
        if (buf->failed)
                return false;
        if (more > buf->length_max - buf->length) {
                buf->failed = ERR_LIMIT;
                return false;
        }
        size_t needed = buf->length + more + 1;
        if (needed <= buf->capacity)
                return true;

        size_t capacity = buf->capacity ? buf->capacity : FIRST_CAPACITY;
        while (capacity < needed)
                capacity = capacity > SIZE_MAX / 2 ? needed : capacity * 2;
        char *bytes = mem_resize(buf->bytes, capacity);
        if (!bytes) {
                buf->failed = ERR_NOMEM;
                return false;
        }
        buf->bytes = bytes;
        buf->capacity = capacity;
        return true;
}

void buf_add(struct buf *buf, const void *bytes, size_t length)
{
        if (!make_room(buf, length))
                return;
        if (length)
                memcpy(buf->bytes + buf->length, bytes, length);
        buf->length += length;
        buf->bytes[buf->length] = 0;
}

void buf_add_text(struct buf *buf, const char *text)
{
        buf_add(buf, text, strlen(text));
}

void buf_add_int(struct buf *buf, int64_t number)
{
        char digits[20];                         /* -9223372036854775808 */
        size_t at = sizeof(digits);
        uint64_t left = number < 0 ? -(uint64_t)number : (uint64_t)number;
        do
                digits[--at] = (char)('0' + left % 10);
        while (left /= 10);
        if (number < 0)
                digits[--at] = '-';
        buf_add(buf, digits + at, sizeof(digits) - at);
}

void buf_addf(struct buf *buf, const char *format, ...)
{
        va_list args, again;
        va_start(args, format);
        va_copy(again, args);
        int length = vsnprintf(NULL, 0, format, args);
        va_end(args);
        assert(length >= 0);
        if (make_room(buf, (size_t)length)) {
                vsnprintf(buf->bytes + buf->length, (size_t)length + 1, format, again);
                buf->length += (size_t)length;
        }
        va_end(again);
}

void buf_clear(struct buf *buf)
{
        buf->length = 0;
        buf->failed = OK;
        if (buf->bytes)
                buf->bytes[0] = 0;
}

const char *buf_text(const struct buf *buf)
{
        return buf->bytes ? buf->bytes : "";
}

enum err buf_check(const struct buf *buf, struct why *why)
{
        if (buf->failed == ERR_LIMIT)
                return FAIL(why, ERR_LIMIT, "more than %zu bytes", buf->length_max);
        if (buf->failed)
                return FAIL(why, buf->failed, "out of memory at %zu bytes", buf->length);
        return OK;
}

bool buf_equal(const struct buf *a, const struct buf *b)
{
        return a->length == b->length && memcmp(buf_text(a), buf_text(b), a->length) == 0;
}
