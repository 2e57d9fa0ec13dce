#include "agent/toy.h"

#include "format/hex.h"
#include "support/test.h"
#include "trust/anchor.h"
#include "trust/keys.h"
#include "trust/lease.h"
#include "trust/release_custom.h"
#include "trust/request.h"
#include "trust/sha.h"
#include "trust/tuf_build.h"
#include "trust/tuf.h"

#include "format/json.h"
#include "platform/file.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LIFE_S = 3600, TURNS_MAX = 60000, REQUEST_MAX = 16384 };

static int64_t now_s(const struct toy *toy)
{
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        return now.tv_sec + toy->clock_skew_s;
}

static struct buf *file_at(struct toy *toy, const char *path)
{
        for (size_t i = 0; i < toy->file_count; i++)
                if (strcmp(toy->files[i].path, path) == 0)
                        return &toy->files[i].bytes;
        return NULL;
}

static void put_file(struct toy *toy, const char *path, const void *bytes, size_t length)
{
        struct buf *file = file_at(toy, path);
        if (!file) {
                CHECK(toy->file_count < TOY_FILES);
                snprintf(toy->files[toy->file_count].path, sizeof(toy->files[0].path), "%s", path);
                file = &toy->files[toy->file_count++].bytes;
                buf_init(file, LIMIT_METADATA_BYTES);
        }
        buf_clear(file);
        buf_add(file, bytes, length);
}

static void artifact_path(const uint8_t digest[32], char path[96])
{
        char hex[65];
        hex_encode(digest, 32, hex);
        snprintf(path, 96, "/v1/artifacts/%s", hex);
}

static void put_artifact(struct toy *toy, const void *bytes, size_t length, uint8_t digest[32])
{
        char path[96];
        sha256(bytes, length, digest);
        artifact_path(digest, path);
        put_file(toy, path, bytes, length);
}

static void put_note(struct toy *toy, const uint8_t target[32], const struct buf *note)
{
        char hex[65], path[96];
        hex_encode(target, 32, hex);
        snprintf(path, sizeof(path), "/v1/notes/%s", hex);
        put_file(toy, path, note->bytes, note->length);
}

static void put_metadata(struct toy *toy, const char *repository, enum tuf_role role, uint64_t version, const struct buf *file)
{
        char name[40], path[96];
        tuf_file_name(role, version, name);
        snprintf(path, sizeof(path), "/v1/tuf/%s/%s", repository, name);
        put_file(toy, path, file->bytes, file->length);
}

static void sign_into(struct buf *to_sign, uint8_t n, struct buf *into)
{
        const struct secret_key key = test_key(n);
        buf_clear(into);
        CHECK(tuf_file_sign(to_sign, &key, 1, into, NULL) == OK);
        buf_clear(to_sign);
}

/* The next version of everything, with one more target. */
static void publish(struct toy *toy, struct toy_repository *repository, const struct tuf_target *add)
{
        const char *name = repository == &toy->release ? "release" : "director";
        const struct tuf_stamp stamp = { ++repository->version, now_s(toy) + LIFE_S };
        const struct tuf_change change = { &repository->targets, add };
        OWN(buf) struct buf to_sign;
        OWN(buf) struct buf snapshot;
        OWN(buf) struct buf timestamp;
        buf_init(&to_sign, LIMIT_METADATA_BYTES);
        buf_init(&snapshot, LIMIT_METADATA_BYTES);
        buf_init(&timestamp, LIMIT_METADATA_BYTES);
        CHECK(tuf_targets_write(&stamp, &change, &to_sign, NULL) == OK);
        sign_into(&to_sign, repository->targets_key, &repository->targets);
        CHECK(tuf_snapshot_write(&stamp, &(struct tuf_of){ stamp.version, &repository->targets }, &to_sign, NULL) == OK);
        sign_into(&to_sign, repository->targets_key, &snapshot);
        CHECK(tuf_timestamp_write(&stamp, &(struct tuf_of){ stamp.version, &snapshot }, &to_sign, NULL) == OK);
        sign_into(&to_sign, repository->timestamp_key, &timestamp);
        put_metadata(toy, name, TUF_TARGETS, stamp.version, &repository->targets);
        put_metadata(toy, name, TUF_SNAPSHOT, stamp.version, &snapshot);
        put_metadata(toy, name, TUF_TIMESTAMP, 0, &timestamp);
}

