#include "server/world.h"

#include "base/limits.h"
#include "evidence/records.h"
#include "format/canon.h"
#include "format/hex.h"
#include "log/signed.h"
#include "server/store/artifacts.h"
#include "trust/anchor.h"
#include "trust/release_custom.h"
#include "trust/request.h"
#include "trust/sha.h"
#include "trust/tuf_build.h"

#include <inttypes.h>
#include <unistd.h>

#define ADMIN_KEY "admin-key-of-the-tests"
static const uint8_t secret[32] = "the server's secret of the tests";
static const int64_t expires = WORLD_START_S + 90 * 86400;

static uint8_t log_key(const struct world_signer *signer) { return signer->log_key ? signer->log_key : 8; }

static enum err sign_form(struct signer *signer, enum signer_form form, const void *bytes, size_t length, uint8_t ret_signature[64], struct why *why)
{
        struct world_signer *own = (struct world_signer *)signer;
        struct secret_key key = test_key(form == SIGNER_CHECKPOINT ? log_key(own) : form != SIGNER_RELEASE_TIMESTAMP ? 5 : own->timestamp_key ? own->timestamp_key : 3);
        if (own->failure)
                return FAIL(why, own->failure, "the signer fails");
        own->signed_count++;
        key_sign(&key, bytes, length, ret_signature);
        return OK;
}
static const struct signer_ops signer_ops = { sign_form };

static void sign_file(const struct buf *to_sign, uint8_t n, struct buf *into)
{
        struct secret_key key = test_key(n);
        buf_clear(into);
        CHECK(tuf_file_sign(to_sign, &key, 1, into, NULL) == OK);
}

static void make_root(uint8_t by, const uint8_t numbers[TUF_ROLES], struct buf *into)
{
        struct public_key keys[TUF_ROLES];
        struct tuf_root root = { .stamp = { 1, expires } };
        OWN(buf) struct buf to_sign;
        buf_init(&to_sign, LIMIT_METADATA_BYTES);
        for (int role = 0; role < TUF_ROLES; role++) {
                keys[role] = test_key(numbers[role]).public;
                root.roles[role] = (struct tuf_role_keys){ &keys[role], 1, 1 };
        }
        CHECK(tuf_root_write(&root, &to_sign, NULL) == OK);
        sign_file(&to_sign, by, into);
}

struct verifier world_log(const struct world *world)
{
        struct verifier log;
        struct secret_key key = test_key(log_key(&world->signer));
        CHECK(verifier_log(TEST_ORIGIN, &key.public, &log, NULL) == OK);
        return log;
}

void world_anchor(const struct world *world, uint64_t version, struct buf *into)
{
        struct anchor anchor = { .version = version, .root = { 1, 1, { test_vkey("root", 1) } }, .content = { 1, 1, { test_vkey("content", 6) } },
                                 .lab = { 1, 1, { test_vkey("lab.acme", 7) } } };
        anchor.has_log = world->witnesses > 0;
        anchor.log = world_log(world);
        anchor.witnesses.threshold = world->witness_threshold;
        for (; anchor.witnesses.count < world->witnesses; anchor.witnesses.count++)
                anchor.witnesses.keys[anchor.witnesses.count] = test_witness((uint8_t)(anchor.witnesses.count + 1));
        if (world->has_emergency) {
                anchor.pace = (struct ceiling){ .count = 1, .steps = { { 0, 1000 } } };
                anchor.emergency = (struct anchor_role){ 2, 2, { test_vkey("key-61", 61), test_vkey("key-62", 62) } };
        }
        CHECK(anchor_write(&anchor, into, NULL) == OK);
        test_sign(into, "root", 1);
}

static void make_director_anchor(struct buf *into)
{
        struct director_anchor anchor = { .version = 1, .root = { 1, 1, { test_vkey("root", 4) } }, .key = test_vkey("director", 5) };
        CHECK(director_anchor_write(&anchor, into, NULL) == OK);
        test_sign(into, "root", 4);
}

