#include "format/hex.h"

#include <string.h>

static const char hex_digits[] = "0123456789abcdef";

void hex_encode(const void *bytes, size_t length, char *text)
{
        const unsigned char *from = bytes;
        for (size_t i = 0; i < length; i++) {
                text[2 * i] = hex_digits[from[i] >> 4];
                text[2 * i + 1] = hex_digits[from[i] & 15];
        }
        text[2 * length] = 0;
}

static int hex_value(char c)
{
        const char *found = c ? strchr(hex_digits, c) : NULL;
        return found ? (int)(found - hex_digits) : -1;
}

enum err hex_decode(const char *text, void *bytes, size_t length, struct why *why)
{
        unsigned char *into = bytes;
        for (size_t i = 0; i < length; i++) {
                int high = hex_value(text[2 * i]);
                int low = high < 0 ? -1 : hex_value(text[2 * i + 1]);
                if (low < 0)
                        return FAIL(why, ERR_SYNTAX, "not %zu lower-case hex digits", 2 * length);
                into[i] = (unsigned char)(high << 4 | low);
        }
        if (text[2 * length])
                return FAIL(why, ERR_SYNTAX, "more than %zu hex digits", 2 * length);
        return OK;
}

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(const void *bytes, size_t length, struct buf *into)
{
        const unsigned char *from = bytes;
        for (size_t i = 0; i < length; i += 3) {
                size_t left = length - i;
                unsigned group = (unsigned)from[i] << 16 | (left > 1 ? from[i + 1] << 8 : 0) | (left > 2 ? from[i + 2] : 0);
                char text[4] = { base64_digits[group >> 18], base64_digits[group >> 12 & 63],
                                 left > 1 ? base64_digits[group >> 6 & 63] : '=', left > 2 ? base64_digits[group & 63] : '=' };
                buf_add(into, text, sizeof(text));
        }
}

static int base64_value(char c)
{
        const char *found = c ? strchr(base64_digits, c) : NULL;
        return found ? (int)(found - base64_digits) : -1;
}

/* Four digits of which the last `padding` are '='. False when a digit is wrong or a spare bit is set. */
static bool decode_group(const char *text, unsigned padding, unsigned char *bytes)
{
        unsigned group = 0;
        for (unsigned i = 0; i < 4; i++) {
                int value = i < 4 - padding ? base64_value(text[i]) : 0;
                if (value < 0)
                        return false;
                group = group << 6 | (unsigned)value;
        }
        for (unsigned i = 0; i < 3 - padding; i++)
                bytes[i] = (unsigned char)(group >> (16 - 8 * i));
        return (group & ((1u << (8 * padding)) - 1)) == 0;
}

enum err base64_decode(const char *text, size_t text_length, void *bytes, size_t bytes_max,
                       size_t *ret_length, struct why *why)
{
        if (text_length % 4)
                return FAIL(why, ERR_SYNTAX, "base64 comes in groups of four, padded with =");
        unsigned padding = 0;
        while (padding < 2 && text_length && text[text_length - 1 - padding] == '=')
                padding++;
        size_t length = text_length / 4 * 3 - padding;
        if (length > bytes_max)
                return FAIL(why, ERR_LIMIT, "%zu bytes of base64; at most %zu fit", length, bytes_max);
        for (size_t at = 0; at < text_length; at += 4)
                if (!decode_group(text + at, at + 4 == text_length ? padding : 0, (unsigned char *)bytes + at / 4 * 3))
                        return FAIL(why, ERR_SYNTAX, "not base64 near byte %zu", at);
        *ret_length = length;
        return OK;
}
