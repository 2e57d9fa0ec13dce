#include "cli/signing.h"

#include "base/limits.h"
#include "cli/journal.h"
#include "cli/publisher.h"
#include "cli/signing_check.h"
#include "cli/signing_key.h"
#include "format/json.h"
#include "platform/disk.h"
#include "trust/anchor.h"
#include "trust/release_custom.h"
#include "trust/tuf.h"
#include "trust/tuf_build.h"

#include <stdio.h>
#include <string.h>

/* All of one signature. */
struct work {
        const struct signing *signing;
        struct release_folder folder;
        struct buf anchor, root, old_targets, old_snapshot;        /* files, as they are */
        struct buf note, targets, snapshot;                        /* as they will be */
        struct signing_secrets secrets;
        size_t key_count;
        struct signing_key *keys[ARG_REPEATS];
        struct vkey names[ARG_REPEATS];                            /* what the anchor calls them */
        struct tuf_stamp targets_stamp, snapshot_stamp;            /* the new ones */
};

static const struct { const char *path; size_t offset; } inputs[] = {
        { "public/release.anchor", offsetof(struct work, anchor) },
        { "public/release.root.json", offsetof(struct work, root) },
        { "metadata/targets.json", offsetof(struct work, old_targets) },
        { "metadata/snapshot.json", offsetof(struct work, old_snapshot) },
};
static const size_t outputs[] = { offsetof(struct work, note), offsetof(struct work, targets), offsetof(struct work, snapshot) };

static struct buf *buf_at(struct work *work, size_t offset)
{
        return (struct buf *)(void *)((char *)work + offset);
}

static void work_init(struct work *work, const struct signing *signing)
{
        *work = (struct work){ .signing = signing };
        for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++)
                buf_init(buf_at(work, inputs[i].offset), LIMIT_METADATA_BYTES);
        for (size_t i = 0; i < sizeof(outputs) / sizeof(outputs[0]); i++)
                buf_init(buf_at(work, outputs[i]), LIMIT_METADATA_BYTES);
}

static void work_release(struct work *work)
{
        for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++)
                buf_done(buf_at(work, inputs[i].offset));
        for (size_t i = 0; i < sizeof(outputs) / sizeof(outputs[0]); i++)
                buf_done(buf_at(work, outputs[i]));
        release_folder_done(&work->folder);
        for (size_t i = 0; i < work->key_count; i++)
                signing_key_close(work->keys[i]);
        signing_secrets_release(&work->secrets);
}

static enum err read_inputs(struct work *work, struct why *why)
{
        struct disk *disk = work->signing->disk;
        for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++) {
                enum err e = disk->ops->read(disk, inputs[i].path, buf_at(work, inputs[i].offset), why);
                if (e)
                        return DURING(why, e, "%s of the publisher's folder", inputs[i].path);
        }
        return OK;
}

/* ---- may it be signed? ---- */

static enum err check_release(struct work *work, struct why *why)
{
        enum err e = release_folder_open(work->signing->disk, &work->signing->release, &work->folder, why);
        if (!e && work->folder.is_signed)
                e = FAIL(why, ERR_REFUSED, "it is signed already; publish it, or pack a new release");
        return e ? e : release_folder_check(&work->folder, why);
}

/* A release that the metadata lists was signed here once, and may be on devices: another under its name would never get there. */
static enum err check_unlisted(const struct work *work, const struct tuf *tuf, struct why *why)
{
        char path[160];
        release_id_path(&work->signing->release, "", "", path);
        for (size_t i = 0; i < tuf_target_count(tuf); i++)
                if (strcmp(tuf_target_path(tuf, i), path + 1) == 0)
                        return FAIL(why, ERR_REFUSED, "another %s was signed before; pack this content with a higher counter", path + 1);
        return OK;
}

/* The versions that follow. What was signed before must be ours, but may have expired. */
static enum err next_versions(struct work *work, struct why *why)
{
        OWN(tuf) struct tuf *tuf = NULL;
        int64_t expires = work->signing->now + PUBLISHER_METADATA_S;
        enum err e = tuf_open(&work->root, work->signing->now, &tuf, why);
        if (!e)
                e = tuf_keep(tuf, TUF_SNAPSHOT, &work->old_snapshot, why);
        if (!e)
                e = tuf_keep(tuf, TUF_TARGETS, &work->old_targets, why);
        if (e)
                return DURING(why, e, "the metadata as it was");
        work->targets_stamp = (struct tuf_stamp){ tuf_version(tuf, TUF_TARGETS) + 1, expires };
        work->snapshot_stamp = (struct tuf_stamp){ tuf_version(tuf, TUF_SNAPSHOT) + 1, expires };
        return check_unlisted(work, tuf, why);
}

/* ---- keys ---- */

/* What the anchor calls the key that signs releases. */
static enum err name_key(struct work *work, const struct anchor *anchor, const char *reference, struct why *why)
{
        const struct public_key *key = signing_key_public(work->keys[work->key_count - 1]);
        const struct vkey *vkey = anchor_role_find(&anchor->content, key);
        if (!vkey)
                return FAIL(why, ERR_UNTRUSTED, "%.200s is no content key of public/release.anchor; this key is of another folder", reference);
        for (size_t i = 0; i + 1 < work->key_count; i++)
                if (key_equal(&work->names[i].key, key))
                        return FAIL(why, ERR_USAGE, "%.200s is the key of %s, which was given before", reference, vkey->name);
        work->names[work->key_count - 1] = *vkey;
        return OK;
}