static enum err open_store(struct world *world, struct store **ret_store, struct why *why)
{
        struct store_config config = { .database = world->database, .artifacts = &world->disk.disk, .random = &world->random.source, .secret = secret,
                                       .admin_key = ADMIN_KEY, .tenant = "default", .trust = { { &world->release_root, 1 }, { &world->director_root, 1 }, { &world->anchor, 1 }, { &world->director_anchor, 1 }, NULL, NULL } };
        world->log = world_log(world);
        config.log = world->has_log ? &world->log : NULL;
        config.log_files = &world->log_disk.disk;
        if (world->trust)
                config.trust = *world->trust;
        return store_open(&config, &world->signer.signer, world->now_ms, ret_store, why);
}

static struct store *must_open(struct world *world)
{
        struct store *store = NULL;
        struct why why = { 0 };
        if (open_store(world, &store, &why) != OK)
                printf("# store_open: %s\n", why.text);
        CHECK(store);
        return store;
}

enum err world_try_open(struct world *world, struct why *why)
{
        store_close(world->store);
        world->store = NULL;
        return open_store(world, &world->store, why);
}

static void prepare(struct world *world)
{
        struct buf *const bufs[] = { &world->release_root, &world->director_root, &world->anchor, &world->director_anchor, &world->targets, &world->snapshot, &world->note };
        for (size_t i = 0; i < sizeof(bufs) / sizeof(bufs[0]); i++)
                buf_init(bufs[i], LIMIT_METADATA_BYTES);
        sim_disk_init(&world->disk);
        sim_disk_init(&world->log_disk);
        sim_random_init(&world->random, 1);
        world->signer.signer.ops = &signer_ops;
        world->stream = "edr-rules";
        world->lab_key = 7;
        world->now_ms = WORLD_START_S * 1000LL;
        make_root(1, (const uint8_t[]){ 1, 2, 2, 3 }, &world->release_root);
        make_root(4, (const uint8_t[]){ 4, 5, 5, 5 }, &world->director_root);
        world_anchor(world, 1, &world->anchor);
        make_director_anchor(&world->director_anchor);
        snprintf(world->database, sizeof(world->database), ":memory:");
}

void world_open(struct world *world)
{
        prepare(world);
        world->store = must_open(world);
}

void world_open_file(struct world *world)
{
        prepare(world);
        snprintf(world->folder, sizeof(world->folder), "/tmp/test_server.XXXXXX");
        CHECK(mkdtemp(world->folder));
        snprintf(world->database, sizeof(world->database), "%s/0.db", world->folder);
        world->store = must_open(world);
}

static void copy_file(const char *from, const char *to)
{
        static char bytes[1 << 16];
        FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
        CHECK(in && out);
        for (size_t length; (length = fread(bytes, 1, sizeof(bytes), in));)
                CHECK(fwrite(bytes, 1, length, out) == length);
        CHECK(fclose(out) == 0 && fclose(in) == 0);
}

/* The process dies, the files stay as they are: without the tidying of a clean end. */
void world_crash(struct world *world)
{
        char database[96], log[112], new_log[112];
        struct store *old = world->store;
        snprintf(database, sizeof(database), "%s", world->database);
        snprintf(world->database, sizeof(world->database), "%s/%u.db", world->folder, ++world->crashes);
        snprintf(log, sizeof(log), "%s-wal", database);
        snprintf(new_log, sizeof(new_log), "%s-wal", world->database);
        copy_file(database, world->database);
        copy_file(log, new_log);
        store_close(old);
        unlink(database);
        world->store = must_open(world);
}

static void forget_answer(struct world *world)
{
        store_answer_done(&world->answer);
        world->answer = (struct store_answer){ 0 };
        json_close(world->json);
        world->json = NULL;
}

void world_close(struct world *world)
{
        struct buf *const bufs[] = { &world->release_root, &world->director_root, &world->anchor, &world->director_anchor, &world->targets, &world->snapshot, &world->note };
        for (size_t i = 0; i < sizeof(bufs) / sizeof(bufs[0]); i++)
                buf_done(bufs[i]);
        forget_answer(world);
        store_close(world->store);
        sim_disk_done(&world->disk);
        sim_disk_done(&world->log_disk);
        if (world->folder[0]) {
                unlink(world->database);
                CHECK(rmdir(world->folder) == 0);      /* a clean end leaves one file */
        }
}

