#include "format/scan.h"

#include "base/text.h"

#include <string.h>

void scan_init(struct scan *scan, const void *bytes, size_t length)
{
        *scan = (struct scan){ .bytes = bytes, .length = length };
}

static enum err fail_at(const struct scan *scan, size_t at, const char *what, struct why *why)
{
        size_t line = 1, line_at = 0;
        for (size_t i = 0; i < at && i < scan->length; i++)
                if (scan->bytes[i] == '\n') {
                        line++;
                        line_at = i + 1;
                }
        return FAIL(why, ERR_SYNTAX, "line %zu, column %zu: %s", line, at - line_at + 1, what);
}

enum err scan_fail(const struct scan *scan, const char *what, struct why *why)
{
        return fail_at(scan, scan->token_at, what, why);
}

static int hex_value(unsigned char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        if (c >= 'A' && c <= 'F')
                return c - 'A' + 10;
        return -1;
}

/* The four digits of \uXXXX at `at`; -1 when they are not there. */
static long unit_at(const struct scan *scan, size_t at)
{
        if (scan->length < 4 || at > scan->length - 4)
                return -1;
        long unit = 0;
        for (size_t i = at; i < at + 4; i++) {
                int digit = hex_value(scan->bytes[i]);
                if (digit < 0)
                        return -1;
                unit = unit * 16 + digit;
        }
        return unit;
}

/* \uXXXX or a pair of them. Moves *at past it. */
static long code_point_at(const struct scan *scan, size_t *at)
{
        long high = unit_at(scan, *at + 2);
        *at += 6;
        if (high < 0xD800 || high > 0xDFFF)
                return high;
        if (high > 0xDBFF || *at + 1 >= scan->length || scan->bytes[*at] != '\\' || scan->bytes[*at + 1] != 'u')
                return -1;
        long low = unit_at(scan, *at + 2);
        *at += 6;
        return low >= 0xDC00 && low <= 0xDFFF ? 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00) : -1;
}

static const char escape_letters[] = "\"\\/bfnrt", escape_values[] = "\"\\/\b\f\n\r\t";

static size_t encoded_length(long code_point)
{
        return code_point < 0x80 ? 1 : code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
}

static enum err skip_escape(struct scan *scan, struct why *why)
{
        size_t began = scan->at;
        unsigned char letter = began + 1 < scan->length ? scan->bytes[began + 1] : 0;
        scan->has_escapes = true;
        if (letter && strchr(escape_letters, letter)) {
                scan->at += 2;
                scan->text_length++;
                return OK;
        }
        if (letter != 'u')
                return fail_at(scan, began, "not an escape of JSON", why);
        long code_point = code_point_at(scan, &scan->at);
        if (code_point == 0)
                return fail_at(scan, began, "a NUL character is not allowed", why);
        if (code_point < 0)
                return fail_at(scan, began, "\\u needs four hex digits, and surrogates come in pairs", why);
        scan->text_length += encoded_length(code_point);
        return OK;
}

static enum err scan_text(struct scan *scan, struct why *why)
{
        scan->at++;
        scan->text_length = 0;
        scan->has_escapes = false;
        while (scan->at < scan->length && scan->bytes[scan->at] != '"') {
                unsigned char c = scan->bytes[scan->at];
                if (c == '\\') {
                        enum err e = skip_escape(scan, why);
                        if (e)
                                return e;
                        continue;
                }
                if (c < 0x20)
                        return fail_at(scan, scan->at, "a raw control character in a string; escape it", why);
                size_t more = c < 0x80 ? 1 : text_utf8_length(scan->bytes + scan->at, scan->length - scan->at);
                if (!more)
                        return fail_at(scan, scan->at, "not UTF-8", why);
                scan->at += more;
                scan->text_length += more;
        }
        if (scan->at == scan->length)
                return scan_fail(scan, "this string has no end", why);
        scan->at++;
        scan->token = SCAN_TEXT;
        return OK;
}

static size_t encode_utf8(long code_point, char *into)
{
        size_t length = encoded_length(code_point);
        static const unsigned char lead[] = { 0, 0, 0xC0, 0xE0, 0xF0 };
        for (size_t i = length; i-- > 1; code_point >>= 6)
                into[i] = (char)(0x80 | (code_point & 0x3F));
        into[0] = (char)(lead[length] | code_point);
        return length;
}

