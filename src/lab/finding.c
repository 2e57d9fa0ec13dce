#include "lab/finding.h"

#include "base/text.h"

#include <stdarg.h>

enum { TAIL_BYTES = 40 };        /* for "; and 4294967295 more" */

void found_init(struct found *found)
{
        *found = (struct found){ .status = RECORD_PASS };
        memset(found->corpus, '0', sizeof(found->corpus) - 1);
}

/* Names and paths come from content and engines; a record is text. */
static void make_text(char *text)
{
        bool is_utf8 = text_is_utf8(text, strlen(text));
        for (unsigned char *at = (unsigned char *)text; *at; at++)
                if (*at < ' ' || *at == 0x7f || (*at >= 0x80 && !is_utf8))
                        *at = '?';
}

static void add(struct found *found, const char *format, va_list list)
{
        char text[512];
        size_t length = strlen(found->why), room = sizeof(found->why) - TAIL_BYTES - length;
        int wrote = vsnprintf(text, sizeof(text), format, list);
        make_text(text);
        if (wrote < 0 || strlen(text) + 2 >= room) {
                found->left_out++;
                return;
        }
        snprintf(found->why + length, room, "%s%s", length ? "; " : "", text);
}

void found_fault(struct found *found, const char *format, ...)
{
        va_list list;
        va_start(list, format);
        add(found, format, list);
        va_end(list);
        found->failed++;
        found->status = RECORD_FAIL;
}

void found_broken(struct found *found, const char *format, ...)
{
        va_list list;
        va_start(list, format);
        add(found, format, list);
        va_end(list);
        if (found->status > RECORD_ERROR)
                found->status = RECORD_ERROR;
}

void found_end(struct found *found)
{
        size_t length = strlen(found->why);
        if (found->cases < found->failed)
                found->cases = found->failed;
        if (found->left_out)
                snprintf(found->why + length, sizeof(found->why) - length, "%s%u more", length ? "; and " : "", found->left_out);
}
