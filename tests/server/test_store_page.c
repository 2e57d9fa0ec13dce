#include "server/store/page.h"

#include "support/sweep.h"
#include "support/test.h"

#include <string.h>

static const char *answer_of(const char *query, int64_t rows, struct store_answer *answer)
{
        OWN(page) struct page page = { 0 };
        struct call call = { .answer = answer };
        buf_init(&answer->body, 4096);
        if (page_init(&page, query, NULL) != OK)
                return "bad query";
        for (int64_t i = page.after + 1; i <= rows; i++)
                if (!page_add(&page, i, json_new_int(i)))
                        break;
        return page_answer(&call, &page, NULL) == OK ? buf_text(&answer->body) : "failed";
}

TEST(page, says_where_the_next_one_begins)
{
        struct store_answer answer = { 0 };
        CHECK(strcmp(answer_of("limit=2", 3, &answer), "{\"items\":[1,2],\"next\":\"2\"}") == 0 && answer.status == 200);
        buf_done(&answer.body);
        CHECK(strcmp(answer_of("limit=2&cursor=2", 3, &answer), "{\"items\":[3],\"next\":null}") == 0);
        buf_done(&answer.body);
        CHECK(strcmp(answer_of("cursor=1&limit=2", 3, &answer), "{\"items\":[2,3],\"next\":null}") == 0);
        buf_done(&answer.body);
        CHECK(strcmp(answer_of(NULL, 0, &answer), "{\"items\":[],\"next\":null}") == 0);
        buf_done(&answer.body);
}

TEST(page_init, refuses_words_and_numbers_it_does_not_know)
{
        static const char *const bad[] = { "limit=0", "limit=1001", "limit=", "limit=x", "limit=-1", "cursor=99999999999999999999", "page=2", "limit", "limit=1&&cursor=1",
                                           "limit=1&limit=2", "cursor=1&limit=1&cursor=1" };
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                struct page page = { 0 };
                CHECK(page_init(&page, bad[i], NULL) == ERR_SYNTAX);
                page_done(&page);
        }
}

TEST(page, survives_every_allocation_failure)
{
        SWEEP_MEMORY {
                struct store_answer answer = { 0 };
                (void)answer_of("limit=2", 3, &answer);
                buf_done(&answer.body);
        }
}
