#include "redteam/publisher.h"

#include "format/hex.h"
#include "format/json.h"
#include "trust/anchor.h"
#include "trust/release_custom.h"
#include "trust/sha.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct secret_key key_of(enum key key)
{
        uint8_t random[32];
        struct secret_key secret;
        memset(random, 0x40 + (int)key, sizeof(random));
        secret_key_make(random, &secret);
        return secret;
}

const char *key_name(enum key key)
{
        static const char *const names[KEYS] = {
                "release-root", "content-a", "content-b", "content-c", "snapshot", "director-root", "timestamp", "director", "own",
                "log", "witness-a", "witness-b", "witness-c", "emergency-a", "emergency-b", "customer",
        };
        return names[key];
}

void sure(enum err e, const struct why *why)
{
        if (!e)
                return;
        fprintf(stderr, "redteam: the harness is wrong: %s\n", why ? why->text : "no memory");
        exit(70);
}

void sign_file(const struct buf *to_sign, const enum key *keys, size_t count, struct buf *into)
{
        struct why why = { .text = "" };
        struct secret_key secrets[KEYS];
        for (size_t i = 0; i < count; i++)
                secrets[i] = key_of(keys[i]);
        buf_clear(into);
        sure(tuf_file_sign(to_sign, secrets, count, into, &why), &why);
}

static const enum key content_keys[] = { KEY_CONTENT_A, KEY_CONTENT_B, KEY_CONTENT_C };

/* Where a role is KEY_CONTENT_A, two of the three content keys are asked for. */
void publisher_root(uint64_t version, const enum key roles[TUF_ROLES], const enum key *signers, size_t signer_count, struct buf *into)
{
        struct why why = { .text = "" };
        struct public_key keys[TUF_ROLES], content[3];
        struct tuf_root root = { .stamp = { version, ROOT_EXPIRES } };
        for (int i = 0; i < 3; i++)
                content[i] = key_of(content_keys[i]).public;
        for (int role = 0; role < TUF_ROLES; role++) {
                keys[role] = key_of(roles[role]).public;
                root.roles[role] = (struct tuf_role_keys){ &keys[role], 1, 1 };
                if (roles[role] == KEY_CONTENT_A)
                        root.roles[role] = (struct tuf_role_keys){ content, 3, CONTENT_THRESHOLD };
        }
        OWN(buf) struct buf to_sign;
        buf_init(&to_sign, LIMIT_METADATA_BYTES);
        sure(tuf_root_write(&root, &to_sign, &why), &why);
        sign_file(&to_sign, signers, signer_count, into);
}

struct vkey publisher_vkey(enum key key)
{
        struct vkey vkey;
        struct secret_key secret = key_of(key);
        struct why why;
        sure(vkey_make(key_name(key), &secret.public, &vkey, &why), &why);
        return vkey;
}

static void add_vouchers(struct anchor *anchor)
{
        anchor->has_log = true;
        anchor->log = watched_log();
        anchor->witnesses = (struct anchor_witnesses){ .threshold = WITNESS_THRESHOLD, .count = WITNESSES };
        for (unsigned i = 0; i < WITNESSES; i++)
                anchor->witnesses.keys[i] = watched_witness(i);
        for (struct ceiling *pace = &anchor->pace; truth_pace[pace->count].ppm; pace->count++)
                pace->steps[pace->count] = (struct ceiling_step){ truth_pace[pace->count].after_s, truth_pace[pace->count].ppm };
        anchor->emergency = (struct anchor_role){ EMERGENCY_THRESHOLD, 2, { publisher_vkey(KEY_EMERGENCY_A), publisher_vkey(KEY_EMERGENCY_B) } };
}

static void make_anchor(struct buf *into)
{
        struct why why = { .text = "" };
        struct secret_key root = key_of(KEY_RELEASE_ROOT);
        struct anchor anchor = { .version = 1, .root = { 1, 1, { publisher_vkey(KEY_RELEASE_ROOT) } }, .content = { .threshold = CONTENT_THRESHOLD, .count = 3 },
                                 .lab = { .threshold = 1, .count = 1 } };
        for (int i = 0; i < 3; i++)
                anchor.content.keys[i] = publisher_vkey(content_keys[i]);
        uint8_t random[32] = { 1 };
        struct secret_key lab;
        secret_key_make(random, &lab);
        sure(vkey_make("lab", &lab.public, &anchor.lab.keys[0], &why), &why);
        add_vouchers(&anchor);
        sure(anchor_write(&anchor, into, &why), &why);
        sure(note_sign(into, key_name(KEY_RELEASE_ROOT), &root, &why), &why);
}

static void make_director_anchor(struct buf *into)
{
        struct why why = { .text = "" };
        struct secret_key root = key_of(KEY_DIRECTOR_ROOT);
        const struct director_anchor anchor = { .version = 1, .root = { 1, 1, { publisher_vkey(KEY_DIRECTOR_ROOT) } }, .key = publisher_vkey(KEY_DIRECTOR) };
        sure(director_anchor_write(&anchor, into, &why), &why);
        sure(note_sign(into, key_name(KEY_DIRECTOR_ROOT), &root, &why), &why);
}