/* The next root; signed with the key before, too, if it is another. */
static void make_root(const struct toy *toy, struct toy_repository *repository, uint8_t root_before)
{
        const struct secret_key signers[] = { test_key(repository->root_key), test_key(root_before) };
        const struct public_key keys[] = { signers[0].public, test_key(repository->targets_key).public, test_key(repository->timestamp_key).public };
        const struct tuf_root to_write = { { ++repository->root_version, now_s(toy) + LIFE_S },
                                           { { &keys[0], 1, 1 }, { &keys[1], 1, 1 }, { &keys[1], 1, 1 }, { &keys[2], 1, 1 } } };
        OWN(buf) struct buf to_sign;
        buf_init(&to_sign, LIMIT_METADATA_BYTES);
        CHECK(tuf_root_write(&to_write, &to_sign, NULL) == OK);
        buf_clear(&repository->root);
        CHECK(tuf_file_sign(&to_sign, signers, root_before == repository->root_key ? 1 : 2, &repository->root, NULL) == OK);
}

static void repository_open(const struct toy *toy, struct toy_repository *repository, uint8_t root, uint8_t targets, uint8_t timestamp)
{
        *repository = (struct toy_repository){ .root_key = root, .targets_key = targets, .timestamp_key = timestamp };
        buf_init(&repository->root, LIMIT_METADATA_BYTES);
        buf_init(&repository->targets, LIMIT_METADATA_BYTES);
        make_root(toy, repository, root);
}

void toy_renew_root(struct toy *toy, struct toy_repository *repository)
{
        make_root(toy, repository, repository->root_key);
        put_metadata(toy, repository == &toy->release ? "release" : "director", TUF_ROOT, repository->root_version, &repository->root);
}

void toy_open(struct toy *toy)
{
        *toy = (struct toy){ .pace_ms = 50, .lease_s = 60, .epoch = 1, .keys = { 1, 2, 5 }, .anchor_version = 1 };
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t size = sizeof(address);
        toy->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK(toy->socket >= 0 && bind(toy->socket, (struct sockaddr *)&address, size) == 0 && listen(toy->socket, 16) == 0);
        CHECK(getsockname(toy->socket, (struct sockaddr *)&address, &size) == 0);
        toy->port = ntohs(address.sin_port);
        memset(toy->mac_key, 0x5a, sizeof(toy->mac_key));
        repository_open(toy, &toy->release, 1, 2, 3);
        repository_open(toy, &toy->director, 4, 5, 5);
        publish(toy, &toy->release, NULL);
        toy->says = (struct cohort){ .stream = "rules", .tenant = "default", .seq = 1, .rule_count = 1,
                                     .rules = { { .ring = "all", .platform = "any", .is_all = true } } };
        toy_say(toy, COHORT_GO);
}

void toy_close(struct toy *toy)
{
        close(toy->socket);
        for (size_t i = 0; i < toy->file_count; i++)
                buf_done(&toy->files[i].bytes);
        struct toy_repository *const all[] = { &toy->release, &toy->director };
        for (size_t i = 0; i < 2; i++) {
                buf_done(&all[i]->root);
                buf_done(&all[i]->targets);
        }
}

static void write_public(const char *folder, const char *name, const struct buf *bytes)
{
        char path[256];
        snprintf(path, sizeof(path), "%s/%s", folder, name);
        CHECK(file_write(path, bytes->bytes, bytes->length, NULL) == OK);
}

