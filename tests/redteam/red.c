#include "redteam/red.h"

#include "format/json.h"
#include "trust/release_custom.h"
#include "trust/sha.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { FAR = START + 3000 * DAY };

void red_init(struct red *red, const struct publisher *publisher, unsigned holds, uint64_t seed)
{
        *red = (struct red){ .publisher = publisher, .holds = holds, .version = 1000 };
        red->watched = publisher->watched;
        sim_random_init(&red->random, seed);
}

void red_done(struct red *red)
{
        while (red->scene_count)
                scene_done(&red->scenes[--red->scene_count]);
        answers_done(&red->answers);
}

struct scene *red_scene(struct red *red, int64_t at_s)
{
        if (red->scene_count == RED_SCENES)
                exit(70);
        scene_init(&red->scenes[red->scene_count], at_s);
        return &red->scenes[red->scene_count++];
}

void red_control_keys(struct red *red, unsigned keys)
{
        if (red->is_control)
                red->holds |= keys;
}

static void check_holds(const struct red *red, enum key key)
{
        if (red->holds & HOLDS(key))
                return;
        fprintf(stderr, "redteam: an attack signs with key %s, which it does not hold\n", key_name(key));
        exit(70);
}

void red_sign_file(const struct red *red, const struct buf *to_sign, const enum key *keys, size_t count, struct buf *into)
{
        for (size_t i = 0; i < count; i++)
                check_holds(red, keys[i]);
        sign_file(to_sign, keys, count, into);
}

void red_sign_note(const struct red *red, struct buf *note, const char *name, enum key key)
{
        struct why why = { .text = "" };
        struct secret_key secret = key_of(key);
        check_holds(red, key);
        sure(note_sign(note, name, &secret, &why), &why);
}

static void write_timestamp(struct red *red, struct buf files[TUF_ROLES], uint64_t snapshot_version, enum key key)
{
        struct why why = { .text = "" };
        OWN(buf) struct buf to_sign;
        buf_init(&to_sign, LIMIT_METADATA_BYTES);
        const struct tuf_stamp stamp = { ++red->version, FAR };
        sure(tuf_timestamp_write(&stamp, &(struct tuf_of){ snapshot_version, &files[TUF_SNAPSHOT] }, &to_sign, &why), &why);
        red_sign_file(red, &to_sign, &key, 1, &files[TUF_TIMESTAMP]);
}

static void write_snapshot(struct red *red, struct buf files[TUF_ROLES], uint64_t targets_version, enum key key)
{
        struct why why = { .text = "" };
        OWN(buf) struct buf to_sign;
        buf_init(&to_sign, LIMIT_METADATA_BYTES);
        const struct tuf_stamp stamp = { targets_version, FAR };
        sure(tuf_snapshot_write(&stamp, &(struct tuf_of){ targets_version, &files[TUF_TARGETS] }, &to_sign, &why), &why);
        red_sign_file(red, &to_sign, &key, 1, &files[TUF_SNAPSHOT]);
}

void red_timestamp(struct red *red, struct scene *scene, uint64_t snapshot_version, enum key key)
{
        write_timestamp(red, scene->files[BUNDLE_RELEASE], snapshot_version, key);
}

void red_snapshot(struct red *red, struct scene *scene, uint64_t targets_version, enum key key)
{
        write_snapshot(red, scene->files[BUNDLE_RELEASE], targets_version, key);
}

void red_edition(struct red *red, struct scene *scene, unsigned edition)
{
        scene_set(&scene->files[BUNDLE_RELEASE][TUF_TARGETS], &red->publisher->editions[edition - 1].targets);
        scene_set(&scene->files[BUNDLE_RELEASE][TUF_SNAPSHOT], &red->publisher->editions[edition - 1].snapshot);
        red_timestamp(red, scene, edition, KEY_TIMESTAMP);
}

void red_list(struct red *red, struct scene *scene, const struct red_entry *entry, const struct red_keys *keys)
{
        struct why why = { .text = "" };
        struct buf *files = scene->files[BUNDLE_RELEASE];
        struct release_file file;
        struct release_note note = publisher_note(entry->as, &file);
        OWN(json) struct json *custom = release_custom_new(&note);
        OWN(buf) struct buf to_sign;
        buf_init(&to_sign, LIMIT_METADATA_BYTES);
        const struct tuf_stamp stamp = { ++red->version, FAR };
        struct tuf_target target = { .path = entry->path, .length = note_signed_length(entry->note->bytes, entry->note->length), .custom = custom };
        sha256(entry->note->bytes, target.length, target.sha256);
        sure(tuf_targets_write(&stamp, &(struct tuf_change){ &files[TUF_TARGETS], &target }, &to_sign, &why), &why);
        red_sign_file(red, &to_sign, keys->targets, keys->targets_count, &files[TUF_TARGETS]);
        write_snapshot(red, files, stamp.version, keys->snapshot);
        write_timestamp(red, files, stamp.version, keys->timestamp);
}

void red_note(struct red *red, struct scene *scene, const struct truth_release *release, struct buf *note)
{
        struct why why = { .text = "" };
        struct release_file file;
        struct release_note of = publisher_note(release, &file);
        snprintf(of.version, sizeof(of.version), "0.%" PRIu64, ++red->version);
        sure(release_note_write(&of, note, &why), &why);
        scene_serve(scene, file.sha256, release->text, strlen(release->text));
}

