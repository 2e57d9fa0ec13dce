#include "base/buf.h"

#include "support/sweep.h"
#include "support/test.h"

#include <inttypes.h>
#include <string.h>

TEST(buf, strings_appends_together_and_reports_once)
{
        OWN(buf) struct buf buf;
        buf_init(&buf, 10);
        buf_addf(&buf, "%d-", 12345);
        buf_add_text(&buf, "abcd");
        CHECK(buf_check(&buf, NULL) == OK && strcmp(buf_text(&buf), "12345-abcd") == 0);
        buf_add_text(&buf, "e");
        CHECK(buf_check(&buf, NULL) == ERR_LIMIT && buf.length == 10);
}

TEST(buf, writes_numbers_as_printf_does)
{
        static const int64_t numbers[] = { 0, 1, -1, 9, 10, -10, 1784432230, INT64_MAX, INT64_MIN, INT64_MIN + 1 };
        for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
                OWN(buf) struct buf number, printed;
                buf_init(&number, 20);
                buf_init(&printed, 20);
                buf_add_int(&number, numbers[i]);
                buf_addf(&printed, "%" PRId64, numbers[i]);
                CHECK(buf_check(&number, NULL) == OK && strcmp(buf_text(&number), buf_text(&printed)) == 0);
        }
}

TEST(buf, survives_every_allocation_failure)
{
        SWEEP_MEMORY {
                OWN(buf) struct buf buf;
                buf_init(&buf, 1000);
                for (int i = 0; i < 50; i++)
                        buf_addf(&buf, "%d,", i);
                enum err e = buf_check(&buf, NULL);
                CHECK(e == OK || e == ERR_NOMEM);
        }
}

TEST(buf, doubles_so_that_many_small_appends_stay_cheap)
{
        OWN(buf) struct buf buf;
        buf_init(&buf, 100000);
        unsigned moves = 0;
        for (size_t i = 0, capacity = 0; i < 100000; i++) {
                buf_add(&buf, "x", 1);
                moves += buf.capacity != capacity;
                capacity = buf.capacity;
        }
        CHECK(buf_check(&buf, NULL) == OK && buf.length == 100000 && moves < 20);
}