void toy_write_anchor(const struct toy *toy, uint64_t version, struct buf *into)
{
        const struct anchor anchor = { .version = version, .root = { 1, 1, { test_vkey("root.acme", toy->keys.root) } },
                                       .content = { 1, 1, { test_vkey("content.acme", toy->keys.content) } }, .lab = { 1, 1, { test_vkey("lab.acme", 6) } } };
        CHECK(anchor_write(&anchor, into, NULL) == OK);
}

void toy_write_director_anchor(const struct toy *toy, uint64_t version, struct buf *into)
{
        const struct director_anchor anchor = { .version = version, .root = { 1, 1, { test_vkey("root.acme", toy->keys.root) } },
                                                .key = test_vkey("director.acme", toy->keys.director) };
        CHECK(director_anchor_write(&anchor, into, NULL) == OK);
}

void toy_write_public(struct toy *toy, const char *folder)
{
        OWN(buf) struct buf note;
        buf_init(&note, LIMIT_METADATA_BYTES);
        toy_write_anchor(toy, 1, &note);
        test_sign(&note, "root.acme", 1);
        write_public(folder, "release.anchor", &note);
        buf_clear(&note);
        toy_write_director_anchor(toy, 1, &note);
        test_sign(&note, "root.acme", 1);
        write_public(folder, "director.anchor", &note);
        write_public(folder, "release.root.json", &toy->release.root);
        write_public(folder, "director.root.json", &toy->director.root);
}

void toy_put(struct toy *toy, const char *path, const struct buf *bytes)
{
        struct buf *file = file_at(toy, path);
        if (bytes)
                put_file(toy, path, bytes->bytes, bytes->length);
        else if (file)
                buf_clear(file);
}

static void put_anchor(struct toy *toy, const char *repository, struct buf *text, uint8_t root_before)
{
        char path[96];
        test_sign(text, "root.acme", root_before);
        if (root_before != toy->keys.root)
                test_sign(text, "root.acme", toy->keys.root);
        snprintf(path, sizeof(path), "/v1/tuf/%s/%" PRIu64 ".anchor", repository, toy->anchor_version);
        toy_put(toy, path, text);
        buf_clear(text);
}

void toy_change_keys(struct toy *toy, struct toy_keys keys)
{
        uint8_t root_before = toy->keys.root;
        OWN(buf) struct buf text;
        buf_init(&text, LIMIT_METADATA_BYTES);
        toy->keys = keys;
        toy->anchor_version++;
        toy->release.root_key = keys.root;
        toy->release.targets_key = keys.content;
        toy->director.targets_key = toy->director.timestamp_key = keys.director;
        make_root(toy, &toy->release, root_before);
        make_root(toy, &toy->director, toy->director.root_key);
        put_metadata(toy, "release", TUF_ROOT, toy->release.root_version, &toy->release.root);
        put_metadata(toy, "director", TUF_ROOT, toy->director.root_version, &toy->director.root);
        toy_write_anchor(toy, toy->anchor_version, &text);
        put_anchor(toy, "release", &text, root_before);
        toy_write_director_anchor(toy, toy->anchor_version, &text);
        put_anchor(toy, "director", &text, root_before);
        publish(toy, &toy->release, NULL);
        toy_say(toy, toy->says.state);
}

void toy_say(struct toy *toy, enum cohort_state state)
{
        struct tuf_target target = { .path = "rules" };
        OWN(buf) struct buf bytes;
        buf_init(&bytes, COHORT_BYTES_MAX);
        toy->says.state = state;
        toy->says.seq++;
        toy->says.expires = now_s(toy) + LIFE_S;
        CHECK(cohort_write(&toy->says, &bytes, NULL) == OK);
        put_artifact(toy, bytes.bytes, bytes.length, target.sha256);
        target.length = bytes.length;
        publish(toy, &toy->director, &target);
        toy->epoch++;
}

void toy_say_nonsense(struct toy *toy, const char *stream)
{
        struct tuf_target target = { .path = stream, .length = 8 };
        put_artifact(toy, "nonsense", 8, target.sha256);
        publish(toy, &toy->director, &target);
        toy->epoch++;
}

