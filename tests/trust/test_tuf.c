#include "support/sweep.h"
#include "trust/repository.h"
#include "trust/tuf_build.h"
#include "trust/tuf_doc.h"

#include "format/hex.h"
#include "format/json.h"

static void init(struct repository *repository)
{
        struct tuf_target target = target_of("rules/1", "one");
        repository_init(repository, 1, 2, 3);
        publish(repository, &target);
}

static struct tuf *open_at(const struct repository *repository, int64_t now)
{
        struct tuf *tuf = NULL;
        CHECK(tuf_open(&repository->root, now, &tuf, NULL) == OK);
        return tuf;
}

static enum err follow(struct tuf *tuf, const struct repository *repository)
{
        enum err e = tuf_update(tuf, TUF_TIMESTAMP, &repository->timestamp, NULL);
        if (!e && !tuf_is_current(tuf, TUF_SNAPSHOT))
                e = tuf_update(tuf, TUF_SNAPSHOT, &repository->snapshot, NULL);
        if (!e && !tuf_is_current(tuf, TUF_TARGETS))
                e = tuf_update(tuf, TUF_TARGETS, &repository->targets, NULL);
        return e;
}

/* Sign what a writer wrote, after `change` of its text to another of the same length. */
struct change { const char *from, *to; };
static void resign(struct buf *file, uint8_t key, struct change change)
{
        OWN(buf) struct buf to_sign;
        char *body = strstr(file->bytes, "\"signed\":") + 9, *at;
        buf_init(&to_sign, LIMIT_METADATA_BYTES);
        buf_add(&to_sign, body, strlen(body) - 1);
        at = strstr(to_sign.bytes, change.from);
        CHECK(at && strlen(change.from) == strlen(change.to));
        memcpy(at, change.to, strlen(change.to));
        sign_file(&to_sign, key, file);
}

TEST(tuf, finds_a_target_after_following_all_files)
{
        OWN(repository) struct repository repository;
        struct tuf_target target, wanted = target_of("rules/1", "one");
        init(&repository);
        OWN(tuf) struct tuf *tuf = open_at(&repository, NOW);
        CHECK(tuf_find(tuf, "rules/1", &target, NULL) == ERR_NOT_FOUND);
        CHECK(follow(tuf, &repository) == OK && tuf_find(tuf, "rules/1", &target, NULL) == OK);
        CHECK(target.length == 3 && memcmp(target.sha256, wanted.sha256, 32) == 0 && !target.custom);
        CHECK(tuf_find(tuf, "rules/2", &target, NULL) == ERR_NOT_FOUND && tuf_target_count(tuf) == 1 && strcmp(tuf_target_path(tuf, 0), "rules/1") == 0);
        CHECK(tuf_version(tuf, TUF_TARGETS) == 1 && tuf_expires(tuf, TUF_SNAPSHOT) == EXPIRES);
}

TEST(tuf, keeps_old_targets_when_one_is_added_and_replaces_one_of_the_same_path)
{
        OWN(repository) struct repository repository;
        struct tuf_target target, two = target_of("rules/2", "two"), other = target_of("rules/1", "other");
        init(&repository);
        publish(&repository, &two);
        publish(&repository, &other);
        OWN(tuf) struct tuf *tuf = open_at(&repository, NOW);
        CHECK(follow(tuf, &repository) == OK && tuf_target_count(tuf) == 2);
        CHECK(tuf_find(tuf, "rules/1", &target, NULL) == OK && target.length == 5 && tuf_find(tuf, "rules/2", &target, NULL) == OK);
}

TEST(tuf, takes_only_what_its_role_signed)
{
        static const enum tuf_role roles[] = { TUF_TIMESTAMP, TUF_SNAPSHOT, TUF_TARGETS };
        for (size_t i = 0; i < 3; i++) {
                OWN(repository) struct repository repository;
                init(&repository);
                OWN(tuf) struct tuf *tuf = open_at(&repository, NOW);
                struct buf *file = (struct buf *)repository_file(&repository, roles[i]);
                resign(file, 9, (struct change){ "1.0.33", "1.0.33" });
                struct tuf_stamp stamp;
                CHECK(tuf_check(tuf, roles[i], file, &stamp, NULL) == ERR_UNTRUSTED && follow(tuf, &repository) == ERR_UNTRUSTED);
        }
}

