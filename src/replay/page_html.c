#include "replay/page_html.h"

#include "base/text.h"
#include "replay/words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void page_escape(const char *text, struct buf *into)
{
        static const char *const names[128] = { ['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['"'] = "&quot;", ['\''] = "&#39;" };
        const unsigned char *at = (const unsigned char *)(text ? text : "");
        for (size_t left = strlen((const char *)at); left;) {
                size_t length = text_utf8_length(at, left);
                bool is_control = (*at < 0x20 && *at != '\n' && *at != '\t') || *at == 0x7f;
                bool is_none = length == 3 && at[0] == 0xef && at[1] == 0xbf && at[2] >= 0xbe;      /* U+FFFE, U+FFFF */
                if (!length || is_control || is_none)
                        buf_add_text(into, "\xef\xbf\xbd");
                else if (*at < 128 && names[*at])
                        buf_add_text(into, names[*at]);
                else
                        buf_add(into, at, length);
                at += length ? length : 1;
                left -= length ? length : 1;
        }
}

/* printf's %f would follow a locale. */
void page_tenths(struct buf *into, double value)
{
        long tenths = lround(value * 10);
        buf_addf(into, "%s%ld", tenths < 0 ? "-" : "", labs(tenths) / 10);
        if (tenths % 10)
                buf_addf(into, ".%ld", labs(tenths) % 10);
}

void page_text_cell(const char *text, struct buf *into)
{
        buf_add_text(into, "<td>");
        page_escape(text, into);
        buf_add_text(into, "</td>");
}

void page_count_cell(int64_t count, struct buf *into)
{
        buf_add_text(into, "<td class=\"n\">");
        words_count(into, count);
        buf_add_text(into, "</td>");
}

void page_value_cell(double value, struct buf *into)
{
        buf_add_text(into, "<td class=\"n\">");
        words_value(into, value);
        buf_add_text(into, "</td>");
}

void page_span_cell(int64_t seconds, struct buf *into)
{
        buf_add_text(into, "<td class=\"n\">");
        words_span(into, seconds);
        buf_add_text(into, "</td>");
}

void page_row_name(const struct study *study, const struct study_row *row, struct buf *into)
{
        OWN(buf) struct buf name;
        buf_init(&name, 256);
        words_row(&name, study, row);
        page_escape(buf_text(&name), into);
}

void page_heads(const char *const *titles, size_t count, struct buf *into)
{
        buf_add_text(into, "<thead><tr>");
        for (size_t i = 0; i < count; i++) {
                bool is_number = titles[i][0] == '>';
                buf_addf(into, "<th scope=\"col\"%s>", is_number ? " class=\"n\"" : "");
                page_escape(titles[i] + is_number, into);
                buf_add_text(into, "</th>");
        }
        buf_add_text(into, "</tr></thead>\n");
}

void page_term(const char *term, const char *text, struct buf *into)
{
        if (!text || !text[0])
                return;
        buf_add_text(into, "<dt>");
        page_escape(term, into);
        buf_add_text(into, "</dt><dd>");
        page_escape(text, into);
        buf_add_text(into, "</dd>\n");
}

void page_table_begin(const char *label, struct buf *into)
{
        buf_add_text(into, "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"");
        page_escape(label, into);
        buf_add_text(into, "\"><table>\n");
}

void page_table_end(struct buf *into)
{
        buf_add_text(into, "</table></div>\n");
}
