#include "trust/anchor.h"

#include "support/sweep.h"
#include "trust/keys.h"

static struct anchor whole(void)
{
        return (struct anchor){
                .version = 1, .root_threshold = 2, .root_count = 3, .root = { test_vkey("root-a", 1), test_vkey("root-b", 2), test_vkey("root-c", 3) },
                .content_threshold = 1, .content_count = 2, .content = { test_vkey("content-a", 4), test_vkey("content-b", 5) },
                .director = test_vkey("director", 6), .lab_count = 1, .lab = { test_vkey("lab.acme", 7) },
        };
}

static void write_signed(const struct anchor *anchor, struct buf *bytes)
{
        buf_clear(bytes);
        CHECK(anchor_write(anchor, bytes, NULL) == OK);
        test_sign(bytes, anchor->root[0].name, 1);
        test_sign(bytes, anchor->root[1].name, 2);
}

static enum err open_bytes(const struct buf *bytes)
{
        struct anchor anchor = { 0 };
        enum err e = anchor_open(buf_text(bytes), bytes->length, &anchor, NULL);
        CHECK(!e || !anchor.version);
        return e;
}

/* Its text with one piece replaced, signed by all root keys. */
static enum err open_with(const char *old, const char *new)
{
        OWN(buf) struct buf text, bytes;
        struct anchor anchor = whole();
        buf_init(&text, LIMIT_NOTE_BYTES);
        buf_init(&bytes, LIMIT_NOTE_BYTES);
        CHECK(anchor_write(&anchor, &text, NULL) == OK);
        const char *at = strstr(buf_text(&text), old);
        CHECK(at);
        buf_addf(&bytes, "%.*s%s%s", (int)(at - text.bytes), text.bytes, new, at + strlen(old));
        test_sign(&bytes, "root-a", 1);
        test_sign(&bytes, "root-b", 2);
        return open_bytes(&bytes);
}

TEST(anchor, comes_back_with_all_its_keys)
{
        OWN(buf) struct buf bytes, again;
        struct anchor anchor = whole(), read = { 0 };
        buf_init(&bytes, LIMIT_NOTE_BYTES);
        buf_init(&again, LIMIT_NOTE_BYTES);
        write_signed(&anchor, &bytes);
        CHECK(anchor_open(buf_text(&bytes), bytes.length, &read, NULL) == OK);
        CHECK(anchor_write(&read, &again, NULL) == OK && strncmp(buf_text(&again), buf_text(&bytes), again.length) == 0);
        CHECK(read.root_count == 3 && read.content_count == 2 && read.lab_count == 1 && key_equal(&read.director.key, &anchor.director.key));
        CHECK(anchor_root(&read).threshold == 2 && anchor_content(&read).threshold == 1 && anchor_director(&read).keys == &read.director);
}

TEST(anchor, takes_the_threshold_of_its_own_root_keys)
{
        OWN(buf) struct buf bytes;
        struct anchor anchor = whole();
        buf_init(&bytes, LIMIT_NOTE_BYTES);
        CHECK(anchor_write(&anchor, &bytes, NULL) == OK);
        CHECK(open_bytes(&bytes) == ERR_SYNTAX);
        test_sign(&bytes, "root-a", 1);
        test_sign(&bytes, "root-a", 1);
        test_sign(&bytes, "content-a", 4);
        test_sign(&bytes, "director", 6);
        CHECK(open_bytes(&bytes) == ERR_UNTRUSTED);
        test_sign(&bytes, "root-c", 3);
        CHECK(open_bytes(&bytes) == OK);
        bytes.bytes[strlen("firebreak anchor v1\nversion ")] = '2';
        CHECK(open_bytes(&bytes) == ERR_UNTRUSTED);
}

TEST(anchor, refuses_lines_that_are_not_as_they_should_be)
{
        static const struct { const char *old, *new; } changes[] = {
                { "anchor v1", "anchor v2" }, { "version 1", "version 0" }, { "version 1", "version -1" }, { "version 1", "version 01" },
                { "root-threshold 2", "root-threshold 0" }, { "root-threshold 2", "root-threshold 4" }, { "root-threshold 2\n", "" },
                { "content-threshold 1", "content-threshold 3" }, { "content-threshold 1", "content-threshold 0" }, { "director ", "Director " },
                { "root root-a+", "root root-x+" }, { "lab lab.acme", "lab" }, { "root-threshold 2\n", "root-threshold 2\nroot-threshold 2\n" },
                { "lab lab", "more 1\nlab lab" }, { "content content-a", "content  content-a" },
        };
        CHECK(open_with("version 1", "version 7") == OK);
        for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
                CHECK(open_with(changes[i].old, changes[i].new) == ERR_SYNTAX);
}