static int ask(struct world *world, struct store_request *request, const char *path)
{
        const struct route *route = NULL;
        char allowed[32], plain[512];
        snprintf(plain, sizeof(plain), "%.*s", (int)strcspn(path, "?"), path);
        struct route_request wanted = { request->method, plain, strlen(plain) };
        CHECK(route_find(&wanted, &route, &request->captures, allowed, NULL) == OK);
        request->route = route->id;
        request->path = plain;
        request->query = path[strlen(plain)] ? path + strlen(plain) + 1 : NULL;
        forget_answer(world);
        store_batch(world->store, world->now_ms, request, 1, &world->answer);
        if (json_parse(world->answer.body.bytes ? world->answer.body.bytes : "", world->answer.body.length, 64 << 20, &world->json, NULL) != OK)
                world->json = NULL;
        return world->answer.status;
}

int world_ask(struct world *world, const char *method, const char *path, const char *body)
{
        struct store_request request = { .method = method, .authorization = "Bearer " ADMIN_KEY, .body = { body, body ? strlen(body) : 0 } };
        return ask(world, &request, path);
}

int64_t world_int(const struct world *world, const char *key) { return json_int(json_get(world->json, key), -1); }

const char *world_text(const struct world *world, const char *key)
{
        const char *text = json_text(json_get(world->json, key));
        return text ? text : "";
}

int world_device_ask(struct world *world, struct world_device *device, const char *path, const char *body)
{
        return world_device_ask_at(world, device, world->now_ms / 1000, path, body);
}

int world_device_ask_at(struct world *world, struct world_device *device, int64_t at_s, const char *path, const char *body)
{
        char date[24], signature[REQUEST_SIGNATURE_BYTES];
        snprintf(date, sizeof(date), "%" PRId64, at_s);
        struct request_facts facts = { "POST", path, date, body, strlen(body) };
        CHECK(request_sign(&facts, &device->key, signature, NULL) == OK);
        struct store_request request = { .method = "POST", .device = device->id, .date = date, .signature = signature, .body = { body, strlen(body) } };
        return ask(world, &request, path);
}

void world_device_init(struct world *world, struct world_device *device)
{
        uint8_t random[32] = { 0 };
        *device = (struct world_device){ 0 };
        world->devices++;
        memcpy(random, &world->devices, sizeof(world->devices));
        secret_key_make(random, &device->key);
        sha256(random, sizeof(random), random);
        hex_encode(random, 16, device->id);
}

char *world_enrol_body(struct world *world, const struct world_device *device, const char *token, const char *attributes)
{
        static char body[2048];
        OWN(buf) struct buf key;
        (void)world;
        buf_init(&key, 64);
        base64_encode(device->key.public.bytes, 32, &key);
        snprintf(body, sizeof(body), "{\"token\":\"%s\",\"device\":\"%s\",\"key\":\"%s\",\"platform\":\"linux-amd64\",\"ring\":\"all\",\"agent\":\"0.1.0\",\"attributes\":\"%s\"}",
                 token, device->id, buf_text(&key), attributes);
        return body;
}

void world_enrol(struct world *world, struct world_device *device, const char *attributes)
{
        char token[64], body[160];
        world_device_init(world, device);
        snprintf(body, sizeof(body), "{\"group\":\"%s\",\"uses\":1,\"expires_s\":3600}", world->group ? world->group : "sales");
        CHECK(world_ask(world, "POST", "/api/v1/tokens", body) == 200);
        snprintf(token, sizeof(token), "%s", world_text(world, "token"));
        CHECK(world_device_ask(world, device, "/v1/enrol", world_enrol_body(world, device, token, attributes)) == 200);
}

