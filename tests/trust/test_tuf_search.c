#include "support/sweep.h"
#include "trust/graph.h"

static struct tuf *follow(const struct graph *graph)
{
        struct tuf *tuf = NULL;
        CHECK(tuf_open(graph_find(graph, "1.root.json"), NOW, &tuf, NULL) == OK);
        CHECK(tuf_update(tuf, TUF_TIMESTAMP, graph_find(graph, "timestamp.json"), NULL) == OK);
        CHECK(tuf_update(tuf, TUF_SNAPSHOT, graph_find(graph, "1.snapshot.json"), NULL) == OK);
        CHECK(tuf_update(tuf, TUF_TARGETS, graph_find(graph, "1.targets.json"), NULL) == OK);
        return tuf;
}

static enum err give(struct tuf_search *search, const struct graph *graph)
{
        char name[TUF_FILE_NAME_BYTES];
        tuf_file_name_of(tuf_search_role(search), 1, name);
        return tuf_search_give(search, graph_find(graph, name), NULL);
}

/* Who is asked for `path`, in order, as "a b c"; "!" in the end when it was found. */
static void ask(const struct graph *graph, const char *path, char *asked, size_t bytes)
{
        OWN(tuf) struct tuf *tuf = follow(graph);
        OWN(tuf_search) struct tuf_search *search = NULL;
        CHECK(tuf_search_open(tuf, path, &search, NULL) == OK);
        size_t at = 0;
        asked[0] = '\0';
        while (tuf_search_state(search) == TUF_SEARCH_WANTS) {
                at += (size_t)snprintf(asked + at, bytes - at, "%s%s", at ? " " : "", tuf_search_role(search));
                CHECK(at < bytes && give(search, graph) == OK);
        }
        if (tuf_search_state(search) == TUF_SEARCH_FOUND)
                snprintf(asked + at, bytes - at, "!");
}

#define PUBLISH(graph, roles) (graph_root(&(graph), 1, 3), graph_publish(&(graph), (roles), sizeof(roles) / sizeof((roles)[0]), 1, 3))

static void check_asked(const struct graph *graph, const char *path, const char *expected)
{
        char asked[600];
        ask(graph, path, asked, sizeof(asked));
        if (strcmp(asked, expected) != 0)
                fprintf(stderr, "# %s: asked \"%s\", not \"%s\"\n", path, asked, expected);
        CHECK(strcmp(asked, expected) == 0);
}

TEST(tuf_search, asks_nobody_for_what_stands_in_the_top_level_targets)
{
        static const struct graph_role roles[] = { { "targets", 2, "x/1", { { "a", "*/*", false, 4 } } }, { "a", 4, "x/1", { { 0 } } } };
        OWN(graph) struct graph graph = { 0 };
        PUBLISH(graph, roles);
        check_asked(&graph, "x/1", "!");
        check_asked(&graph, "x/2", "a");
        check_asked(&graph, "nobody", "");
}

TEST(tuf_search, asks_in_pre_order_and_each_role_once)
{
        static const struct graph_role roles[] = {
                { "targets", 2, NULL, { { "a", "*", false, 4 }, { "b", "*", false, 5 }, { "c", "*", false, 6 } } },
                { "a", 4, NULL, { { "d", "*", false, 7 }, { "b", "*", false, 5 }, { "a", "*", false, 4 } } },
                { "b", 5, NULL, { { "e", "*", false, 8 } } },
                { "c", 6, "last", { { "targets2", "*", false, 9 } } },
                { "d", 7, NULL, { { "a", "*", false, 4 }, { "e", "*", false, 8 } } },
                { "e", 8, "of-e", { { 0 } } },
                { "targets2", 9, NULL, { { 0 } } },
        };
        OWN(graph) struct graph graph = { 0 };
        PUBLISH(graph, roles);
        check_asked(&graph, "none", "a d e b c targets2");
        check_asked(&graph, "of-e", "a d e!");
        check_asked(&graph, "last", "a d e b c!");
}

TEST(tuf_search, asks_only_who_speaks_for_the_path)
{
        static const struct graph_role roles[] = {
                { "targets", 2, NULL, { { "a", "a/*", false, 4 }, { "b", "b/*", false, 5 } } },
                { "a", 4, "b/1", { { "c", "b/*", false, 6 } } }, { "b", 5, "b/1", { { 0 } } }, { "c", 6, "a/2", { { 0 } } },
        };
        OWN(graph) struct graph graph = { 0 };
        PUBLISH(graph, roles);
        check_asked(&graph, "b/1", "b!");        /* a lists it, and was not asked for it */
        check_asked(&graph, "a/2", "a");         /* nor may a hand on what it does not have */
        check_asked(&graph, "a/b/1", "");
}