static void approve(struct toy *toy, const struct release_note *note, const struct buf *signed_note)
{
        char path[32];
        snprintf(path, sizeof(path), "rules/%" PRIu64, note->counter);
        OWN(json) struct json *custom = release_custom_new(note);
        struct tuf_target target = { .path = path, .length = note_signed_length(signed_note->bytes, signed_note->length), .custom = custom };
        put_artifact(toy, signed_note->bytes, target.length, target.sha256);
        put_note(toy, target.sha256, signed_note);
        memcpy(toy->target_before, toy->target, 32);
        memcpy(toy->target, target.sha256, 32);
        publish(toy, &toy->release, &target);
        toy->says.counter = note->counter;
        toy->says.length = target.length;
        memcpy(toy->says.salt, target.sha256, 32);
        memcpy(toy->says.sha256, target.sha256, 32);
}

void toy_publish(struct toy *toy, uint64_t counter, const struct toy_file *files)
{
        struct release_file list[TOY_TARGETS];
        struct release_note note = { .stream = "rules", .version = "1.0", .counter = counter, .floor = toy->floor ? toy->floor : 1, .platform_count = 1, .platforms = { "any" }, .files = list };
        note.ceiling = (struct ceiling){ .start = now_s(toy) - 60 + toy->start_in_s, .count = 1, .steps = { { 0, CEILING_ALL_PPM } } };
        for (; files[note.file_count].path; note.file_count++) {
                const struct toy_file *file = &files[note.file_count];
                list[note.file_count] = (struct release_file){ .length = strlen(file->text), .path = file->path };
                put_artifact(toy, file->text, strlen(file->text), list[note.file_count].sha256);
        }
        const struct secret_key content = test_key(toy->note_key ? toy->note_key : toy->keys.content);
        OWN(buf) struct buf bytes;
        buf_init(&bytes, LIMIT_NOTE_BYTES);
        CHECK(release_note_write(&note, &bytes, NULL) == OK && note_sign(&bytes, "content.acme", &content, NULL) == OK);
        approve(toy, &note, &bytes);
        toy_say(toy, COHORT_GO);
}

void toy_keep_back(struct toy *toy, uint64_t older, uint64_t newest, const struct toy_file *files)
{
        toy_publish(toy, older, files);
        struct cohort_older kept = { .counter = older, .length = toy->says.length };
        memcpy(kept.sha256, toy->target, sizeof(kept.sha256));
        toy_publish(toy, newest, files);
        toy->says.older_count = 1;
        toy->says.older[0] = kept;
        toy_say(toy, toy->says.state);
        toy->instead = (int64_t)older;
}

void toy_let_go(struct toy *toy)
{
        toy->instead = 0;
        toy_say(toy, toy->says.state);
}

void toy_spoil(struct toy *toy, const char *text, const char *instead)
{
        uint8_t digest[32];
        char path[96];
        sha256(text, strlen(text), digest);
        artifact_path(digest, path);
        put_file(toy, path, instead, strlen(instead));
}

/* A request as it came, cut into what we look at. */
struct request {
        char bytes[REQUEST_MAX];
        char method[8], path[384], device[40], date[24], mac[80], signature[100];
        const char *body;
        size_t length, body_length;
};

static void header(const struct request *request, const char *name, char *into, size_t size)
{
        const char *at = strcasestr(request->bytes, name);
        into[0] = 0;
        if (at && at < request->body)
                snprintf(into, size, "%.*s", (int)strcspn(at + strlen(name), "\r\n"), at + strlen(name));
}