struct release_note publisher_note(const struct truth_release *of, struct release_file *file)
{
        *file = (struct release_file){ .length = strlen(of->text), .path = "VERSION" };
        sha256(of->text, strlen(of->text), file->sha256);
        struct release_note note = { .version = "1", .counter = of->counter, .floor = of->floor, .ceiling.start = of->start, .file_count = 1, .files = file };
        snprintf(note.stream, sizeof(note.stream), "%s", of->stream);
        for (; of->platforms[note.platform_count]; note.platform_count++)
                snprintf(note.platforms[note.platform_count], sizeof(note.platforms[0]), "%s", of->platforms[note.platform_count]);
        for (; of->steps[note.ceiling.count].ppm; note.ceiling.count++)
                note.ceiling.steps[note.ceiling.count] = (struct ceiling_step){ of->steps[note.ceiling.count].after_s, of->steps[note.ceiling.count].ppm };
        return note;
}

static void sign_notes(struct publisher *publisher)
{
        struct why why = { .text = "" };
        struct secret_key a = key_of(KEY_CONTENT_A), b = key_of(KEY_CONTENT_B);
        for (unsigned i = 0; i < TRUTH_RELEASES; i++) {
                struct release_file file;
                struct release_note note = publisher_note(&truth_releases[i], &file);
                struct buf *into = &publisher->notes[i];
                buf_init(into, LIMIT_NOTE_BYTES);
                sure(release_note_write(&note, into, &why), &why);
                sha256(into->bytes, into->length, publisher->note_sha256[i]);
                truth_name(i, into->bytes, into->length);
                sure(note_sign(into, key_name(KEY_CONTENT_A), &a, &why), &why);
                sure(note_sign(into, key_name(KEY_CONTENT_B), &b, &why), &why);
        }
}

struct logged publisher_entry(const struct truth_release *of, const uint8_t target[32])
{
        struct logged entry = { .kind = LOGGED_RELEASE, .number = of->counter };
        snprintf(entry.name, sizeof(entry.name), "%s", of->stream);
        memcpy(entry.digest, target, sizeof(entry.digest));
        return entry;
}

/* The third witness is away when the last one is logged. */
static void log_release(struct publisher *publisher, unsigned release, bool is_last)
{
        struct why why = { .text = "" };
        char path[ANSWER_PATH_BYTES];
        struct watched *watched = &publisher->watched;
        const struct logged entry = publisher_entry(&truth_releases[release], publisher->note_sha256[release]);
        const struct secret_key key = key_of(KEY_LOG);
        OWN(buf) struct buf checkpoint = { 0 }, proof = { 0 };
        const size_t index = story_add(&watched->log, &entry);
        story_checkpoint(&watched->log, &checkpoint);
        sure(checkpoint_sign(&checkpoint, &key, &why), &why);
        const unsigned awake = is_last ? WITNESSES - 1 : WITNESSES;
        for (unsigned witness = 0; witness < awake; witness++)
                if (!watched_show(watched, &(struct showing){ &watched->log, witness, truth_releases[release].logged }, &checkpoint))
                        sure(FAIL(&why, ERR_UNTRUSTED, "a witness does not cosign what is right"), &why);
        story_prove(&watched->log, index, &checkpoint, &proof);
        answer_proof_path(publisher->note_sha256[release], path);
        answers_set(&publisher->answers, path, &proof);
}

struct approver publisher_approver(enum approval_kind kind)
{
        struct approver approver;
        const struct vkey customer = publisher_vkey(KEY_CUSTOMER);
        snprintf(approver.text, sizeof(approver.text), "%s", approval_kind_name(kind));
        if (kind == APPROVAL_CUSTOMER)
                hex_encode(customer.key.bytes, sizeof(customer.key.bytes), approver.text);
        return approver;
}

static void approve(struct publisher *publisher, unsigned release, enum approval_kind kind, const enum key *keys, size_t count)
{
        struct why why = { .text = "" };
        char path[ANSWER_PATH_BYTES];
        struct approval approval = { .kind = kind, .by = publisher_vkey(KEY_CUSTOMER) };
        OWN(buf) struct buf note;
        buf_init(&note, LIMIT_NOTE_BYTES);
        memcpy(approval.release, publisher->note_sha256[release], sizeof(approval.release));
        approval_write(&approval, &note);
        for (size_t i = 0; i < count; i++) {
                const struct secret_key key = key_of(keys[i]);
                sure(note_sign(&note, key_name(keys[i]), &key, &why), &why);
        }
        answer_approval_path(approval.release, publisher_approver(kind).text, path);
        answers_set(&publisher->answers, path, &note);
}