TEST(anchor, is_not_written_with_keys_that_weaken_it)
{
        OWN(buf) struct buf bytes;
        struct anchor anchor;
        buf_init(&bytes, LIMIT_NOTE_BYTES);
        anchor = whole(), anchor.root[2] = test_vkey("root-z", 1);           /* the same key under another name */
        CHECK(anchor_write(&anchor, &bytes, NULL) == ERR_SYNTAX);
        anchor = whole(), anchor.content[1] = anchor.content[0];
        CHECK(anchor_write(&anchor, &bytes, NULL) == ERR_SYNTAX);
        anchor = whole(), anchor.director = test_vkey("director", 4);        /* an online key that approves content */
        CHECK(anchor_write(&anchor, &bytes, NULL) == ERR_SYNTAX);
        anchor = whole(), anchor.director = test_vkey("director", 1);
        CHECK(anchor_write(&anchor, &bytes, NULL) == ERR_SYNTAX);
        anchor = whole(), anchor.director = test_vkey("director", 7);
        CHECK(anchor_write(&anchor, &bytes, NULL) == ERR_SYNTAX);
        anchor = whole(), anchor.lab_count = 0;
        CHECK(anchor_write(&anchor, &bytes, NULL) == ERR_SYNTAX);
        anchor = whole(), anchor.root_threshold = 4;
        CHECK(anchor_write(&anchor, &bytes, NULL) == ERR_SYNTAX);
        anchor = whole(), anchor.version = 0;
        CHECK(anchor_write(&anchor, &bytes, NULL) == ERR_SYNTAX && !bytes.length);
}

TEST(anchor, refuses_more_keys_than_a_role_has)
{
        OWN(buf) struct buf many;
        char text[VKEY_TEXT_MAX];
        buf_init(&many, LIMIT_NOTE_BYTES);
        for (uint8_t i = 0; i < LIMIT_KEYS; i++) {
                struct vkey vkey = test_vkey("more", (uint8_t)(100 + i));
                vkey_text(&vkey, text);
                buf_addf(&many, "root %s\n", text);
        }
        buf_add_text(&many, "content-threshold 1");
        CHECK(open_with("content-threshold 1", buf_text(&many)) == ERR_LIMIT);
}

TEST(anchor, is_followed_only_by_a_newer_one_of_both_roots)
{
        OWN(buf) struct buf bytes;
        struct anchor old = whole(), next = whole(), read = { 0 };
        buf_init(&bytes, LIMIT_NOTE_BYTES);
        write_signed(&next, &bytes);
        CHECK(anchor_follow(&old, &bytes, &read, NULL) == ERR_ROLLBACK);
        next.version = 2;
        next.root[0] = test_vkey("root-d", 8), next.root[1] = test_vkey("root-e", 9);
        buf_clear(&bytes);
        CHECK(anchor_write(&next, &bytes, NULL) == OK);
        test_sign(&bytes, "root-d", 8);
        test_sign(&bytes, "root-e", 9);
        CHECK(anchor_open(buf_text(&bytes), bytes.length, &read, NULL) == OK);
        CHECK(anchor_follow(&old, &bytes, &read, NULL) == ERR_UNTRUSTED);
        test_sign(&bytes, "root-a", 1);
        CHECK(anchor_follow(&old, &bytes, &read, NULL) == ERR_UNTRUSTED);
        test_sign(&bytes, "root-b", 2);
        CHECK(anchor_follow(&old, &bytes, &read, NULL) == OK && read.version == 2);
        old.version = 3;
        CHECK(anchor_follow(&old, &bytes, &read, NULL) == ERR_ROLLBACK);
}

TEST(anchor, is_whole_or_not_there_when_memory_is_short)
{
        OWN(buf) struct buf bytes;
        struct anchor anchor = whole();
        buf_init(&bytes, LIMIT_NOTE_BYTES);
        write_signed(&anchor, &bytes);
        SWEEP_MEMORY {
                struct anchor read = { 0 };
                enum err e = anchor_open(buf_text(&bytes), bytes.length, &read, NULL);
                CHECK(e ? e == ERR_NOMEM && !read.version : read.version == 1);
        }
}