static bool receive(int client, struct request *request)
{
        char length[24] = "";
        for (ssize_t got; request->length < REQUEST_MAX - 1; request->length += (size_t)got) {
                const char *end = memmem(request->bytes, request->length, "\r\n\r\n", 4);
                if (end) {
                        request->body = end + 4;
                        header(request, "\r\nContent-Length: ", length, sizeof(length));
                        request->body_length = (size_t)strtoul(length, NULL, 10);
                        if (request->length >= (size_t)(request->body - request->bytes) + request->body_length)
                                return true;
                }
                got = read(client, request->bytes + request->length, REQUEST_MAX - 1 - request->length);
                if (got <= 0)
                        return false;
        }
        return false;
}

static void answer(const struct toy *toy, int client, int status, const char *body, size_t length)
{
        char head[256], date[64];
        time_t now = (time_t)now_s(toy);
        struct tm parts;
        gmtime_r(&now, &parts);
        strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &parts);
        int size = snprintf(head, sizeof(head), "HTTP/1.1 %d X\r\nDate: %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n", status, date, length);
        if (send(client, head, (size_t)size, MSG_NOSIGNAL) == size && length)
                (void)!send(client, body, length, MSG_NOSIGNAL);
}

static void answer_buf(const struct toy *toy, int client, int status, const struct buf *body)
{
        answer(toy, client, status, buf_text(body), body->length);
}

/* The status: 401 for a proof that does not fit, 403 for a date that is off, as the real server has it. */
static int check_proof(struct toy *toy, const struct request *request, bool is_signed)
{
        const struct request_facts facts = { request->method, request->path, request->date, request->body, request->body_length };
        int64_t off = strtoll(request->date, NULL, 10) - now_s(toy);
        enum err e = is_signed ? request_check_signature(&facts, toy->device_key, request->signature, NULL) : request_check_mac(&facts, toy->mac_key, request->mac, NULL);
        int status = e ? 401 : off > -300 && off < 300 ? 200 : 403;
        toy->refused += status != 200;
        return status;
}

static bool is_proven(struct toy *toy, const struct request *request, bool is_signed)
{
        return check_proof(toy, request, is_signed) == 200;
}

static void on_enrol(struct toy *toy, int client, const struct request *request)
{
        struct wire_enrol enrol;
        struct wire_enrolled enrolled = { .tenant = "default", .pace_ms = toy->pace_ms, .now = now_s(toy) };
        size_t length;
        CHECK(wire_enrol_read(request->body, request->body_length, &enrol, NULL) == OK);
        CHECK(base64_decode(enrol.key, strlen(enrol.key), toy->device_key, 32, &length, NULL) == OK && length == 32);
        int status = check_proof(toy, request, true);
        if (status != 200) {
                answer(toy, client, status, "{}", 2);
                return;
        }
        snprintf(toy->device, sizeof(toy->device), "%s", enrol.device);
        snprintf(enrolled.device, sizeof(enrolled.device), "%s", enrol.device);
        hex_encode(toy->mac_key, 32, enrolled.mac_key);
        OWN(buf) struct buf body;
        buf_init(&body, 4096);
        wire_enrolled_write(&enrolled, &body);
        answer_buf(toy, client, 200, &body);
}

static void on_checkin(struct toy *toy, int client, const struct request *request)
{
        const struct wire_pace pace = { toy->epoch, toy->pace_ms, now_s(toy) };
        OWN(buf) struct buf body;
        buf_init(&body, 4096);
        toy->checkins++;
        wire_pace_write(&pace, &body);
        answer_buf(toy, client, check_proof(toy, request, false), &body);
}

