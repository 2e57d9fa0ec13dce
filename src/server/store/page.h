/* page.h - lists a page at a time: ?limit= and ?cursor=, {"items":[...],"next":"cursor"|null}.
 *
 * The cursor is the number of the last row that was given; lists are in the order of those numbers. */
#pragma once

#include "server/store/call.h"

struct page {
        int64_t after, limit;
        struct json *items;                /* taken by page_answer() */
        unsigned said;                     /* bits: words of the query that were read */
        int64_t last;                      /* the number of the newest item */
};

/* Reads the query; unknown words in it, and one that is said twice, are errors. */
MUST_CHECK enum err page_init(struct page *page, const char *query, struct why *why);
void page_done(struct page *page);
static inline void page_release(struct page *page) { page_done(page); }

static inline int64_t page_fetch(const struct page *page) { return page->limit + 1; }   /* one more tells whether there is a next page */
/* False: the page is full, `take_item` is dropped. */
bool page_add(struct page *page, int64_t number, struct json *take_item);
MUST_CHECK enum err page_answer(struct call *call, struct page *page, struct why *why);
