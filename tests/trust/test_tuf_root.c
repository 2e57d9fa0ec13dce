#include "trust/tuf_root.h"

#include "support/sweep.h"
#include "trust/graph.h"

/* A root of keys 1, 2 and 3, version 7. */
static void root_init(struct buf *root, struct root_signers signers)
{
        const struct repository keys = { .root_key = 1, .targets_key = 2, .timestamp_key = 3 };
        buf_init(root, LIMIT_METADATA_BYTES);
        make_root(&keys, 7, signers, root);
}

static void check_facts(const struct tuf_root_facts *facts)
{
        static const uint8_t keys[TUF_ROLES] = { [TUF_ROOT] = 1, [TUF_TARGETS] = 2, [TUF_SNAPSHOT] = 2, [TUF_TIMESTAMP] = 3 };
        CHECK(facts->stamp.version == 7 && facts->stamp.expires == EXPIRES);
        for (int role = 0; role < TUF_ROLES; role++) {
                const struct secret_key key = test_key(keys[role]);
                const struct tuf_holders *holders = &facts->roles[role];
                CHECK(holders->count == 1 && holders->threshold == 1 && memcmp(holders->keys[0].bytes, key.public.bytes, sizeof(key.public.bytes)) == 0);
        }
}

TEST(tuf_root_of_file, says_who_holds_which_role)
{
        OWN(buf) struct buf root;
        struct tuf_root_facts facts;
        root_init(&root, (struct root_signers){ 1, 0 });
        CHECK(tuf_root_of_file(&root, &facts, NULL) == OK);
        check_facts(&facts);
}

TEST(tuf_root_of, says_the_same_of_the_trusted_one)
{
        OWN(buf) struct buf root;
        OWN(tuf) struct tuf *tuf = NULL;
        struct tuf_root_facts facts;
        root_init(&root, (struct root_signers){ 1, 0 });
        CHECK(tuf_open(&root, NOW, &tuf, NULL) == OK && tuf_root_of(tuf, &facts, NULL) == OK);
        check_facts(&facts);
}

TEST(tuf_root_of_file, refuses_what_its_own_keys_did_not_sign)
{
        OWN(buf) struct buf root;
        struct tuf_root_facts facts;
        root_init(&root, (struct root_signers){ 9, 0 });
        CHECK(tuf_root_of_file(&root, &facts, NULL) == ERR_UNTRUSTED);
}

TEST(tuf_root_of_file, refuses_what_is_no_root)
{
        OWN(graph) struct graph graph = { 0 };
        OWN(buf) struct buf damaged;
        struct tuf_root_facts facts;
        graph_publish(&graph, &(struct graph_role){ "targets", 2, NULL, { { 0 } } }, 1, 1, 3);
        CHECK(tuf_root_of_file(graph_find(&graph, "1.targets.json"), &facts, NULL) == ERR_SYNTAX);
        root_init(&damaged, (struct root_signers){ 1, 0 });
        damaged.length /= 2;
        CHECK(tuf_root_of_file(&damaged, &facts, NULL) == ERR_SYNTAX);
}

/* A client takes such a root; our tools make none. */
TEST(tuf_root_of_file, refuses_a_key_of_another_kind)
{
        OWN(buf) struct buf text, root;
        struct tuf_root_facts facts;
        const struct public_key public = test_key(1).public;
        char id[65];
        buf_init(&text, LIMIT_METADATA_BYTES);
        buf_init(&root, LIMIT_METADATA_BYTES);
        tuf_key_id(&public, id);
        buf_add_text(&text, "{\"_type\":\"root\",\"consistent_snapshot\":true,\"expires\":\"2026-07-19T06:00:00Z\",\"spec_version\":\"1.0.33\",\"version\":1,\"keys\":{");
        graph_add_key(&text, 1);
        buf_add_text(&text, ",\"other\":{\"keytype\":\"unheard-of\",\"scheme\":\"unheard-of\",\"keyval\":{\"public\":\"00\"}}},\"roles\":{");
        for (enum tuf_role role = TUF_ROOT; role < TUF_ROLES; role++)
                buf_addf(&text, "%s\"%s\":{\"keyids\":[\"%s\"],\"threshold\":1}", role ? "," : "", tuf_role_name(role), role == TUF_TIMESTAMP ? "other" : id);
        buf_add_text(&text, "}}");
        graph_sign(&text, 1, &root);
        struct why why;
        OWN(tuf) struct tuf *tuf = NULL;
        CHECK(tuf_open(&root, NOW, &tuf, NULL) == OK);
        CHECK(tuf_root_of_file(&root, &facts, &why) == ERR_SYNTAX && strstr(why.text, "root: role timestamp: a key that is not Ed25519"));
}

TEST(tuf_root_of_file, survives_running_out_of_memory)
{
        OWN(buf) struct buf root;
        unsigned failed = 0;
        root_init(&root, (struct root_signers){ 1, 0 });
        SWEEP_MEMORY {
                struct tuf_root_facts facts;
                enum err e = tuf_root_of_file(&root, &facts, NULL);
                CHECK(e == OK || e == ERR_NOMEM);
                failed += e == ERR_NOMEM;
        }
        CHECK(failed > 4);
}

TEST(tuf_root_draft, says_the_same_before_anybody_signed)
{
        const struct public_key root = test_key(1).public, targets = test_key(2).public, timestamp = test_key(3).public;
        const struct tuf_root drafted = { { 7, EXPIRES }, { { &root, 1, 1 }, { &targets, 1, 1 }, { &targets, 1, 1 }, { &timestamp, 1, 1 } } };
        OWN(buf) struct buf text;
        struct tuf_root_facts facts;
        struct tuf_stamp stamp;
        buf_init(&text, LIMIT_METADATA_BYTES);
        CHECK(tuf_root_write(&drafted, &text, NULL) == OK && tuf_root_draft(&text, &facts, NULL) == OK);
        check_facts(&facts);
        CHECK(tuf_draft_stamp(TUF_ROOT, &text, &stamp, NULL) == OK && stamp.version == 7 && stamp.expires == EXPIRES);
        CHECK(tuf_draft_stamp(TUF_TARGETS, &text, &stamp, NULL) == ERR_SYNTAX);
}