TEST(tuf_search, ends_after_a_terminating_delegation)
{
        static const struct graph_role roles[] = {
                { "targets", 2, NULL, { { "a", "x", false, 4 }, { "b", "*", false, 5 } } },
                { "a", 4, NULL, { { "d", "x", false, 7 }, { "c", "x", true, 6 }, { "d2", "x", false, 8 } } },
                { "b", 5, "x", { { 0 } } }, { "c", 6, NULL, { { 0 } } }, { "d", 7, NULL, { { 0 } } }, { "d2", 8, "x", { { 0 } } },
        };
        OWN(graph) struct graph graph = { 0 };
        PUBLISH(graph, roles);
        check_asked(&graph, "x", "a d c");       /* neither d2, after it, nor b, which waited */
        check_asked(&graph, "y", "b");
}

TEST(tuf_search, believes_a_role_only_as_its_delegator_of_this_search_does)
{
        static const struct graph_role roles[] = {
                { "targets", 2, NULL, { { "a", "a/*", false, 4 }, { "b", "b/*", false, 5 } } },
                { "a", 4, NULL, { { "shared", "*/*", false, 6 } } }, { "b", 5, NULL, { { "shared", "*/*", false, 7 } } }, { "shared", 6, "b/1", { { 0 } } },
        };
        OWN(graph) struct graph graph = { 0 };
        PUBLISH(graph, roles);
        check_asked(&graph, "a/1", "a shared");
        OWN(tuf) struct tuf *tuf = follow(&graph);
        OWN(tuf_search) struct tuf_search *search = NULL;
        CHECK(tuf_search_open(tuf, "b/1", &search, NULL) == OK && give(search, &graph) == OK && strcmp(tuf_search_role(search), "shared") == 0);
        CHECK(give(search, &graph) == ERR_UNTRUSTED && tuf_search_state(search) == TUF_SEARCH_WANTS);
}

TEST(tuf_search, refuses_another_file_of_a_role_than_the_snapshot_names)
{
        static const struct graph_role roles[] = { { "targets", 2, NULL, { { "a", "*", false, 4 }, { "unnamed", "*", false, 5 } } }, { "a", 4, NULL, { { 0 } } } };
        OWN(graph) struct graph graph = { 0 };
        OWN(buf) struct buf other;
        PUBLISH(graph, roles);
        OWN(tuf) struct tuf *tuf = follow(&graph);
        OWN(tuf_search) struct tuf_search *search = NULL;
        struct tuf_want want;
        CHECK(tuf_search_open(tuf, "x", &search, NULL) == OK && tuf_search_wanted(search, &want, NULL) == OK && want.version == 1);
        buf_init(&other, LIMIT_METADATA_BYTES);
        graph_role_file(&roles[1], 2, &other);
        CHECK(tuf_search_give(search, &other, NULL) == ERR_UNTRUSTED);
        graph_role_file(&(struct graph_role){ .name = "a", .key = 5 }, 1, &other);
        CHECK(tuf_search_give(search, &other, NULL) == ERR_UNTRUSTED);
        CHECK(tuf_search_give(search, graph_find(&graph, "1.snapshot.json"), NULL) == ERR_SYNTAX);
        CHECK(give(search, &graph) == OK && strcmp(tuf_search_role(search), "unnamed") == 0);
        CHECK(tuf_search_wanted(search, &want, NULL) == ERR_SYNTAX && tuf_search_give(search, &other, NULL) == ERR_SYNTAX);
}

TEST(tuf_search, refuses_a_role_that_expired)
{
        static const struct graph_role roles[] = { { "targets", 2, NULL, { { "a", "*", false, 4 } } } };
        OWN(graph) struct graph graph = { 0 };
        OWN(buf) struct buf text, file;
        struct graph_role both[] = { roles[0], { "a", 0, NULL, { { 0 } } } };
        PUBLISH(graph, both);
        OWN(tuf) struct tuf *tuf = follow(&graph);
        OWN(tuf_search) struct tuf_search *search = NULL;
        buf_init(&text, 1024);
        buf_init(&file, 4096);
        buf_add_text(&text, "{\"_type\":\"targets\",\"expires\":\"2026-07-19T03:36:40Z\",\"spec_version\":\"1.0.33\",\"targets\":{},\"version\":1}");
        graph_sign(&text, 4, &file);
        CHECK(tuf_search_open(tuf, "x", &search, NULL) == OK && tuf_search_give(search, &file, NULL) == ERR_EXPIRED);
}

static enum err give_root(struct tuf_search *search, const struct graph *graph)
{
        return tuf_search_give(search, graph_find(graph, "1.root.json"), NULL);
}

/* 70 in a row, each naming the next. */
TEST(tuf_search, gives_up_after_so_many_roles)
{
        enum { ROLES = LIMIT_ROLES_ASKED + 6 };
        static char names[ROLES + 1][8];
        static struct graph_role roles[ROLES];
        OWN(graph) struct graph graph = { 0 };
        for (int i = 0; i <= ROLES; i++)
                snprintf(names[i], sizeof(names[i]), i ? "r%d" : "targets", i);
        for (int i = 0; i < ROLES; i++)
                roles[i] = (struct graph_role){ names[i], i ? 4 : 2, i == ROLES - 1 ? "deep" : NULL, { { names[i + 1], "*", false, 4 } } };
        PUBLISH(graph, roles);
        OWN(tuf) struct tuf *tuf = follow(&graph);
        OWN(tuf_search) struct tuf_search *search = NULL;
        CHECK(tuf_search_open(tuf, "deep", &search, NULL) == OK);
        int asked = 1;
        enum err e = OK;
        while ((e = give(search, &graph)) == OK)
                asked++;
        CHECK(asked == LIMIT_ROLES_ASKED && e == ERR_LIMIT && tuf_search_state(search) == TUF_SEARCH_OVER);
        struct tuf_want want;
        CHECK(give_root(search, &graph) == ERR_USAGE && tuf_search_wanted(search, &want, NULL) == ERR_USAGE);
}

