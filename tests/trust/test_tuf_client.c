#include "support/sweep.h"
#include "trust/graph.h"

static const struct graph_role plain[] = { { "targets", 2, "x/1", { { 0 } } } };
static const struct graph_role delegated[] = { { "targets", 2, NULL, { { "a/../b", "*/*", false, 4 } } }, { "a/../b", 4, "x/1", { { 0 } } } };

/* A device: what it has stored, what it asked for, and after how many stores its power goes. */
struct device { struct graph stored; char log[2048]; size_t log_length; int stores_left; };

static void device_release(struct device *device)
{
        graph_release(&device->stored);
}

static void note(struct device *device, const char *name)
{
        device->log_length += (size_t)snprintf(device->log + device->log_length, sizeof(device->log) - device->log_length, "%s%s", device->log_length ? " " : "", name);
        CHECK(device->log_length < sizeof(device->log));
}

/* ERR_IO: the power is gone. */
static enum err turn(struct device *device, const struct graph *from, struct tuf_client *client, const struct tuf_task *task)
{
        const struct buf *file = graph_find(task->kind == TUF_LOAD ? &device->stored : from, task->name);
        if (task->kind == TUF_STORE) {
                if (!device->stores_left--)
                        return ERR_IO;
                graph_put(&device->stored, task->name, task->file);
                tuf_client_stored(client);
                return OK;
        }
        if (task->kind == TUF_FETCH)
                note(device, task->name);
        return file ? tuf_client_give(client, file, NULL) : tuf_client_lacks(client, NULL);
}

static enum err talk(struct device *device, const struct graph *from, struct tuf_client *client)
{
        struct tuf_task task;
        enum err e = tuf_client_next(client, &task, NULL);
        while (!e && task.kind != TUF_DONE) {
                e = turn(device, from, client, &task);
                if (!e)
                        e = tuf_client_next(client, &task, NULL);
        }
        return e;
}

static enum err open_client(const struct device *device, struct tuf_client **ret_client)
{
        return tuf_client_open(graph_find(&device->stored, "root.json"), NOW, ret_client, NULL);
}

/* A refresh from what is stored. */
static enum err refresh_at(struct device *device, const struct graph *from, int64_t now)
{
        OWN(tuf_client) struct tuf_client *client = NULL;
        device->log_length = 0;
        device->log[0] = '\0';
        enum err e = tuf_client_open(graph_find(&device->stored, "root.json"), now, &client, NULL);
        return e ? e : talk(device, from, client);
}

static enum err refresh(struct device *device, const struct graph *from)
{
        return refresh_at(device, from, NOW);
}

static void device_init(struct device *device, const struct graph *from)
{
        *device = (struct device){ .stores_left = 1 << 30 };
        graph_put(&device->stored, "root.json", graph_find(from, "1.root.json"));
}

static void publish_plain(struct graph *graph, uint64_t version, uint8_t timestamp_key)
{
        graph_publish(graph, plain, 1, version, timestamp_key);
}

/* A repository of which all has version 1, and a device with its root. */
static void install(struct device *device, struct graph *from)
{
        graph_root(from, 1, 3);
        publish_plain(from, 1, 3);
        device_init(device, from);
}

TEST(tuf_client, asks_for_what_it_needs_and_no_more)
{
        OWN(graph) struct graph from = { 0 };
        OWN(device) struct device device;
        install(&device, &from);
        CHECK(refresh(&device, &from) == OK && strcmp(device.log, "2.root.json timestamp.json 1.snapshot.json 1.targets.json") == 0);
        CHECK(device.stored.count == 4);
        CHECK(refresh(&device, &from) == OK && strcmp(device.log, "2.root.json timestamp.json") == 0);
        publish_plain(&from, 2, 3);
        graph_root(&from, 2, 3);
        CHECK(refresh(&device, &from) == OK && strcmp(device.log, "2.root.json 3.root.json timestamp.json 2.snapshot.json 2.targets.json") == 0);
        CHECK(refresh(&device, &from) == OK && strcmp(device.log, "3.root.json timestamp.json") == 0);
}