TEST(tuf, root_must_be_signed_by_itself)
{
        OWN(repository) struct repository repository;
        struct tuf *tuf = NULL;
        repository_init(&repository, 1, 2, 3);
        make_root(&repository, 1, (struct root_signers){ 2, 3 }, &repository.root);
        CHECK(tuf_open(&repository.root, NOW, &tuf, NULL) == ERR_UNTRUSTED && !tuf);
}

TEST(tuf, roots_follow_each_other_by_old_and_new_keys)
{
        static const struct { uint64_t version; struct root_signers signers; enum err expected; } steps[] = {
                { 2, { 1, 0 }, ERR_UNTRUSTED }, { 2, { 7, 0 }, ERR_UNTRUSTED }, { 1, { 1, 7 }, ERR_ROLLBACK }, { 3, { 1, 7 }, ERR_ROLLBACK }, { 2, { 7, 1 }, OK },
                { 3, { 1, 0 }, ERR_UNTRUSTED }, { 2, { 7, 0 }, ERR_ROLLBACK }, { 3, { 7, 0 }, OK },
        };
        OWN(repository) struct repository repository;
        OWN(buf) struct buf next;
        init(&repository);
        OWN(tuf) struct tuf *tuf = open_at(&repository, NOW);
        buf_init(&next, LIMIT_METADATA_BYTES);
        repository.root_key = 7;
        for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
                make_root(&repository, steps[i].version, steps[i].signers, &next);
                CHECK(tuf_update(tuf, TUF_ROOT, &next, NULL) == steps[i].expected);
        }
        CHECK(tuf_version(tuf, TUF_ROOT) == 3);
}

TEST(tuf, refuses_each_file_that_expired)
{
        OWN(repository) struct repository repository;
        init(&repository);
        OWN(tuf) struct tuf *late = open_at(&repository, EXPIRES), *in_time = open_at(&repository, EXPIRES - 1);
        CHECK(follow(late, &repository) == ERR_EXPIRED && follow(in_time, &repository) == OK);
        struct tuf_stamp stamp;
        CHECK(tuf_check(late, TUF_TARGETS, &repository.targets, &stamp, NULL) == ERR_EXPIRED);
        tuf_close(GIVE(late));
        resign(&repository.snapshot, 2, (struct change){ "\"expires\":\"2026", "\"expires\":\"2025" });
        OWN(buf) struct buf to_sign;
        buf_init(&to_sign, LIMIT_METADATA_BYTES);
        CHECK(tuf_timestamp_write(&(struct tuf_stamp){ 2, EXPIRES }, &(struct tuf_of){ 1, &repository.snapshot }, &to_sign, NULL) == OK);
        sign_file(&to_sign, 3, &repository.timestamp);
        OWN(tuf) struct tuf *tuf = open_at(&repository, NOW);
        CHECK(tuf_update(tuf, TUF_TIMESTAMP, &repository.timestamp, NULL) == OK && tuf_update(tuf, TUF_SNAPSHOT, &repository.snapshot, NULL) == ERR_EXPIRED);
}

TEST(tuf, never_goes_back)
{
        OWN(repository) struct repository old, new;
        init(&old);
        init(&new);
        publish(&new, NULL);
        OWN(tuf) struct tuf *tuf = open_at(&new, NOW);
        CHECK(follow(tuf, &new) == OK);
        CHECK(tuf_update(tuf, TUF_TIMESTAMP, &old.timestamp, NULL) == ERR_ROLLBACK);
        CHECK(tuf_version(tuf, TUF_TIMESTAMP) == 2 && tuf_update(tuf, TUF_TIMESTAMP, &new.timestamp, NULL) == OK);
}