static void on_lease(struct toy *toy, int client, const struct request *request)
{
        int64_t granted = now_s(toy) + toy->lease_ahead_s;
        struct lease lease = { .is_shadow = toy->lease == TOY_SHADOW, .stream = "rules", .granted = granted, .deadline = granted + toy->lease_s, .bake_s = 1 };
        const struct secret_key key = test_key(toy->lease == TOY_FORGE ? 2 : toy->keys.director);
        struct wire_wait wait = { .retry_ms = 50, .reason = "waiting in line" };
        OWN(buf) struct buf body;
        buf_init(&body, 4096);
        toy->lease_asks++;
        CHECK(wire_lease_request_read(request->body, request->body_length, &toy->last_ask, NULL) == OK && is_proven(toy, request, true));
        lease.counter = (uint64_t)(lease.is_shadow ? toy->last_ask.running : toy->last_ask.counter);
        if (!lease.is_shadow)
                CHECK(hex_decode(toy->last_ask.target, lease.target, 32, NULL) == OK);
        else if (lease.counter)
                memcpy(lease.target, toy->target_before, 32);
        CHECK(hex_decode(toy->last_ask.nonce, lease.nonce, 16, NULL) == OK);
        snprintf(lease.device, sizeof(lease.device), "%s", toy->device);
        bool is_wait = toy->lease == TOY_WAIT || (toy->instead && toy->instead != toy->last_ask.counter);
        wait.counter = toy->instead > toy->last_ask.running ? toy->instead : 0;
        if (is_wait) {
                wire_wait_write(&wait, &body);
        } else if (toy->lease != TOY_REFUSE) {
                lease_write(&lease, &body);
                CHECK(note_sign(&body, "director.acme", &key, NULL) == OK);
        }
        answer_buf(toy, client, is_wait ? 202 : toy->lease == TOY_REFUSE ? 409 : 200, &body);
}

static void on_report(struct toy *toy, int client, const struct request *request)
{
        struct wire_report report;
        OWN(buf) struct buf body;
        buf_init(&body, 4096);
        CHECK(wire_report_read(request->body, request->body_length, &report, NULL) == OK && is_proven(toy, request, true));
        if (!toy->report_count || toy->reports[toy->report_count - 1].seq < report.seq) {
                CHECK(toy->report_count < TOY_REPORTS);
                toy->reports[toy->report_count++] = report;
        }
        wire_ack_write(&(struct wire_ack){ report.seq }, &body);
        answer_buf(toy, client, 200, &body);
}

/* What is not there is said as a proxy in between would say it: with a long page. */
static void on_get(struct toy *toy, int client, const struct request *request)
{
        static const char page[2 * LIMIT_DEVICE_REQUEST_BYTES] = "<!DOCTYPE html>";
        const struct buf *file = file_at(toy, request->path);
        if (toy->away && strcmp(toy->away, request->path) == 0)
                answer(toy, client, 503, "{}", 2);
        else if (file && file->length)
                answer_buf(toy, client, 200, file);
        else
                answer(toy, client, 404, page, sizeof(page));
}

static void serve_one(struct toy *toy, int client)
{
        static const struct { const char *path; void (*on)(struct toy *, int, const struct request *); } routes[] = {
                { "/v1/enrol", on_enrol }, { "/v1/checkin", on_checkin }, { "/v1/lease", on_lease }, { "/v1/report", on_report },
        };
        static struct request request;
        request = (struct request){ 0 };
        if (!receive(client, &request) || sscanf(request.bytes, "%7s %383s", request.method, request.path) != 2)
                return;
        header(&request, "\r\nFirebreak-Date: ", request.date, sizeof(request.date));
        header(&request, "\r\nFirebreak-Mac: ", request.mac, sizeof(request.mac));
        header(&request, "\r\nFirebreak-Signature: ", request.signature, sizeof(request.signature));
        for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
                if (strcmp(request.path, routes[i].path) == 0) {
                        routes[i].on(toy, client, &request);
                        return;
                }
        on_get(toy, client, &request);
}

void toy_serve(struct toy *toy, bool (*is_done)(struct toy *toy, void *user), void *user)
{
        for (int turn = 0; !is_done(toy, user); turn++) {
                struct pollfd wait = { .fd = toy->socket, .events = POLLIN };
                CHECK(turn < TURNS_MAX);
                if (poll(&wait, 1, 20) <= 0)
                        continue;
                int client = accept(toy->socket, NULL, NULL);
                CHECK(client >= 0);
                struct timeval patience = { .tv_sec = 5 };
                setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
                serve_one(toy, client);
                close(client);
        }
}