void scan_copy_text(const struct scan *scan, char *into)
{
        size_t at = scan->token_at + 1;
        into[scan->text_length] = 0;
        if (!scan->has_escapes) {
                memcpy(into, scan->bytes + at, scan->text_length);
                return;
        }
        while (scan->bytes[at] != '"') {
                if (scan->bytes[at] != '\\') {
                        *into++ = (char)scan->bytes[at++];
                } else if (scan->bytes[at + 1] == 'u') {
                        into += encode_utf8(code_point_at(scan, &at), into);
                } else {
                        *into++ = escape_values[strchr(escape_letters, scan->bytes[at + 1]) - escape_letters];
                        at += 2;
                }
        }
}

static bool is_digit(const struct scan *scan, size_t at)
{
        return at < scan->length && scan->bytes[at] >= '0' && scan->bytes[at] <= '9';
}

static enum err scan_number(struct scan *scan, struct why *why)
{
        bool is_negative = scan->bytes[scan->at] == '-';
        size_t first = scan->at + is_negative, at = first;
        int64_t number = 0;
        bool fits = true;
        for (; is_digit(scan, at); at++) {
                int digit = scan->bytes[at] - '0';
                fits = fits && !__builtin_mul_overflow(number, 10, &number)
                       && !__builtin_add_overflow(number, is_negative ? -digit : digit, &number);
        }
        if (at == first)
                return scan_fail(scan, "a minus sign without a number", why);
        if (scan->bytes[first] == '0' && at > first + 1)
                return scan_fail(scan, "a number with leading zeros", why);
        if (at < scan->length && (scan->bytes[at] == '.' || scan->bytes[at] == 'e' || scan->bytes[at] == 'E'))
                return scan_fail(scan, "only whole numbers are allowed", why);
        if (!fits)
                return scan_fail(scan, "this number does not fit 64 bits", why);
        scan->at = at;
        scan->number = number;
        scan->token = SCAN_INT;
        return OK;
}

static enum err scan_word(struct scan *scan, struct why *why)
{
        static const struct {
                const char *text;
                size_t length;
                enum scan_token token;
        } words[] = { { "true", 4, SCAN_TRUE }, { "false", 5, SCAN_FALSE }, { "null", 4, SCAN_NULL } };
        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
                if (scan->length - scan->at >= words[i].length
                    && memcmp(scan->bytes + scan->at, words[i].text, words[i].length) == 0) {
                        scan->at += words[i].length;
                        scan->token = words[i].token;
                        return OK;
                }
        return scan_fail(scan, "not JSON", why);
}

enum err scan_next(struct scan *scan, struct why *why)
{
        while (scan->at < scan->length && (scan->bytes[scan->at] == ' ' || scan->bytes[scan->at] == '\n'
                                           || scan->bytes[scan->at] == '\t' || scan->bytes[scan->at] == '\r'))
                scan->at++;
        scan->token_at = scan->at;
        scan->token = SCAN_END;
        if (scan->at == scan->length)
                return OK;

        static const bool is_mark[256] = { ['{'] = true, ['}'] = true, ['['] = true, [']'] = true, [':'] = true, [','] = true };
        unsigned char c = scan->bytes[scan->at];
        if (is_mark[c]) {
                scan->token = (enum scan_token)c;
                scan->at++;
                return OK;
        }
        if (c == '"')
                return scan_text(scan, why);
        if (c == '-' || (c >= '0' && c <= '9'))
                return scan_number(scan, why);
        return scan_word(scan, why);
}

enum err scan_expect(struct scan *scan, enum scan_token token, struct why *why)
{
        static const char *const names[128] = {
                [SCAN_END] = "something after the end", [SCAN_TEXT] = "a key in quotes is missing",
                [SCAN_OPEN_OBJECT] = "not an object: { is missing", [SCAN_CLOSE_OBJECT] = "} is missing",
                [SCAN_CLOSE_ARRAY] = "] is missing", [SCAN_COLON] = ": is missing", [SCAN_COMMA] = ", is missing",
        };
        enum err e = scan_next(scan, why);
        if (!e && scan->token != token)
                return scan_fail(scan, names[token] ? names[token] : "not what belongs here", why);
        return e;
}