/* A newer timestamp that names an older snapshot, and a newer snapshot that names older targets. */
TEST(tuf, never_goes_back_below_a_newer_file)
{
        OWN(repository) struct repository repository;
        OWN(buf) struct buf old_snapshot, old_targets, to_sign;
        init(&repository);
        buf_init(&old_snapshot, LIMIT_METADATA_BYTES);
        buf_init(&old_targets, LIMIT_METADATA_BYTES);
        buf_init(&to_sign, LIMIT_METADATA_BYTES);
        buf_add(&old_snapshot, repository.snapshot.bytes, repository.snapshot.length);
        buf_add(&old_targets, repository.targets.bytes, repository.targets.length);
        publish(&repository, NULL);
        OWN(tuf) struct tuf *tuf = open_at(&repository, NOW);
        CHECK(follow(tuf, &repository) == OK);
        CHECK(tuf_timestamp_write(&(struct tuf_stamp){ 3, EXPIRES }, &(struct tuf_of){ 1, &old_snapshot }, &to_sign, NULL) == OK);
        sign_file(&to_sign, 3, &repository.timestamp);
        CHECK(tuf_update(tuf, TUF_TIMESTAMP, &repository.timestamp, NULL) == ERR_ROLLBACK);
        buf_clear(&to_sign);
        CHECK(tuf_snapshot_write(&(struct tuf_stamp){ 3, EXPIRES }, &(struct tuf_of){ 1, &old_targets }, &to_sign, NULL) == OK);
        sign_file(&to_sign, 2, &repository.snapshot);
        buf_clear(&to_sign);
        CHECK(tuf_timestamp_write(&(struct tuf_stamp){ 3, EXPIRES }, &(struct tuf_of){ 3, &repository.snapshot }, &to_sign, NULL) == OK);
        sign_file(&to_sign, 3, &repository.timestamp);
        CHECK(tuf_update(tuf, TUF_TIMESTAMP, &repository.timestamp, NULL) == OK && tuf_update(tuf, TUF_SNAPSHOT, &repository.snapshot, NULL) == ERR_ROLLBACK);
}

TEST(tuf, refuses_files_of_two_publications_mixed)
{
        OWN(repository) struct repository one, two;
        init(&one);
        init(&two);
        struct tuf_target target = target_of("rules/2", "two");
        publish(&two, &target);
        OWN(tuf) struct tuf *tuf = open_at(&two, NOW);
        CHECK(tuf_update(tuf, TUF_TIMESTAMP, &two.timestamp, NULL) == OK);
        CHECK(tuf_update(tuf, TUF_SNAPSHOT, &one.snapshot, NULL) == ERR_UNTRUSTED && tuf_update(tuf, TUF_SNAPSHOT, &two.snapshot, NULL) == OK);
        CHECK(tuf_update(tuf, TUF_TARGETS, &one.targets, NULL) == ERR_UNTRUSTED && tuf_update(tuf, TUF_TARGETS, &two.targets, NULL) == OK);
}

TEST(tuf, refuses_files_out_of_order)
{
        OWN(repository) struct repository repository;
        struct tuf_want want;
        init(&repository);
        OWN(tuf) struct tuf *tuf = open_at(&repository, NOW);
        CHECK(tuf_wanted(tuf, TUF_SNAPSHOT, &want, NULL) == ERR_REFUSED);
        CHECK(tuf_update(tuf, TUF_SNAPSHOT, &repository.snapshot, NULL) == ERR_REFUSED && tuf_update(tuf, TUF_TARGETS, &repository.targets, NULL) == ERR_REFUSED);
        CHECK(tuf_update(tuf, TUF_TIMESTAMP, &repository.timestamp, NULL) == OK && tuf_update(tuf, TUF_TARGETS, &repository.targets, NULL) == ERR_REFUSED);
        CHECK(tuf_wanted(tuf, TUF_SNAPSHOT, &want, NULL) == OK && want.version == 1 && want.bytes_max == repository.snapshot.length && want.digest.has_sha256);
        CHECK(tuf_wanted(tuf, TUF_ROOT, &want, NULL) == OK && want.version == 2 && tuf_wanted(tuf, TUF_TIMESTAMP, &want, NULL) == OK && !want.version);
}

/* One byte more than announced, even if the announced digest were right. */
TEST(tuf, refuses_more_bytes_than_announced)
{
        OWN(repository) struct repository repository;
        init(&repository);
        OWN(tuf) struct tuf *tuf = open_at(&repository, NOW);
        CHECK(tuf_update(tuf, TUF_TIMESTAMP, &repository.timestamp, NULL) == OK);
        buf_add_text(&repository.snapshot, " ");
        CHECK(tuf_update(tuf, TUF_SNAPSHOT, &repository.snapshot, NULL) == ERR_LIMIT);
        OWN(buf) struct buf large;
        buf_init(&large, LIMIT_METADATA_BYTES);
        for (int i = 0; i < 1025; i++)
                buf_add_text(&large, "                ");
        CHECK(tuf_update(tuf, TUF_TIMESTAMP, &large, NULL) == ERR_LIMIT);
}

