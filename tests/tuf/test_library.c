/* What others see: the header, its errors, and that it is used in turn. The workflow itself: the conformance suite, test_tuf_client.c. */
#include "firebreak-tuf.h"

#include "trust/graph.h"

static const struct graph_role roles[] = { { "targets", 2, NULL, { { "a", "*/*", false, 4 } } }, { "a", 4, "x/1", { { 0 } } } };

static enum ftuf_error follow(struct ftuf *tuf, const struct graph *from, struct graph *stored, struct ftuf_why *why)
{
        struct ftuf_task task;
        enum ftuf_error e = ftuf_next(tuf, &task, why);
        while (!e && task.step != FTUF_DONE) {
                const struct buf *file = graph_find(task.step == FTUF_LOAD ? stored : from, task.name);
                if (task.step == FTUF_STORE) {
                        graph_put(stored, task.name, &(struct buf){ .bytes = (char *)task.bytes, .length = task.length });
                        ftuf_stored(tuf);
                } else {
                        e = file ? ftuf_give(tuf, file->bytes, file->length, why) : ftuf_lacks(tuf, why);
                }
                if (!e)
                        e = ftuf_next(tuf, &task, why);
        }
        return e;
}

static struct ftuf *open_at(const struct graph *from, int64_t now)
{
        const struct buf *root = graph_find(from, "1.root.json");
        struct ftuf *tuf = NULL;
        CHECK(ftuf_open(root->bytes, root->length, now, &tuf, NULL) == FTUF_OK);
        return tuf;
}

TEST(library, finds_a_target)
{
        OWN(graph) struct graph from = { 0 }, stored = { 0 };
        struct ftuf_target target;
        graph_root(&from, 1, 3);
        graph_publish(&from, roles, 2, 1, 3);
        struct ftuf *tuf = open_at(&from, NOW);
        CHECK(!ftuf_found(tuf, &target) && !ftuf_version(tuf, "targets"));
        CHECK(follow(tuf, &from, &stored, NULL) == FTUF_OK && ftuf_version(tuf, "targets") == 1 && ftuf_expires(tuf, "timestamp") == EXPIRES && ftuf_is_consistent(tuf));
        CHECK(ftuf_version(tuf, "a") == 0 && ftuf_expires(tuf, "nobody") == 0);
        CHECK(ftuf_seek(tuf, "x/1", NULL) == FTUF_OK && follow(tuf, &from, &stored, NULL) == FTUF_OK && ftuf_found(tuf, &target));
        CHECK(target.length == 3 && target.has_sha256 && !target.has_sha512 && ftuf_fits(&target, "abc", 3) && !ftuf_fits(&target, "abd", 3) && !ftuf_fits(&target, "abcd", 4));
        CHECK(!ftuf_custom(tuf) && ftuf_seek(tuf, "none", NULL) == FTUF_OK && !ftuf_found(tuf, &target));
        ftuf_close(tuf);
}

TEST(library, says_what_is_wrong)
{
        OWN(graph) struct graph from = { 0 }, stored = { 0 };
        struct ftuf *tuf = NULL;
        struct ftuf_why why = { "" };
        graph_root(&from, 1, 3);
        graph_publish(&from, roles, 2, 1, 3);
        CHECK(ftuf_open("{", 1, NOW, &tuf, &why) == FTUF_MALFORMED && !tuf && strstr(why.text, "root"));
        const struct buf *timestamp = graph_find(&from, "timestamp.json");
        CHECK(ftuf_open(timestamp->bytes, timestamp->length, NOW, &tuf, &why) == FTUF_MALFORMED);
        tuf = open_at(&from, EXPIRES);
        CHECK(follow(tuf, &from, &stored, &why) == FTUF_EXPIRED && strstr(why.text, "expired"));
        ftuf_close(tuf);
        tuf = open_at(&from, NOW);
        CHECK(ftuf_seek(tuf, "x/1", &why) == FTUF_MISUSED);
        CHECK(follow(tuf, &from, &stored, &why) == FTUF_OK && ftuf_give(tuf, "x", 1, &why) == FTUF_MISUSED && ftuf_lacks(tuf, NULL) == FTUF_MISUSED);
        ftuf_close(tuf);
        ftuf_close(NULL);
        graph_publish(&from, roles, 2, 2, 9);
        tuf = open_at(&from, NOW);
        CHECK(follow(tuf, &from, &stored, &why) == FTUF_UNTRUSTED);
        ftuf_close(tuf);
        for (enum ftuf_error e = FTUF_OK; e <= FTUF_OLDER; e++)
                CHECK(strcmp(ftuf_error_text(e), ftuf_error_text((enum ftuf_error)(FTUF_OLDER + 1))) != 0);
}

TEST(library, gives_the_custom_part_of_a_target)
{
        OWN(graph) struct graph from = { 0 }, stored = { 0 };
        static const struct graph_role empty[] = { { "targets", 0, NULL, { { 0 } } } };
        OWN(buf) struct buf text, file;
        graph_root(&from, 1, 3);
        graph_publish(&from, empty, 1, 1, 3);
        buf_init(&text, 2048);
        buf_init(&file, 4096);
        buf_add_text(&text, "{\"_type\":\"targets\",\"expires\":\"2026-07-20T03:36:40Z\",\"spec_version\":\"1.0.33\",\"targets\":{\"x\":{\"custom\":{\"b\":1,\"a\":[]},\"length\":0,\"hashes\":"
                            "{\"sha256\":\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"}}},\"version\":1}");
        graph_sign(&text, 2, &file);
        graph_put(&from, "1.targets.json", &file);
        struct ftuf *tuf = open_at(&from, NOW);
        struct ftuf_target target;
        CHECK(follow(tuf, &from, &stored, NULL) == FTUF_OK && ftuf_seek(tuf, "x", NULL) == FTUF_OK && ftuf_found(tuf, &target) && ftuf_fits(&target, "", 0));
        char *custom = ftuf_custom(tuf);
        CHECK(custom && strcmp(custom, "{\"a\":[],\"b\":1}") == 0);
        ftuf_free(custom);
        ftuf_close(tuf);
}
