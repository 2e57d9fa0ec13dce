#include "platform/link.h"
#include "support/test.h"

#include <string.h>

TEST(link, carries_more_than_fits_at_once_without_blocking)
{
        static char content[3 << 20];
        int ends[2];
        OWN(buf) struct buf out, in;
        buf_init(&out, sizeof(content));
        buf_init(&in, sizeof(content));
        for (size_t i = 0; i < sizeof(content); i++)
                content[i] = (char)(i * 31 + i / 1009);
        CHECK(link_open(ends, NULL) == OK);
        buf_add(&out, content, sizeof(content));
        while (in.length < sizeof(content)) {
                CHECK(link_write(ends[0], &out, NULL) == OK);
                CHECK(link_wait(ends[1], false, -1, NULL) == OK);
                CHECK(link_read(ends[1], &in, 100000, NULL) == OK);
        }
        CHECK(out.length == 0 && memcmp(in.bytes, content, sizeof(content)) == 0);
        CHECK(link_read(ends[1], &in, 1, NULL) == OK && in.length == sizeof(content));     /* nothing there */
        link_close(ends[0]);
        link_close(ends[1]);
        link_close(-1);
}

TEST(link, tells_that_the_other_side_is_gone_after_all_was_read)
{
        int ends[2];
        OWN(buf) struct buf out, in;
        buf_init(&out, 100);
        buf_init(&in, 100);
        CHECK(link_open(ends, NULL) == OK);
        buf_add_text(&out, "last words");
        CHECK(link_write(ends[0], &out, NULL) == OK && out.length == 0);
        link_close(ends[0]);
        CHECK(link_read(ends[1], &in, 100, NULL) == OK && strcmp(buf_text(&in), "last words") == 0);
        CHECK(link_read(ends[1], &in, 100, NULL) == ERR_UNAVAILABLE);
        buf_add_text(&out, "hello?");
        CHECK(link_write(ends[1], &out, NULL) == ERR_UNAVAILABLE);
        link_close(ends[1]);
}

TEST(link, reads_no_more_than_the_buffer_may_hold)
{
        int ends[2];
        OWN(buf) struct buf out, in;
        buf_init(&out, 100);
        buf_init(&in, 4);
        CHECK(link_open(ends, NULL) == OK);
        buf_add_text(&out, "12345");
        CHECK(link_write(ends[0], &out, NULL) == OK);
        CHECK(link_read(ends[1], &in, 100, NULL) == ERR_LIMIT);
        link_close(ends[0]);
        link_close(ends[1]);
}