static enum err verify(const struct tuf_doc *root, const char *signatures, const char *body)
{
        OWN(tuf_doc) struct tuf_doc *doc = NULL;
        OWN(buf) struct buf file;
        buf_init(&file, LIMIT_METADATA_BYTES);
        buf_addf(&file, "{\"signatures\":[%s],\"signed\":%s}", signatures, body);
        enum err e = tuf_doc_open(TUF_TIMESTAMP, &file, &doc, NULL);
        struct tuf_keyring keyring = tuf_doc_keyring(root, TUF_TIMESTAMP);
        return e ? e : tuf_doc_verify(doc, &keyring, NULL);
}

/* Written by hand: a threshold of 2 over keys 1 and 2, where key 1 stands under two ids. */
TEST(tuf, counts_different_keys_not_key_ids)
{
        static const char body[] = "{\"_type\":\"timestamp\",\"expires\":\"2099-01-01T00:00:00Z\",\"meta\":{\"snapshot.json\":{\"version\":1}},\"spec_version\":\"1.0.33\",\"version\":1}";
        struct secret_key keys[] = { test_key(1), test_key(2) };
        char public[2][65], sig[2][129], one[200], again[200], two[200], all[700];
        OWN(buf) struct buf file;
        OWN(tuf_doc) struct tuf_doc *root = NULL;
        buf_init(&file, LIMIT_METADATA_BYTES);
        for (int i = 0; i < 2; i++) {
                uint8_t signature[64];
                key_sign(&keys[i], body, strlen(body), signature);
                hex_encode(keys[i].public.bytes, 32, public[i]);
                hex_encode(signature, 64, sig[i]);
        }
        buf_addf(&file, "{\"signatures\":[],\"signed\":{\"_type\":\"root\",\"expires\":\"2099-01-01T00:00:00Z\",\"keys\":{");
        for (int i = 0; i < 3; i++)
                buf_addf(&file, "%s\"%c\":{\"keytype\":\"ed25519\",\"scheme\":\"ed25519\",\"keyval\":{\"public\":\"%s\"}}", i ? "," : "", 'a' + i, public[i == 2]);
        buf_addf(&file, "},\"roles\":{\"root\":{\"keyids\":[],\"threshold\":1},\"snapshot\":{\"keyids\":[],\"threshold\":1},\"targets\":{\"keyids\":[],\"threshold\":1},"
                  "\"timestamp\":{\"keyids\":[\"a\",\"b\",\"c\",\"missing\"],\"threshold\":2}},\"spec_version\":\"1.0.33\",\"version\":1}}");
        CHECK(tuf_doc_open(TUF_ROOT, &file, &root, NULL) == OK);
        snprintf(one, sizeof(one), "{\"keyid\":\"a\",\"sig\":\"%s\"}", sig[0]);
        snprintf(again, sizeof(again), "{\"keyid\":\"b\",\"sig\":\"%s\"}", sig[0]);
        snprintf(two, sizeof(two), "{\"keyid\":\"c\",\"sig\":\"%s\"}", sig[1]);
        CHECK(verify(root, one, body) == ERR_UNTRUSTED && verify(root, two, body) == ERR_UNTRUSTED && verify(root, "", body) == ERR_UNTRUSTED);
        snprintf(all, sizeof(all), "%s,%s", one, again);
        CHECK(verify(root, all, body) == ERR_UNTRUSTED);
        snprintf(all, sizeof(all), "%s,%s", one, one);
        CHECK(verify(root, all, body) == ERR_SYNTAX);
        snprintf(all, sizeof(all), "{\"keyid\":\"missing\",\"sig\":\"00\"},7,%s,%s", again, two);
        CHECK(verify(root, all, body) == OK);
}