TEST(tuf_client, stores_bytes_as_they_came)
{
        OWN(graph) struct graph from = { 0 };
        OWN(device) struct device device;
        graph_root(&from, 1, 3);
        publish_plain(&from, 7, 3);
        device_init(&device, &from);
        CHECK(refresh(&device, &from) == OK);
        static const char *const names[][2] = { { "root.json", "1.root.json" }, { "timestamp.json", "timestamp.json" }, { "snapshot.json", "7.snapshot.json" }, { "targets.json", "7.targets.json" } };
        for (size_t i = 0; i < 4; i++) {
                const struct buf *here = graph_find(&device.stored, names[i][0]), *there = graph_find(&from, names[i][1]);
                CHECK(here->length == there->length && memcmp(here->bytes, there->bytes, here->length) == 0);
        }
}

TEST(tuf_client, finds_a_delegated_target_and_keeps_the_role_in_its_folder)
{
        OWN(graph) struct graph from = { 0 };
        OWN(device) struct device device;
        OWN(tuf_client) struct tuf_client *client = NULL;
        graph_root(&from, 1, 3);
        graph_publish(&from, delegated, 2, 1, 3);
        device_init(&device, &from);
        CHECK(open_client(&device, &client) == OK && talk(&device, &from, client) == OK);
        CHECK(tuf_client_seek(client, "x/1", NULL) == OK && talk(&device, &from, client) == OK);
        CHECK(tuf_client_found(client) && tuf_client_found(client)->length == 3 && tuf_client_found(client)->digest.has_sha256);
        CHECK(strstr(device.log, " 1.a%2F..%2Fb.json") && graph_find(&device.stored, "a%2F..%2Fb.json"));
        device.log_length = 0;
        CHECK(tuf_client_seek(client, "x/2", NULL) == OK && talk(&device, &from, client) == OK && !tuf_client_found(client) && device.log_length == 0);
}

TEST(tuf_client, takes_local_files_that_are_none_for_none)
{
        static const char *const names[] = { "timestamp.json", "snapshot.json", "targets.json" };
        OWN(graph) struct graph from = { 0 };
        OWN(device) struct device device;
        OWN(buf) struct buf garbage;
        install(&device, &from);
        buf_init(&garbage, 64);
        buf_add_text(&garbage, "{\"signed\":");
        for (size_t i = 0; i < 3; i++) {
                CHECK(refresh(&device, &from) == OK);
                graph_put(&device.stored, names[i], &garbage);
                CHECK(refresh(&device, &from) == OK && graph_find(&device.stored, names[i])->length > garbage.length);
        }
}

/* What is stored at any moment is enough to go on, and no version ever goes back. */
TEST(tuf_client, loses_nothing_when_the_power_goes_between_two_stores)
{
        OWN(graph) struct graph old = { 0 }, new = { 0 };
        graph_root(&old, 1, 3);
        publish_plain(&old, 1, 3);
        for (uint64_t root = 1; root <= 3; root++)
                graph_root(&new, root, root == 3 ? 8 : 3);
        publish_plain(&new, 2, 8);
        int stores = 0;
        for (enum err e = ERR_IO; e == ERR_IO; stores++) {
                OWN(device) struct device device;
                device_init(&device, &old);
                CHECK(refresh(&device, &old) == OK);
                device.stores_left = stores;
                e = refresh(&device, &new);
                CHECK(e == OK || e == ERR_IO);
                device.stores_left = 1 << 30;
                CHECK(refresh(&device, &new) == OK && graph_find(&device.stored, "targets.json")->length == graph_find(&new, "2.targets.json")->length);
                CHECK(refresh(&device, &old) == ERR_UNTRUSTED);    /* the old timestamp key is gone */
        }
        CHECK(stores == 6);      /* two roots and three files, and once to the end */
}