/* Those of --key, wherever they are; without, the one of the folder. */
static enum err open_keys(struct work *work, struct why *why)
{
        static const char *const own[] = { "offline/targets.pem" };
        const struct signing *signing = work->signing;
        const struct arg *given = &signing->args->of[OPTION_SIGNING_KEY];
        const char *const *references = given->count ? given->texts : own;
        const size_t count = given->count ? given->count : 1;
        struct signing_keys_opener opener = { .args = signing->args, .secrets = &work->secrets };
        struct anchor anchor;
        if (!given->count) {
                opener.disk = signing->disk;
                opener.folder = signing->folder;
        }
        enum err e = anchor_open(buf_text(&work->anchor), work->anchor.length, &anchor, why);
        if (e)
                return DURING(why, e, "public/release.anchor");
        if (count < anchor.content.threshold)
                return FAIL(why, ERR_USAGE, "it takes %zu content keys to sign, and this is %zu: give each with --key", anchor.content.threshold, count);
        for (size_t i = 0; !e && i < count; i++) {
                e = signing_key_open(&opener, references[i], &work->keys[work->key_count], why);
                work->key_count += !e;
                if (!e)
                        e = name_key(work, &anchor, references[i], why);
        }
        return e;
}

/* ---- signatures ---- */

static enum err sign_note(struct work *work, struct why *why)
{
        buf_add(&work->note, work->folder.note.bytes, work->folder.note.length);
        enum err e = buf_check(&work->note, why);
        for (size_t i = 0; !e && i < work->key_count; i++) {
                uint8_t signature[64];
                e = signing_key_sign(work->keys[i], work->note.bytes, note_signed_length(work->note.bytes, work->note.length), signature, why);
                if (!e)
                        e = note_add_signature(&work->note, &work->names[i], signature, why);
        }
        return e;
}

static enum err sign_file(struct work *work, const struct buf *to_sign, struct buf *into, struct why *why)
{
        struct tuf_signature signatures[ARG_REPEATS];
        enum err e = OK;
        for (size_t i = 0; !e && i < work->key_count; i++) {
                signatures[i].key = work->names[i].key;
                e = signing_key_sign(work->keys[i], buf_text(to_sign), to_sign->length, signatures[i].signature, why);
        }
        return e ? e : tuf_file_write(to_sign, signatures, work->key_count, into, why);
}

static enum err sign_targets(struct work *work, struct why *why)
{
        char path[160];
        OWN(json) struct json *custom = release_custom_new(work->folder.manifest);
        OWN(buf) struct buf to_sign;
        buf_init(&to_sign, LIMIT_METADATA_BYTES);
        if (!json_is_whole(custom))
                return FAIL(why, ERR_NOMEM, "signing");
        release_id_path(&work->signing->release, "", "", path);
        struct tuf_target target = { .path = path + 1, .length = work->folder.manifest->text_length, .custom = custom };
        memcpy(target.sha256, work->folder.manifest->target, sizeof(target.sha256));
        struct tuf_change change = { &work->old_targets, &target };
        enum err e = tuf_targets_write(&work->targets_stamp, &change, &to_sign, why);
        return e ? e : sign_file(work, &to_sign, &work->targets, why);
}

static enum err sign_snapshot(struct work *work, struct why *why)
{
        OWN(buf) struct buf to_sign;
        buf_init(&to_sign, LIMIT_METADATA_BYTES);
        struct tuf_of targets = { work->targets_stamp.version, &work->targets };
        enum err e = tuf_snapshot_write(&work->snapshot_stamp, &targets, &to_sign, why);
        return e ? e : sign_file(work, &to_sign, &work->snapshot, why);
}

static enum err judge(const struct work *work, struct why *why)
{
        const struct signing *signing = work->signing;
        return signing_check(&(struct signing_outcome){ .release = &signing->release, .anchor = &work->anchor, .root = &work->root,
                                     .old_snapshot = &work->old_snapshot, .note = &work->note,
                                     .targets = &work->targets, .snapshot = &work->snapshot, .random = signing->random, .now = signing->now }, why);
}

static enum err commit(const struct work *work, struct why *why)
{
        char note[PUBLISHER_PATH_MAX];
        publisher_release_path(&work->signing->release, "/note", note);
        const struct journal_file files[] = { { note, &work->note }, { "metadata/targets.json", &work->targets }, { "metadata/snapshot.json", &work->snapshot } };
        return journal_commit(work->signing->disk, files, sizeof(files) / sizeof(files[0]), why);
}

static enum err sign(struct work *work, struct why *why)
{
        enum err e = sign_note(work, why);
        if (!e)
                e = sign_targets(work, why);
        if (!e)
                e = sign_snapshot(work, why);
        if (!e)
                e = judge(work, why);
        return e ? e : commit(work, why);
}

enum err signing_do(const struct signing *signing, struct signed_release *ret_signed, struct why *why)
{
        OWN(work) struct work work;
        work_init(&work, signing);
        enum err e = check_release(&work, why);
        if (!e)
                e = read_inputs(&work, why);
        if (!e)
                e = next_versions(&work, why);
        if (!e)
                e = open_keys(&work, why);
        if (!e)
                e = sign(&work, why);
        if (e)
                return DURING(why, e, "signing %s/%lld", signing->release.stream, (long long)signing->release.counter);
        *ret_signed = (struct signed_release){ .version = work.targets_stamp.version, .expires = work.targets_stamp.expires };
        memcpy(ret_signed->target, work.folder.manifest->target, sizeof(ret_signed->target));
        return OK;
}
