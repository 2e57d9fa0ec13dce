/* page_html.h - the small pieces of a page, well-formed as XML too: escaped text, figures, cells, terms. */
#pragma once

#include "base/buf.h"

#include <stdint.h>

struct study;
struct study_row;

/* As text of HTML and XML, in attributes too: what is not UTF-8, or no character of XML, is U+FFFD. NULL is nothing. */
void page_escape(const char *text, struct buf *into);
void page_tenths(struct buf *into, double value);                /* "12", "12.3"; in no locale's way */

void page_text_cell(const char *text, struct buf *into);
void page_count_cell(int64_t count, struct buf *into);           /* "-" below 0 */
void page_value_cell(double value, struct buf *into);
void page_span_cell(int64_t seconds, struct buf *into);
void page_row_name(const struct study *study, const struct study_row *row, struct buf *into);      /* words_row(), escaped */
/* A table's first row; a title that begins with `>` stands above figures. */
void page_heads(const char *const *titles, size_t count, struct buf *into);

/* One of a list of terms; nothing when `text` is empty. */
void page_term(const char *term, const char *text, struct buf *into);

/* A table that is wider than a phone scrolls by itself, with the keyboard too. */
void page_table_begin(const char *label, struct buf *into);
void page_table_end(struct buf *into);