/* A thief of the timestamp key, then of the snapshot's, puts versions so high that nothing newer can follow. */
TEST(tuf_client, recovers_from_a_fast_forward_with_a_new_key)
{
        OWN(graph) struct graph from = { 0 };
        OWN(device) struct device device;
        graph_root(&from, 1, 3);
        publish_plain(&from, UINT64_C(1) << 53, 3);
        device_init(&device, &from);
        CHECK(refresh(&device, &from) == OK);
        publish_plain(&from, 5, 3);
        CHECK(refresh(&device, &from) == ERR_ROLLBACK);
        graph_root(&from, 2, 8);
        publish_plain(&from, 5, 8);
        /* The timestamp's key is another one; the snapshot's is not, and what it said of targets stays. */
        CHECK(refresh(&device, &from) == ERR_ROLLBACK);
        publish_plain(&from, (UINT64_C(1) << 53) + 1, 8);
        CHECK(refresh(&device, &from) == OK);
}

TEST(tuf_client, ends_with_an_error_when_a_file_that_is_announced_is_not_there)
{
        OWN(graph) struct graph from = { 0 }, half = { 0 };
        OWN(device) struct device device;
        install(&device, &from);
        CHECK(refresh(&device, &half) == ERR_NOT_FOUND);
        graph_put(&half, "timestamp.json", graph_find(&from, "timestamp.json"));
        CHECK(refresh(&device, &half) == ERR_NOT_FOUND && graph_find(&device.stored, "timestamp.json"));
        graph_put(&half, "1.snapshot.json", graph_find(&from, "1.snapshot.json"));
        CHECK(refresh(&device, &half) == ERR_NOT_FOUND);
        CHECK(refresh(&device, &from) == OK);
}

/* The last root may have expired no more than any other file; those on the way may. */
TEST(tuf_client, asks_for_nothing_more_once_the_newest_root_has_expired)
{
        OWN(graph) struct graph from = { 0 };
        OWN(device) struct device device;
        OWN(tuf_client) struct tuf_client *client = NULL;
        install(&device, &from);
        CHECK(tuf_client_open(graph_find(&from, "1.root.json"), EXPIRES, &client, NULL) == OK);
        device.log_length = 0;
        CHECK(talk(&device, &from, client) == ERR_EXPIRED && strcmp(device.log, "2.root.json") == 0);
}

TEST(tuf_client, follows_only_so_many_roots)
{
        OWN(graph) struct graph from = { 0 };
        OWN(tuf_client) struct tuf_client *client = NULL;
        OWN(buf) struct buf root;
        const struct repository keys = { .root_key = 1, .targets_key = 2, .timestamp_key = 3 };
        graph_root(&from, 1, 3);
        buf_init(&root, LIMIT_METADATA_BYTES);
        CHECK(tuf_client_open(graph_find(&from, "1.root.json"), NOW, &client, NULL) == OK);
        for (uint64_t version = 2; version <= LIMIT_ROOTS + 1; version++) {
                make_root(&keys, version, (struct root_signers){ 1, 0 }, &root);
                CHECK(tuf_client_give(client, &root, NULL) == OK);
                tuf_client_stored(client);
        }
        make_root(&keys, LIMIT_ROOTS + 2, (struct root_signers){ 1, 0 }, &root);
        CHECK(tuf_client_give(client, &root, NULL) == ERR_LIMIT);
}

TEST(tuf_client, says_when_it_is_used_out_of_turn)
{
        OWN(graph) struct graph from = { 0 };
        OWN(device) struct device device;
        OWN(tuf_client) struct tuf_client *client = NULL;
        install(&device, &from);
        CHECK(open_client(&device, &client) == OK && tuf_client_seek(client, "x/1", NULL) == ERR_USAGE && !tuf_client_found(client));
        CHECK(talk(&device, &from, client) == OK && tuf_version(tuf_client_trusted(client), TUF_TARGETS) == 1);
        CHECK(tuf_client_give(client, graph_find(&from, "timestamp.json"), NULL) == ERR_USAGE && tuf_client_lacks(client, NULL) == ERR_USAGE);
}

