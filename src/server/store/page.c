#include "server/store/page.h"

#include <inttypes.h>
#include <string.h>

enum { LIMIT_DEFAULT = 100, LIMIT_MOST = 1000 };

static const struct word {
        const char *name;
        size_t offset;
        int64_t min, max;
} words[] = {
        { "limit=", offsetof(struct page, limit), 1, LIMIT_MOST },
        { "cursor=", offsetof(struct page, after), 0, INT64_MAX / 16 },
};

static enum err read_number(const char *text, size_t length, const struct word *word, int64_t *ret_number, struct why *why)
{
        int64_t number = 0;
        bool is_good = length > 0 && length <= 18;
        for (size_t i = 0; i < length && is_good; i++) {
                is_good = text[i] >= '0' && text[i] <= '9';
                number = number * 10 + (text[i] - '0');
        }
        if (!is_good || number < word->min || number > word->max)
                return FAIL(why, ERR_SYNTAX, "?%s is a number from %" PRId64 " to %" PRId64, word->name, word->min, word->max);
        *ret_number = number;
        return OK;
}

static enum err read_word(struct page *page, const char *text, size_t length, struct why *why)
{
        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
                size_t name = strlen(words[i].name);
                bool is_it = length >= name && memcmp(text, words[i].name, name) == 0, is_again = is_it && page->said & 1u << i;
                page->said |= is_it ? 1u << i : 0;
                if (is_again)
                        return FAIL(why, ERR_SYNTAX, "?%s is there more than once: say it once", words[i].name);
                if (is_it)
                        return read_number(text + name, length - name, &words[i], (int64_t *)((char *)page + words[i].offset), why);
        }
        return FAIL(why, ERR_SYNTAX, "the query `%.*s` is not known here; there are limit= and cursor=", (int)(length > 60 ? 60 : length), text);
}

enum err page_init(struct page *page, const char *query, struct why *why)
{
        *page = (struct page){ .limit = LIMIT_DEFAULT };
        while (query && *query) {
                size_t length = strcspn(query, "&");
                enum err e = read_word(page, query, length, why);
                if (e)
                        return e;
                query += length + (query[length] == '&');
        }
        page->items = json_new_array();
        return OK;
}

void page_done(struct page *page)
{
        json_close(page->items);
        page->items = NULL;
}

bool page_add(struct page *page, int64_t number, struct json *take_item)
{
        if ((int64_t)json_count(page->items) >= page->limit) {
                json_close(take_item);
                page->limit = -1;          /* there is a next page */
                return false;
        }
        page->last = number;
        json_add(page->items, take_item);
        return true;
}

enum err page_answer(struct call *call, struct page *page, struct why *why)
{
        char cursor[24];
        snprintf(cursor, sizeof(cursor), "%" PRId64, page->last);
        struct json *answer = json_new_object();
        json_set(answer, "items", GIVE(page->items));
        json_set(answer, "next", page->limit < 0 ? json_new_text(cursor) : json_new_null());
        return call_answer_json(call, 200, answer, why);
}