static void vouch(struct publisher *publisher)
{
        static const unsigned by_time[] = { 0, 1, 5, 2, 3 };
        static const enum key emergency[] = { KEY_EMERGENCY_A, KEY_EMERGENCY_B }, customer = KEY_CUSTOMER;
        for (size_t i = 0; i < sizeof(by_time) / sizeof(by_time[0]); i++)
                log_release(publisher, by_time[i], i + 1 == sizeof(by_time) / sizeof(by_time[0]));
        for (unsigned i = 0; i < TRUTH_RELEASES; i++) {
                if (truth_releases[i].is_lifted)
                        approve(publisher, i, APPROVAL_EMERGENCY, emergency, EMERGENCY_THRESHOLD);
                if (truth_releases[i].is_wanted)
                        approve(publisher, i, APPROVAL_CUSTOMER, &customer, 1);
        }
}

static void add_target(const struct publisher *publisher, unsigned release, const struct tuf_stamp *stamp, struct buf *targets)
{
        struct why why = { .text = "" };
        char path[96];
        struct release_file file;
        struct release_note note = publisher_note(&truth_releases[release], &file);
        OWN(json) struct json *custom = release_custom_new(&note);
        OWN(buf) struct buf to_sign;
        buf_init(&to_sign, LIMIT_METADATA_BYTES);
        snprintf(path, sizeof(path), "%s/%" PRIu64, note.stream, note.counter);
        struct tuf_target target = { .path = path, .length = note_signed_length(publisher->notes[release].bytes, publisher->notes[release].length), .custom = custom };
        memcpy(target.sha256, publisher->note_sha256[release], 32);
        sure(tuf_targets_write(stamp, &(struct tuf_change){ targets, &target }, &to_sign, &why), &why);
        sign_file(&to_sign, content_keys, CONTENT_THRESHOLD, targets);
}

static void publish(struct publisher *publisher, unsigned edition)
{
        struct why why = { .text = "" };
        static const enum key snapshot_key = KEY_SNAPSHOT;
        struct tuf_stamp stamp = { edition + 1, truth_editions[edition].expires };
        struct buf *targets = &publisher->editions[edition].targets, *snapshot = &publisher->editions[edition].snapshot;
        OWN(buf) struct buf to_sign;
        buf_init(&to_sign, LIMIT_METADATA_BYTES);
        buf_init(targets, LIMIT_METADATA_BYTES);
        buf_init(snapshot, LIMIT_METADATA_BYTES);
        for (unsigned i = 0; i < truth_editions[edition].releases; i++)
                add_target(publisher, i, &stamp, targets);
        sure(tuf_snapshot_write(&stamp, &(struct tuf_of){ stamp.version, targets }, &to_sign, &why), &why);
        sign_file(&to_sign, &snapshot_key, 1, snapshot);
}

void publisher_init(struct publisher *publisher)
{
        static const enum key release[TUF_ROLES] = { KEY_RELEASE_ROOT, KEY_CONTENT_A, KEY_SNAPSHOT, KEY_TIMESTAMP };
        static const enum key director[TUF_ROLES] = { KEY_DIRECTOR_ROOT, KEY_DIRECTOR, KEY_DIRECTOR, KEY_DIRECTOR };
        buf_init(&publisher->root, LIMIT_METADATA_BYTES);
        buf_init(&publisher->director_root, LIMIT_METADATA_BYTES);
        buf_init(&publisher->anchor, LIMIT_METADATA_BYTES);
        buf_init(&publisher->director_anchor, LIMIT_METADATA_BYTES);
        publisher_root(1, release, release, 1, &publisher->root);
        publisher_root(1, director, director, 1, &publisher->director_root);
        make_anchor(&publisher->anchor);
        make_director_anchor(&publisher->director_anchor);
        publisher->watched = (struct watched){ 0 };
        publisher->answers.count = 0;
        sign_notes(publisher);
        vouch(publisher);
        for (unsigned edition = 0; edition < TRUTH_EDITIONS; edition++)
                publish(publisher, edition);
}

void publisher_done(struct publisher *publisher)
{
        buf_done(&publisher->root);
        buf_done(&publisher->director_root);
        buf_done(&publisher->anchor);
        buf_done(&publisher->director_anchor);
        answers_done(&publisher->answers);
        for (unsigned i = 0; i < TRUTH_RELEASES; i++)
                buf_done(&publisher->notes[i]);
        for (unsigned i = 0; i < TRUTH_EDITIONS; i++) {
                buf_done(&publisher->editions[i].targets);
                buf_done(&publisher->editions[i].snapshot);
        }
}

unsigned publisher_edition(const struct publisher *publisher, const struct buf *targets)
{
        for (unsigned i = 0; i < TRUTH_EDITIONS; i++) {
                const struct buf *own = &publisher->editions[i].targets;
                if (own->length == targets->length && memcmp(own->bytes, targets->bytes, own->length) == 0)
                        return i + 1;
        }
        return 0;
}