/* One file delegates to as many as it may, the first of them too: more than may wait. */
TEST(tuf_search, has_room_for_so_many_that_wait)
{
        static const struct graph_role roles[] = { { "targets", 0, NULL, { { 0 } } }, { "r0", 0, NULL, { { 0 } } } };
        OWN(graph) struct graph graph = { 0 };
        OWN(buf) struct buf text, file;
        buf_init(&text, LIMIT_METADATA_BYTES);
        buf_init(&file, LIMIT_METADATA_BYTES);
        PUBLISH(graph, roles);
        for (int is_second = 0; is_second < 2; is_second++) {
                char id[65];
                const struct public_key public = test_key(4).public;
                tuf_key_id(&public, id);
                buf_clear(&text);
                buf_add_text(&text, "{\"_type\":\"targets\",\"expires\":\"2026-07-20T03:36:40Z\",\"spec_version\":\"1.0.33\",\"targets\":{},\"version\":1,\"delegations\":{\"keys\":{");
                graph_add_key(&text, 4);
                buf_add_text(&text, "},\"roles\":[");
                for (int i = 0; i < LIMIT_DELEGATIONS; i++)
                        buf_addf(&text, "%s{\"name\":\"%s%d\",\"keyids\":[\"%s\"],\"threshold\":1,\"paths\":[\"*\"]}", i ? "," : "", is_second ? "s" : "r", i, id);
                buf_add_text(&text, "]}}");
                graph_sign(&text, is_second ? 4 : 2, &file);
                graph_put(&graph, is_second ? "1.r0.json" : "1.targets.json", &file);
        }
        OWN(tuf) struct tuf *tuf = follow(&graph);
        OWN(tuf_search) struct tuf_search *search = NULL;
        CHECK(tuf_search_open(tuf, "x", &search, NULL) == OK && strcmp(tuf_search_role(search), "r0") == 0);
        CHECK(give(search, &graph) == ERR_LIMIT && tuf_search_state(search) == TUF_SEARCH_OVER);
}

TEST(tuf_search, says_when_a_target_cannot_be_read)
{
        OWN(graph) struct graph graph = { 0 };
        OWN(buf) struct buf text, file;
        static const struct graph_role roles[] = { { "targets", 2, NULL, { { "a", "*", false, 4 } } }, { "a", 0, NULL, { { 0 } } } };
        PUBLISH(graph, roles);
        OWN(tuf) struct tuf *tuf = follow(&graph);
        OWN(tuf_search) struct tuf_search *search = NULL;
        buf_init(&text, 1024);
        buf_init(&file, 4096);
        buf_add_text(&text, "{\"_type\":\"targets\",\"expires\":\"2026-07-20T03:36:40Z\",\"spec_version\":\"1.0.33\",\"targets\":{\"x\":{\"length\":1,\"hashes\":{\"md5\":\"00\"}}},\"version\":1}");
        graph_sign(&text, 4, &file);
        CHECK(tuf_search_open(tuf, "x", &search, NULL) == OK && tuf_search_give(search, &file, NULL) == ERR_SYNTAX);
        CHECK(tuf_search_state(search) == TUF_SEARCH_OVER);
}

TEST(tuf_search, waits_for_the_targets)
{
        static const struct graph_role roles[] = { { "targets", 2, "x", { { 0 } } } };
        OWN(graph) struct graph graph = { 0 };
        PUBLISH(graph, roles);
        OWN(tuf) struct tuf *tuf = NULL;
        OWN(tuf_search) struct tuf_search *search = NULL;
        CHECK(tuf_open(graph_find(&graph, "1.root.json"), NOW, &tuf, NULL) == OK && tuf_search_open(tuf, "x", &search, NULL) == ERR_REFUSED && !search);
}

TEST(tuf_search, survives_running_out_of_memory)
{
        static const struct graph_role roles[] = { { "targets", 2, NULL, { { "a", "*", false, 4 } } }, { "a", 4, "x", { { 0 } } } };
        OWN(graph) struct graph graph = { 0 };
        PUBLISH(graph, roles);
        OWN(tuf) struct tuf *tuf = follow(&graph);
        SWEEP_MEMORY {
                OWN(tuf_search) struct tuf_search *search = NULL;
                enum err e = tuf_search_open(tuf, "x", &search, NULL);
                if (!e)
                        e = give(search, &graph);
                CHECK(e == ERR_NOMEM || (e == OK && tuf_search_state(search) == TUF_SEARCH_FOUND));
        }
}
