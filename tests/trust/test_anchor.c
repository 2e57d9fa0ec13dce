#include "trust/anchor.h"

#include "support/sweep.h"
#include "trust/keys.h"

static struct anchor whole(void)
{
        return (struct anchor){
                .version = 1, .root = { 2, 3, { test_vkey("root-a", 1), test_vkey("root-b", 2), test_vkey("root-c", 3) } },
                .content = { 1, 2, { test_vkey("content-a", 4), test_vkey("content-b", 5) } }, .lab = { 1, 1, { test_vkey("lab.acme", 7) } },
        };
}

static void write_signed(const struct anchor *anchor, struct buf *bytes)
{
        buf_clear(bytes);
        CHECK(anchor_write(anchor, bytes, NULL) == OK);
        test_sign(bytes, anchor->root.keys[0].name, 1);
        test_sign(bytes, anchor->root.keys[1].name, 2);
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
        CHECK(read.root.count == 3 && read.content.count == 2 && read.lab.count == 1 && read.lab.threshold == 1);
        CHECK(anchor_keys(&read.root).threshold == 2 && anchor_keys(&read.content).threshold == 1 && anchor_keys(&read.content).keys == read.content.keys);
        CHECK(anchor_role_find(&read.root, &anchor.root.keys[2].key) == &read.root.keys[2] && !anchor_role_find(&read.lab, &anchor.root.keys[2].key));
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
                { "content-threshold 1", "content-threshold 3" }, { "content-threshold 1", "content-threshold 0" }, { "lab ", "Lab " },
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
        anchor = whole(), anchor.root.keys[2] = test_vkey("root-z", 1);           /* the same key under another name */
        CHECK(anchor_write(&anchor, &bytes, NULL) == ERR_SYNTAX);
        anchor = whole(), anchor.content.keys[1] = anchor.content.keys[0];
        CHECK(anchor_write(&anchor, &bytes, NULL) == ERR_SYNTAX);
        anchor = whole(), anchor.lab.count = 0;
        CHECK(anchor_write(&anchor, &bytes, NULL) == ERR_SYNTAX);
        anchor = whole(), anchor.root.threshold = 4;
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

TEST(anchor, is_followed_only_by_the_next_one_of_both_roots)
{
        OWN(buf) struct buf bytes;
        struct anchor old = whole(), next = whole(), read = { 0 };
        buf_init(&bytes, LIMIT_NOTE_BYTES);
        write_signed(&next, &bytes);
        CHECK(anchor_follow(&old, &bytes, &read, NULL) == ERR_ROLLBACK);
        next.version = 2;
        next.root.keys[0] = test_vkey("root-d", 8), next.root.keys[1] = test_vkey("root-e", 9);
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
        old.version = 0;               /* one between them is missing */
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

/* ---- the director's ---- */

static struct director_anchor director(void)
{
        return (struct director_anchor){ .version = 1, .root = { 2, 2, { test_vkey("own-a", 11), test_vkey("own-b", 12) } }, .key = test_vkey("director", 6) };
}

static void write_director(const struct director_anchor *anchor, const uint8_t signers[2], struct buf *bytes)
{
        buf_clear(bytes);
        CHECK(director_anchor_write(anchor, bytes, NULL) == OK);
        for (size_t i = 0; i < 2; i++)
                test_sign(bytes, anchor->root.keys[i].name, signers[i]);
}

TEST(director_anchor, comes_back_and_is_its_own_roots)
{
        OWN(buf) struct buf bytes;
        struct director_anchor anchor = director(), read = { 0 };
        struct anchor other = { 0 };
        buf_init(&bytes, LIMIT_NOTE_BYTES);
        write_director(&anchor, (const uint8_t[]){ 11, 12 }, &bytes);
        CHECK(director_anchor_open(buf_text(&bytes), bytes.length, &read, NULL) == OK);
        CHECK(read.version == 1 && read.root.count == 2 && key_equal(&read.key.key, &anchor.key.key) && director_anchor_keys(&read).keys == &read.key);
        CHECK(anchor_open(buf_text(&bytes), bytes.length, &other, NULL) == ERR_SYNTAX);
        write_director(&anchor, (const uint8_t[]){ 11, 13 }, &bytes);
        CHECK(director_anchor_open(buf_text(&bytes), bytes.length, &read, NULL) == ERR_UNTRUSTED);
}

TEST(director_anchor, is_followed_only_by_the_next_one_of_both_roots)
{
        OWN(buf) struct buf bytes;
        struct director_anchor old = director(), next = director(), read = { 0 };
        buf_init(&bytes, LIMIT_NOTE_BYTES);
        next.version = 2;
        next.root.keys[0] = test_vkey("own-c", 13);
        write_director(&next, (const uint8_t[]){ 13, 12 }, &bytes);
        CHECK(director_anchor_follow(&old, &bytes, &read, NULL) == ERR_UNTRUSTED);
        test_sign(&bytes, "own-a", 11);
        CHECK(director_anchor_follow(&old, &bytes, &read, NULL) == OK && read.version == 2);
        CHECK(director_anchor_follow(&read, &bytes, &read, NULL) == ERR_ROLLBACK);
}

TEST(director_anchor, has_a_key_of_no_other_role)
{
        OWN(buf) struct buf bytes;
        struct anchor anchor = whole();
        struct director_anchor own = director();
        buf_init(&bytes, LIMIT_NOTE_BYTES);
        own.key = test_vkey("director", 12);
        CHECK(director_anchor_write(&own, &bytes, NULL) == ERR_SYNTAX && !bytes.length);
        own = director();
        CHECK(anchor_check_pair(&anchor, &own, NULL) == OK);
        for (uint8_t number = 1; number <= 7; number++) {        /* root, content and lab keys of the publisher's */
                own.key = test_vkey("director", number);
                CHECK(anchor_check_pair(&anchor, &own, NULL) == (number == 6 ? OK : ERR_UNTRUSTED));
        }
}