/* A new root and a timestamp of this version that last a day longer than all else, and name snapshot 1. */
static void outlast(struct graph *from, uint64_t timestamp_version)
{
        const struct public_key root = test_key(1).public, targets = test_key(2).public, timestamp = test_key(3).public;
        const struct tuf_root lasting = { { 2, NOW + 86400 }, { { &root, 1, 1 }, { &targets, 1, 1 }, { &targets, 1, 1 }, { &timestamp, 1, 1 } } };
        OWN(buf) struct buf text, file;
        buf_init(&text, 2048);
        buf_init(&file, LIMIT_METADATA_BYTES);
        CHECK(tuf_root_write(&lasting, &text, NULL) == OK);
        sign_file(&text, 1, &file);
        graph_put(from, "2.root.json", &file);
        buf_clear(&text);
        CHECK(tuf_timestamp_write(&(struct tuf_stamp){ timestamp_version, NOW + 86400 }, &(struct tuf_of){ 1, graph_find(from, "1.snapshot.json") }, &text, NULL) == OK);
        sign_file(&text, 3, &file);
        graph_put(from, "timestamp.json", &file);
}

/* A file of theirs expires at 04:36:40 with the timestamp, or at six; here the timestamp is newer than the rest. */
TEST(tuf_client, uses_no_local_file_that_expired_by_itself)
{
        OWN(graph) struct graph from = { 0 };
        OWN(device) struct device device;
        const int64_t at_seven = NOW + 12200;
        install(&device, &from);
        CHECK(refresh(&device, &from) == OK);
        outlast(&from, 2);
        CHECK(refresh_at(&device, &from, at_seven) == ERR_EXPIRED && strstr(device.log, "1.snapshot.json"));
}

/* Of one version, and both signed: what the timestamp names by its digest is the one. */
TEST(tuf_client, fetches_again_what_it_has_with_other_bytes)
{
        OWN(graph) struct graph from = { 0 }, other = { 0 };
        OWN(device) struct device device;
        install(&device, &from);
        graph_root(&other, 1, 3);
        graph_publish(&other, delegated, 2, 1, 3);
        CHECK(refresh(&device, &from) == OK);
        graph_put(&device.stored, "snapshot.json", graph_find(&other, "1.snapshot.json"));
        CHECK(refresh(&device, &from) == ERR_ROLLBACK);           /* it names a role that the right one does not */
        graph_put(&other, "1.snapshot.json", graph_find(&from, "1.snapshot.json"));
        OWN(buf) struct buf text, file;
        buf_init(&text, 1024);
        buf_init(&file, 4096);
        buf_add_text(&text, "{\"_type\":\"snapshot\",\"expires\":\"2026-07-19T06:00:00Z\",\"meta\":{\"targets.json\":{\"version\":1}},\"spec_version\":\"1.0.1\",\"version\":1}");
        graph_sign(&text, 2, &file);
        graph_put(&device.stored, "snapshot.json", &file);
        CHECK(refresh(&device, &from) == OK && strstr(device.log, "1.snapshot.json"));
}

/* The same version again is no news, whatever it says: the one that is trusted has expired. */
TEST(tuf_client, prolongs_nothing_without_a_new_version)
{
        OWN(graph) struct graph from = { 0 };
        OWN(device) struct device device;
        install(&device, &from);
        CHECK(refresh(&device, &from) == OK);
        outlast(&from, 1);
        CHECK(refresh_at(&device, &from, EXPIRES) == ERR_EXPIRED);
}

/* Names without versions; the client takes what the timestamp names all the same. */
TEST(tuf_client, follows_a_repository_without_consistent_snapshots)
{
        OWN(graph) struct graph from = { 0 };
        OWN(device) struct device device;
        OWN(buf) struct buf text, file;
        OWN(json) struct json *root = NULL;
        buf_init(&text, 4096);
        buf_init(&file, 8192);
        graph_root(&from, 1, 3);
        publish_plain(&from, 1, 3);
        const struct buf *signed_root = graph_find(&from, "1.root.json");
        CHECK(json_parse(signed_root->bytes, signed_root->length, LIMIT_METADATA_BYTES, &root, NULL) == OK && canon_write(json_get(root, "signed"), &text, NULL) == OK);
        char *consistent = strstr(text.bytes, "\"consistent_snapshot\":true");
        CHECK(consistent);
        memcpy(consistent, "\"consistent_snapshoT\":true", 26);     /* a field that nobody knows: the least that makes it none */
        graph_sign(&text, 1, &file);
        graph_put(&from, "1.root.json", &file);
        graph_put(&from, "snapshot.json", graph_find(&from, "1.snapshot.json"));
        graph_put(&from, "targets.json", graph_find(&from, "1.targets.json"));
        device_init(&device, &from);
        CHECK(refresh(&device, &from) == OK && strcmp(device.log, "2.root.json timestamp.json snapshot.json targets.json") == 0);
}