TEST(tuf, refuses_what_is_no_metadata)
{
        static const char *const bad[] = {
                "", "[]", "{}", "{\"signed\":{}}", "{\"signatures\":[],\"signed\":{\"_type\":\"root\"}}",
                "{\"signatures\":[],\"signed\":{\"_type\":\"timestamp\",\"expires\":\"2099-01-01T00:00:00Z\",\"spec_version\":\"2.0\",\"version\":1}}",
                "{\"signatures\":[],\"signed\":{\"_type\":\"timestamp\",\"expires\":\"2099-01-01T00:00:00Z\",\"spec_version\":\"1.0\",\"version\":0}}",
                "{\"signatures\":[],\"signed\":{\"_type\":\"timestamp\",\"expires\":\"2099-01-01T00:00:00Z\",\"spec_version\":\"1.0\",\"version\":\"1\"}}",
                "{\"signatures\":[],\"signed\":{\"_type\":\"timestamp\",\"expires\":\"2099-13-01T00:00:00Z\",\"spec_version\":\"1.0\",\"version\":1}}",
                "{\"signatures\":[],\"signed\":{\"_type\":\"timestamp\",\"expires\":\"2099-01-01T00:00:00Z\",\"spec_version\":\"1.0\",\"version\":1},\"signed\":{}}",
        };
        OWN(repository) struct repository repository;
        init(&repository);
        OWN(tuf) struct tuf *tuf = open_at(&repository, NOW);
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                OWN(buf) struct buf file;
                buf_init(&file, LIMIT_METADATA_BYTES);
                buf_add_text(&file, bad[i]);
                CHECK(tuf_update(tuf, TUF_TIMESTAMP, &file, NULL) == ERR_SYNTAX);
        }
}

TEST(tuf, writes_no_root_whose_threshold_cannot_be_met)
{
        struct public_key key = test_key(1).public;
        struct tuf_root root = { { 1, EXPIRES }, { { &key, 1, 1 }, { &key, 1, 1 }, { &key, 1, 2 }, { &key, 1, 1 } } };
        OWN(buf) struct buf into;
        buf_init(&into, LIMIT_METADATA_BYTES);
        CHECK(tuf_root_write(&root, &into, NULL) == ERR_SYNTAX);
        root.roles[TUF_SNAPSHOT].threshold = 0;
        CHECK(tuf_root_write(&root, &into, NULL) == ERR_SYNTAX);
}

/* A stored file, so that what devices in the field have pinned stays readable. */
TEST(tuf, writes_always_this_form)
{
        OWN(buf) struct buf to_sign, file;
        buf_init(&to_sign, LIMIT_METADATA_BYTES);
        buf_init(&file, LIMIT_METADATA_BYTES);
        struct tuf_target target = target_of("rules/1", "abc");
        CHECK(tuf_targets_write(&(struct tuf_stamp){ 3, 1795240446 }, &(struct tuf_change){ NULL, &target }, &to_sign, NULL) == OK);
        CHECK(strcmp(to_sign.bytes, "{\"_type\":\"targets\",\"expires\":\"2026-11-21T05:54:06Z\",\"spec_version\":\"1.0.33\",\"targets\":{\"rules/1\":{\"hashes\":{\"sha256\":"
              "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"},\"length\":3}},\"version\":3}") == 0);
        sign_file(&to_sign, 1, &file);
        CHECK(strncmp(file.bytes, "{\"signatures\":[{\"keyid\":\"", 25) == 0 && strstr(file.bytes, "\"signed\":{\"_type\""));
        char id[65];
        struct public_key key = test_key(1).public;
        tuf_key_id(&key, id);
        CHECK(strstr(file.bytes, id));
}

TEST(tuf, survives_running_out_of_memory)
{
        OWN(repository) struct repository repository;
        init(&repository);
        SWEEP_MEMORY {
                OWN(tuf) struct tuf *tuf = NULL;
                enum err e = tuf_open(&repository.root, NOW, &tuf, NULL);
                CHECK(e == OK || (e == ERR_NOMEM && !tuf));
                if (!e)
                        e = follow(tuf, &repository);
                CHECK(e == OK || e == ERR_NOMEM);
        }
}

TEST(tuf, writers_survive_running_out_of_memory)
{
        OWN(repository) struct repository repository;
        struct public_key key = test_key(1).public;
        struct tuf_root root = { { 1, EXPIRES }, { { &key, 1, 1 }, { &key, 1, 1 }, { &key, 1, 1 }, { &key, 1, 1 } } };
        struct tuf_target target = target_of("rules/2", "two");
        init(&repository);
        SWEEP_MEMORY {
                OWN(buf) struct buf one, two;
                buf_init(&one, LIMIT_METADATA_BYTES);
                buf_init(&two, LIMIT_METADATA_BYTES);
                enum err e = tuf_root_write(&root, &one, NULL);
                CHECK(e == OK || e == ERR_NOMEM);
                e = tuf_targets_write(&root.stamp, &(struct tuf_change){ &repository.targets, &target }, &two, NULL);
                CHECK(e == OK || e == ERR_NOMEM);
        }
}