int world_lease(struct world *world, struct world_device *device, int64_t counter, bool is_new)
{
        char body[512], target[65];
        uint8_t nonce[16];
        if (is_new) {
                world->random.source.ops->fill(&world->random.source, nonce, sizeof(nonce));
                hex_encode(nonce, sizeof(nonce), device->nonce);
        }
        hex_encode(world->target, 32, target);
        snprintf(body, sizeof(body), "{\"stream\":\"%s\",\"counter\":%" PRId64 ",\"target\":\"%s\",\"running\":%" PRId64 ",\"nonce\":\"%s\"}", world->stream, counter, target,
                 device->running, device->nonce);
        int status = world_device_ask(world, device, "/v1/lease", body);
        struct vkey director = test_vkey("director", 5);
        if (status == 200)
                CHECK(lease_open(&director, &world->answer.body, &device->lease, NULL) == OK && strcmp(device->lease.device, device->id) == 0);
        return status;
}

int world_report(struct world *world, struct world_device *device, const char *outcome, const char *kind)
{
        char body[1024];
        snprintf(body, sizeof(body), "{\"seq\":%" PRId64 ",\"stream\":\"%s\",\"counter\":%" PRIu64 ",\"nonce\":\"%s\",\"outcome\":\"%s\",\"kind\":\"%s\",\"detail\":\"\","
                 "\"running\":%" PRId64 ",\"starts\":1,\"crashes\":0,\"boots\":1,\"fallbacks\":0,\"proven\":%" PRId64 ",\"at\":%" PRId64 "}", ++device->seq, world->stream,
                 device->lease.counter, device->nonce, outcome, kind, device->running, device->proven, world->now_ms / 1000);
        return world_device_ask(world, device, "/v1/report", body);
}

static void make_note(struct world *world, int64_t counter, const struct buf *dossier)
{
        static const char content[] = "rule nothing { condition: false }";
        struct release_note note = { .counter = (uint64_t)counter, .floor = world->floor ? (uint64_t)world->floor : 1, .platform_count = 1, .platforms = { "any" }, .file_count = 1,
                                     .ceiling = world->ceiling };
        if (!note.ceiling.count)
                note.ceiling = (struct ceiling){ WORLD_START_S, 1, { { 0, CEILING_ALL_PPM } } };
        struct release_file file = { .length = sizeof(content) - 1, .path = "rules/main.yar" };
        snprintf(note.stream, sizeof(note.stream), "%s", world->stream);
        snprintf(note.version, sizeof(note.version), "1.%" PRId64, counter);
        sha256(dossier->bytes, dossier->length, note.dossier);
        CHECK(artifact_put(&world->disk.disk, content, sizeof(content) - 1, file.sha256, NULL) == OK);
        note.files = &file;
        buf_clear(&world->note);
        CHECK(release_note_write(&note, &world->note, NULL) == OK);
        sha256(world->note.bytes, world->note.length, world->target);
        test_sign(&world->note, "content", 6);
}

static void make_metadata(struct world *world, int64_t counter)
{
        OWN(buf) struct buf to_sign;
        OWN(release_note) struct release_note *note = NULL;
        struct note parsed;
        char path[96];
        CHECK(note_parse(world->note.bytes, world->note.length, &parsed, NULL) == OK && release_note_parse(parsed.text, parsed.text_length, &note, NULL) == OK);
        OWN(json) struct json *custom = release_custom_new(note);
        struct tuf_stamp stamp = { ++world->version, expires };
        struct tuf_target target = { .path = path, .length = parsed.text_length, .custom = custom };
        struct tuf_change change = { &world->targets, &target };
        snprintf(path, sizeof(path), "%s/%" PRId64, world->stream, counter);
        memcpy(target.sha256, world->target, 32);
        buf_init(&to_sign, LIMIT_METADATA_BYTES);
        CHECK(tuf_targets_write(&stamp, &change, &to_sign, NULL) == OK);
        sign_file(&to_sign, 2, &world->targets);
        buf_clear(&to_sign);
        CHECK(tuf_snapshot_write(&stamp, &(struct tuf_of){ stamp.version, &world->targets }, &to_sign, NULL) == OK);
        sign_file(&to_sign, 2, &world->snapshot);
}