/* The one entry that cannot be read is of a role that nobody asks for, and does not outlive its snapshot. */
TEST(tuf_client, gets_past_a_snapshot_that_names_more_than_it_can_read)
{
        OWN(graph) struct graph from = { 0 };
        OWN(device) struct device device;
        OWN(buf) struct buf text, file;
        buf_init(&text, 2048);
        buf_init(&file, 4096);
        install(&device, &from);
        for (int version = 2; version < 4; version++) {
                publish_plain(&from, (uint64_t)version, 3);
                buf_clear(&text);
                buf_addf(&text, "{\"_type\":\"snapshot\",\"expires\":\"2026-07-19T06:00:00Z\",\"meta\":{\"big.json\":{\"hashes\":{\"blake2b\":\"AA\"},\"length\":9999999,\"version\":1},"
                                "\"targets.json\":{\"version\":%d}},\"spec_version\":\"1.0.33\",\"version\":%d}", version, version);
                graph_sign(&text, 2, &file);
                char name[32];
                snprintf(name, sizeof(name), "%d.snapshot.json", version);
                graph_put(&from, name, &file);
                buf_clear(&text);
                CHECK(tuf_timestamp_write(&(struct tuf_stamp){ (uint64_t)version, EXPIRES }, &(struct tuf_of){ (uint64_t)version, &file }, &text, NULL) == OK);
                sign_file(&text, 3, &file);
                graph_put(&from, "timestamp.json", &file);
                CHECK(refresh(&device, &from) == OK);
        }
}

/* With no memory to read what is trusted, an older file is not taken. */
TEST(tuf_client, never_forgets_what_it_trusted_when_memory_is_short)
{
        OWN(graph) struct graph old = { 0 }, new = { 0 };
        OWN(device) struct device device;
        graph_root(&old, 1, 3);
        publish_plain(&old, 1, 3);
        graph_root(&new, 1, 3);
        publish_plain(&new, 2, 3);
        device_init(&device, &new);
        CHECK(refresh(&device, &new) == OK);
        SWEEP_MEMORY {
                OWN(tuf_client) struct tuf_client *client = NULL;
                enum err e = open_client(&device, &client);
                device.log_length = 0;
                if (!e)
                        e = talk(&device, &old, client);
                CHECK(e == ERR_NOMEM || e == ERR_ROLLBACK);
        }
}

TEST(tuf_client, is_over_after_an_error)
{
        OWN(graph) struct graph from = { 0 };
        OWN(device) struct device device;
        OWN(tuf_client) struct tuf_client *client = NULL;
        struct tuf_task task;
        graph_root(&from, 1, 3);
        publish_plain(&from, 1, 9);
        device_init(&device, &from);
        CHECK(open_client(&device, &client) == OK && talk(&device, &from, client) == ERR_UNTRUSTED);
        CHECK(tuf_client_next(client, &task, NULL) == ERR_USAGE && tuf_client_give(client, graph_find(&from, "timestamp.json"), NULL) == ERR_USAGE);
        CHECK(tuf_client_lacks(client, NULL) == ERR_USAGE && tuf_client_seek(client, "x/1", NULL) == ERR_USAGE);
}

TEST(tuf_client, survives_running_out_of_memory)
{
        OWN(graph) struct graph from = { 0 };
        OWN(device) struct device device;
        graph_root(&from, 1, 3);
        graph_publish(&from, delegated, 2, 1, 3);
        device_init(&device, &from);
        CHECK(refresh(&device, &from) == OK);
        SWEEP_MEMORY {
                OWN(tuf_client) struct tuf_client *client = NULL;
                enum err e = open_client(&device, &client);
                device.log_length = 0;
                if (!e)
                        e = talk(&device, &from, client);
                if (!e)
                        e = tuf_client_seek(client, "x/1", NULL);
                if (!e)
                        e = talk(&device, &from, client);
                CHECK(e == ERR_NOMEM || (e == OK && tuf_client_found(client)));
        }
}