void red_serve_note(struct scene *scene, const struct buf *note)
{
        uint8_t digest[32];
        sha256(note->bytes, note_signed_length(note->bytes, note->length), digest);
        scene_serve(scene, digest, note->bytes, note->length);
}

struct cohort red_cohort(const struct red *red, uint64_t counter, const struct buf *note)
{
        (void)red;
        struct cohort cohort = {
                .state = COHORT_GO, .stream = "rules", .tenant = "default", .seq = 1, .counter = counter, .length = note_signed_length(note->bytes, note->length), .expires = FAR, .rule_count = 1,
                .rules = { { .ring = "all", .platform = "any", .is_all = true } },
        };
        sha256(note->bytes, cohort.length, cohort.sha256);
        memcpy(cohort.salt, cohort.sha256, sizeof(cohort.salt));
        return cohort;
}

struct cohort red_cohort_for(const struct red *red, unsigned release)
{
        return red_cohort(red, truth_releases[release].counter, &red->publisher->notes[release]);
}

void red_offer_bytes(struct red *red, struct scene *scene, const struct buf *document, enum key key)
{
        struct why why = { .text = "" };
        struct buf *files = scene->files[BUNDLE_DIRECTOR];
        OWN(buf) struct buf to_sign;
        buf_init(&to_sign, LIMIT_METADATA_BYTES);
        const struct tuf_stamp stamp = { ++red->version, FAR };
        struct tuf_target target = { .path = "rules", .length = document->length };
        sha256(document->bytes, document->length, target.sha256);
        scene_set(&scene->cohort, document);
        sure(tuf_targets_write(&stamp, &(struct tuf_change){ NULL, &target }, &to_sign, &why), &why);
        red_sign_file(red, &to_sign, &key, 1, &files[TUF_TARGETS]);
        write_snapshot(red, files, stamp.version, key);
        write_timestamp(red, files, stamp.version, key);
}

void red_offer(struct red *red, struct scene *scene, const struct cohort *cohort)
{
        struct why why = { .text = "" };
        OWN(buf) struct buf document;
        buf_init(&document, COHORT_BYTES_MAX);
        sure(cohort_write(cohort, &document, &why), &why);
        red_offer_bytes(red, scene, &document, KEY_DIRECTOR);
}

void red_checkpoint(const struct red *red, const struct story *story, struct buf *into)
{
        struct why why = { .text = "" };
        const struct secret_key secret = key_of(KEY_LOG);
        check_holds(red, KEY_LOG);
        story_checkpoint(story, into);
        sure(checkpoint_sign(into, &secret, &why), &why);
}

bool red_show(struct red *red, const struct showing *showing, struct buf *checkpoint)
{
        return watched_show(&red->watched, showing, checkpoint);
}

void red_cosign(const struct red *red, const struct red_cosigner *cosigner, struct buf *checkpoint)
{
        struct why why = { .text = "" };
        const struct verifier verifier = watched_witness(cosigner->as);
        const struct secret_key secret = key_of(cosigner->key);
        check_holds(red, cosigner->key);
        sure(cosignature_add(checkpoint, &(struct cosigner){ &verifier, &secret }, cosigner->time, &why), &why);
}

void red_log(struct red *red, const struct logged *entry, int64_t at_s)
{
        char path[ANSWER_PATH_BYTES];
        OWN(buf) struct buf checkpoint = { 0 }, proof = { 0 };
        const size_t index = story_add(&red->watched.log, entry);
        red_checkpoint(red, &red->watched.log, &checkpoint);
        for (unsigned witness = 0; witness < WITNESSES; witness++)
                (void)red_show(red, &(struct showing){ &red->watched.log, witness, at_s }, &checkpoint);
        story_prove(&red->watched.log, index, &checkpoint, &proof);
        answer_proof_path(entry->digest, path);
        answers_set(&red->answers, path, &proof);
}

void red_approval(const struct red *red, const struct red_approval *of, struct buf *into)
{
        struct approval approval = { .kind = of->kind, .by = publisher_vkey(KEY_CUSTOMER) };         /* whose it is, everybody knows */
        memcpy(approval.release, of->target, sizeof(approval.release));
        buf_init(into, LIMIT_NOTE_BYTES);
        approval_write(&approval, into);
        for (size_t i = 0; i < of->count; i++)
                red_sign_note(red, into, key_name(of->keys[i]), of->keys[i]);
}

struct lease red_lease_for(const struct ask *ask)
{
        struct lease lease = { .counter = ask->counter, .granted = ask->at_s, .deadline = FAR, .bake_s = 1 };
        snprintf(lease.device, sizeof(lease.device), "%s", ask->device);
        snprintf(lease.stream, sizeof(lease.stream), "%s", ask->stream);
        memcpy(lease.target, ask->target, sizeof(lease.target));
        memcpy(lease.nonce, ask->nonce, sizeof(lease.nonce));
        return lease;
}

void red_lease_sign(const struct red *red, const struct lease *lease, enum key key, struct buf *into)
{
        lease_write(lease, into);
        red_sign_note(red, into, "director", key);
}

void red_grant(const struct red *red, const struct ask *ask, struct buf *into)
{
        const struct lease lease = red_lease_for(ask);
        red_lease_sign(red, &lease, KEY_DIRECTOR, into);
}