const char *world_sign(struct world *world, int64_t counter)
{
        static char body[1 << 17];
        static const char dossier_text[] = "{\"risk\":\"small\",\"undo\":\"roll back\",\"what\":\"a rule\",\"why\":\"tests,\\nand nothing else\"}";
        OWN(buf) struct buf dossier, quoted;
        OWN(json) struct json *text = NULL;
        buf_init(&dossier, 1024);
        buf_init(&quoted, LIMIT_NOTE_BYTES);
        buf_add_text(&dossier, dossier_text);
        make_note(world, counter, &dossier);
        make_metadata(world, counter);
        text = json_new_text(buf_text(&world->note));
        CHECK(json_write(text, 0, &quoted, NULL) == OK);
        snprintf(body, sizeof(body), "{\"targets\":%s,\"snapshot\":%s,\"note\":%s,\"dossier\":%s}", buf_text(&world->targets), buf_text(&world->snapshot), buf_text(&quoted),
                 dossier_text);
        return body;
}

int world_publish(struct world *world, int64_t counter)
{
        return world_ask(world, "POST", "/api/v1/releases", world_sign(world, counter));
}

int world_evidence(struct world *world, int64_t counter, const char *stage, int status, bool is_critical)
{
        OWN(buf) struct buf envelope;
        char target[65], path[128];
        struct secret_key key = test_key(world->lab_key);
        struct record record = test_record("lab.acme", stage, (enum record_status)status);
        hex_encode(world->target, 32, target);
        record.stream = world->stream;
        record.counter = counter;
        record.target = target;
        record.is_critical = is_critical;
        record.why = status == RECORD_PASS ? "" : "rule flag_ls matches /bin/ls";
        record.started = record.finished = world->now_ms / 1000;
        buf_init(&envelope, DSSE_BYTES_MAX);
        CHECK(record_sign(&record, &key, &envelope, NULL) == OK);
        snprintf(path, sizeof(path), "/api/v1/releases/%s/%" PRId64 "/evidence", world->stream, counter);
        return world_ask(world, "POST", path, buf_text(&envelope));
}

void world_prove(struct world *world, int64_t counter)
{
        static const char *const stages[] = { "S1", "S2", "S4" };
        for (size_t i = 0; i < 3; i++)
                CHECK(world_evidence(world, counter, stages[i], RECORD_PASS, false) == 201);
}

void world_file(struct world *world, const char *repository, const char *name, struct buf *into)
{
        const struct store_public *public = store_public_state(world->store);
        size_t i = 0;
        while (i < public->file_count && (strcmp(public->files[i].repository, repository) != 0 || strcmp(public->files[i].name, name) != 0))
                i++;
        CHECK(i < public->file_count);
        buf_add(into, public->files[i].bytes, public->files[i].length);
        CHECK(buf_check(into, NULL) == OK);
}

void world_director(struct world *world, struct tuf **ret_tuf)
{
        OWN(tuf) struct tuf *tuf = NULL;
        OWN(buf) struct buf file;
        static const enum tuf_role roles[] = { TUF_TIMESTAMP, TUF_SNAPSHOT, TUF_TARGETS };
        buf_init(&file, LIMIT_METADATA_BYTES);
        CHECK(tuf_open(&world->director_root, world->now_ms / 1000, &tuf, NULL) == OK);
        for (size_t i = 0; i < 3; i++) {
                struct tuf_want want = { 0 };
                char name[40];
                CHECK(tuf_wanted(tuf, roles[i], &want, NULL) == OK);
                tuf_file_name(roles[i], want.version, name);
                buf_clear(&file);
                world_file(world, "director", name, &file);
                CHECK(tuf_update(tuf, roles[i], &file, NULL) == OK);
        }
        *ret_tuf = GIVE(tuf);
}

void world_artifact(struct world *world, const uint8_t digest[32], struct buf *into)
{
        char path[ARTIFACT_PATH_MAX];
        artifact_path(digest, path);
        CHECK(world->disk.disk.ops->read(&world->disk.disk, path, into, NULL) == OK);
}

void world_lose_artifacts(struct world *world)
{
        sim_disk_done(&world->disk);
        sim_disk_init(&world->disk);
}

void world_tick(struct world *world, int64_t ms)
{
        struct why why = { 0 };
        world->now_ms += ms;
        enum err e = store_tick(world->store, world->now_ms, &why);
        if (e)
                printf("# store_tick: %s\n", why.text);
        CHECK(e == OK);
}
