#include "base/text.h"

#include <string.h>
#include <strings.h>

/* Table 3-7 of the Unicode standard: what may follow a lead byte. */
static const struct utf8_row {
        unsigned char lead_min, lead_max, second_min, second_max, more;
} utf8_rows[] = {
        { 0xC2, 0xDF, 0x80, 0xBF, 1 },
        { 0xE0, 0xE0, 0xA0, 0xBF, 2 }, { 0xE1, 0xEC, 0x80, 0xBF, 2 }, { 0xED, 0xED, 0x80, 0x9F, 2 }, { 0xEE, 0xEF, 0x80, 0xBF, 2 },
        { 0xF0, 0xF0, 0x90, 0xBF, 3 }, { 0xF1, 0xF3, 0x80, 0xBF, 3 }, { 0xF4, 0xF4, 0x80, 0x8F, 3 },
};

size_t text_utf8_length(const unsigned char *bytes, size_t left)
{
        if (bytes[0] < 0x80)
                return 1;
        for (size_t i = 0; i < sizeof(utf8_rows) / sizeof(utf8_rows[0]); i++) {
                const struct utf8_row *row = &utf8_rows[i];
                if (bytes[0] < row->lead_min || bytes[0] > row->lead_max)
                        continue;
                if (left <= row->more || bytes[1] < row->second_min || bytes[1] > row->second_max)
                        return 0;
                for (size_t k = 2; k <= row->more; k++)
                        if (bytes[k] < 0x80 || bytes[k] > 0xBF)
                                return 0;
                return (size_t)row->more + 1;
        }
        return 0;
}

bool text_is_utf8(const char *bytes, size_t length)
{
        for (size_t i = 0, more; i < length; i += more) {
                more = text_utf8_length((const unsigned char *)bytes + i, length - i);
                if (!more || !bytes[i])
                        return false;
        }
        return true;
}

static size_t trim(const char **text)
{
        static const char spaces[] = " \t\r\n";
        *text += strspn(*text, spaces);
        size_t length = strlen(*text);
        while (length && strchr(spaces, (*text)[length - 1]))
                length--;
        return length;
}

bool text_is_same_name(const char *a, const char *b)
{
        size_t length = trim(&a);
        return length == trim(&b) && strncasecmp(a, b, length) == 0;
}

/* How many bytes from here need no change. */
static size_t plain_length(const char *text, size_t length)
{
        size_t plain = 0;
        while (plain < length && (unsigned char)text[plain] >= 0x20 && text[plain] != '"' && text[plain] != '\\') {
                size_t more = (unsigned char)text[plain] < 0x80 ? 1 : text_utf8_length((const unsigned char *)text + plain, length - plain);
                if (!more)
                        break;
                plain += more;
        }
        return plain;
}

static void quote_byte(unsigned char c, struct buf *into)
{
        static const char letters[32] = { ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r' };
        if (c >= 0x80)
                buf_add_text(into, "\xEF\xBF\xBD");
        else if (c >= 0x20 || letters[c])
                buf_addf(into, "\\%c", c >= 0x20 ? c : letters[c]);
        else
                buf_addf(into, "\\u%04x", c);
}

bool text_has(const char *bytes, size_t length, const char *part)
{
        size_t wanted = strlen(part);
        for (size_t at = 0; wanted <= length && at <= length - wanted; at++)
                if (memcmp(bytes + at, part, wanted) == 0)
                        return true;
        return false;
}

void text_quote(const char *text, struct buf *into)
{
        size_t length = strlen(text);
        buf_add(into, "\"", 1);
        while (length) {
                size_t plain = plain_length(text, length);
                buf_add(into, text, plain);
                text += plain;
                length -= plain;
                if (length) {
                        quote_byte((unsigned char)*text++, into);
                        length--;
                }
        }
        buf_add(into, "\"", 1);
}

void text_add_utf8(const char *text, struct buf *into)
{
        for (size_t left = strlen(text), length; left; text += length, left -= length) {
                size_t good = text_utf8_length((const unsigned char *)text, left);
                length = good ? good : 1;
                if (good)
                        buf_add(into, text, good);
                else
                        buf_add_text(into, "\xEF\xBF\xBD");
        }
}
