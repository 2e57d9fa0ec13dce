#include "cli/founding.h"

#include "base/limits.h"
#include "cli/publisher.h"
#include "format/json.h"
#include "platform/disk.h"
#include "platform/random.h"
#include "trust/anchor.h"
#include "trust/tuf_build.h"

#include <stdio.h>
#include <string.h>

enum { DAY_S = 86400, ROOT_DAYS = 365, PATH_MAX_BYTES = 256 };

enum key_role { KEY_ROOT, KEY_TARGETS, KEY_LAB, KEY_TIMESTAMP, KEY_DIRECTOR, KEY_LOG, KEY_ROLES };

static const struct {
        const char *path;
        bool is_offline;               /* encrypted, when there is a passphrase; a server cannot type one */
} key_files[KEY_ROLES] = {
        [KEY_ROOT] = { "offline/root.pem", true },           [KEY_TARGETS] = { "offline/targets.pem", true },
        [KEY_LAB] = { "offline/lab.pem", true },             [KEY_TIMESTAMP] = { "online/timestamp.pem", false },
        [KEY_DIRECTOR] = { "online/director.pem", false },   [KEY_LOG] = { "online/log.pem", false },
};

struct keys { struct secret_key of[KEY_ROLES]; };

static void keys_release(struct keys *keys)
{
        for (unsigned role = 0; role < KEY_ROLES; role++)
                secret_key_done(&keys->of[role]);
}

static void keys_make(struct random_source *random, struct keys *keys)
{
        for (unsigned role = 0; role < KEY_ROLES; role++) {
                OWN(secret_key) struct secret_key key = { 0 };
                random->ops->fill(random, key.seed, sizeof(key.seed));
                secret_key_make(key.seed, &keys->of[role]);
        }
}

static void path_of(const struct founding *founding, const char *below, char path[static PATH_MAX_BYTES])
{
        snprintf(path, PATH_MAX_BYTES, ".%.60s.new%s%.120s", founding->folder, *below ? "/" : "", below);
}

static enum err put(const struct founding *founding, const char *below, const struct buf *bytes, struct why *why)
{
        struct disk *disk = founding->disk;
        char path[PATH_MAX_BYTES];
        path_of(founding, below, path);
        enum err e = buf_check(bytes, why);
        int file;
        if (!e)
                e = disk->ops->create(disk, path, 0600, &file, why);
        if (e)
                return DURING(why, e, "writing %s", below);
        e = disk->ops->file_write(disk, file, bytes->bytes, bytes->length, why);
        if (!e)
                e = disk->ops->file_sync(disk, file, why);
        disk->ops->file_close(disk, file);
        return e ? DURING(why, e, "writing %s", below) : OK;
}

static enum err put_keys(const struct founding *founding, const struct keys *keys, struct why *why)
{
        for (unsigned role = 0; role < KEY_ROLES; role++) {
                struct key_lock lock = { .passphrase = key_files[role].is_offline ? founding->passphrase->text : NULL };
                OWN(buf) struct buf pem;
                buf_init(&pem, KEY_PEM_MAX);
                founding->random->ops->fill(founding->random, lock.random, sizeof(lock.random));
                enum err e = key_pem_write(&keys->of[role], &lock, &pem, why);
                if (!e)
                        e = put(founding, key_files[role].path, &pem, why);
                if (e)
                        return e;
        }
        return OK;
}

/* The file in both folders that are handed out: online/ to the server, public/ to the devices. */
static enum err put_public(const struct founding *founding, const char *name, const struct buf *bytes, struct why *why)
{
        static const char *const folders[] = { "online", "public" };
        for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
                char below[64];
                snprintf(below, sizeof(below), "%s/%s", folders[i], name);
                enum err e = put(founding, below, bytes, why);
                if (e)
                        return e;
        }
        return OK;
}

/* A root of which `roles` names who signs what. */
static enum err put_root(const struct founding *founding, const struct keys *keys, const enum key_role roles[static TUF_ROLES],
                         const char *name, struct why *why)
{
        struct tuf_root root = { .stamp = { 1, founding->now + (int64_t)ROOT_DAYS * DAY_S } };
        for (unsigned role = 0; role < TUF_ROLES; role++)
                root.roles[role] = (struct tuf_role_keys){ &keys->of[roles[role]].public, 1, 1 };
        OWN(buf) struct buf to_sign, file;
        buf_init(&to_sign, LIMIT_METADATA_BYTES);
        buf_init(&file, LIMIT_METADATA_BYTES);
        enum err e = tuf_root_write(&root, &to_sign, why);
        if (!e)
                e = tuf_file_sign(&to_sign, &keys->of[KEY_ROOT], 1, &file, why);
        return e ? DURING(why, e, "making %s", name) : put_public(founding, name, &file, why);
}

static enum err put_roots(const struct founding *founding, const struct keys *keys, struct why *why)
{
        static const enum key_role release[TUF_ROLES] = { KEY_ROOT, KEY_TARGETS, KEY_TARGETS, KEY_TIMESTAMP };
        static const enum key_role director[TUF_ROLES] = { KEY_ROOT, KEY_DIRECTOR, KEY_DIRECTOR, KEY_DIRECTOR };
        enum err e = put_root(founding, keys, release, "release.root.json", why);
        return e ? e : put_root(founding, keys, director, "director.root.json", why);
}

/* "root.acme": what a key is called in notes and evidence. */
static enum err name_key(const struct founding *founding, const char *role, const struct secret_key *key, struct vkey *ret_vkey, struct why *why)
{
        char name[LIMIT_NAME_BYTES + 16];
        snprintf(name, sizeof(name), "%s.%.64s", role, founding->publisher);
        return vkey_make(name, &key->public, ret_vkey, why);
}

/* For the server, and for those who are to be its witnesses. */
static enum err put_log(const struct founding *founding, const struct verifier *log, struct why *why)
{
        char text[VERIFIER_TEXT_MAX];
        OWN(buf) struct buf line;
        buf_init(&line, sizeof(text) + 1);
        verifier_text(log, text);
        buf_addf(&line, "%s\n", text);
        return put_public(founding, "log.vkey", &line, why);
}

static enum err put_anchor(const struct founding *founding, const struct keys *keys, struct why *why)
{
        struct anchor anchor = { .version = 1, .root = { .threshold = 1, .count = 1 }, .content = { .threshold = 1, .count = 1 }, .lab = { .threshold = 1, .count = 1 }, .has_log = true };
        OWN(buf) struct buf note;
        buf_init(&note, LIMIT_NOTE_BYTES);
        enum err e = name_key(founding, "root", &keys->of[KEY_ROOT], &anchor.root.keys[0], why);
        if (!e)
                e = name_key(founding, "content", &keys->of[KEY_TARGETS], &anchor.content.keys[0], why);
        if (!e)
                e = name_key(founding, "lab", &keys->of[KEY_LAB], &anchor.lab.keys[0], why);
        if (!e)
                e = publisher_log(founding->publisher, &keys->of[KEY_LOG].public, &anchor.log, why);
        if (!e)
                e = put_log(founding, &anchor.log, why);
        if (!e)
                e = anchor_write(&anchor, &note, why);
        if (!e)
                e = note_sign(&note, anchor.root.keys[0].name, &keys->of[KEY_ROOT], why);
        return e ? DURING(why, e, "making the anchor") : put_public(founding, "release.anchor", &note, why);
}

static enum err put_director_anchor(const struct founding *founding, const struct keys *keys, struct why *why)
{
        struct director_anchor anchor = { .version = 1, .root = { .threshold = 1, .count = 1 } };
        OWN(buf) struct buf note;
        buf_init(&note, LIMIT_NOTE_BYTES);
        enum err e = name_key(founding, "root", &keys->of[KEY_ROOT], &anchor.root.keys[0], why);
        if (!e)
                e = name_key(founding, "director", &keys->of[KEY_DIRECTOR], &anchor.key, why);
        if (!e)
                e = director_anchor_write(&anchor, &note, why);
        if (!e)
                e = note_sign(&note, anchor.root.keys[0].name, &keys->of[KEY_ROOT], why);
        return e ? DURING(why, e, "making the director's anchor") : put_public(founding, "director.anchor", &note, why);
}

/* No release yet: version 1 of both lists nothing. */
static enum err put_metadata(const struct founding *founding, const struct keys *keys, struct why *why)
{
        struct tuf_stamp stamp = { 1, founding->now + PUBLISHER_METADATA_S };
        OWN(buf) struct buf to_sign, targets, snapshot;
        buf_init(&to_sign, LIMIT_METADATA_BYTES);
        buf_init(&targets, LIMIT_METADATA_BYTES);
        buf_init(&snapshot, LIMIT_METADATA_BYTES);
        enum err e = tuf_targets_write(&stamp, &(struct tuf_change){ NULL, NULL }, &to_sign, why);
        if (!e)
                e = tuf_file_sign(&to_sign, &keys->of[KEY_TARGETS], 1, &targets, why);
        buf_clear(&to_sign);
        if (!e)
                e = tuf_snapshot_write(&stamp, &(struct tuf_of){ 1, &targets }, &to_sign, why);
        if (!e)
                e = tuf_file_sign(&to_sign, &keys->of[KEY_TARGETS], 1, &snapshot, why);
        if (!e)
                e = put(founding, "metadata/targets.json", &targets, why);
        return e ? e : put(founding, "metadata/snapshot.json", &snapshot, why);
}

static enum err put_name(const struct founding *founding, struct why *why)
{
        OWN(json) struct json *json = json_new_object();
        OWN(buf) struct buf text;
        buf_init(&text, 1024);
        json_set_text(json, "name", founding->publisher);
        enum err e = json_write(json, 0, &text, why);
        return e ? e : put(founding, "publisher.json", &text, why);
}

static enum err folders(const struct founding *founding, bool is_sync, struct why *why)
{
        static const char *const names[] = { "", "offline", "online", "public", "metadata", "releases" };
        struct disk *disk = founding->disk;
        enum err e = OK;
        for (size_t i = 0; !e && i < sizeof(names) / sizeof(names[0]); i++) {
                char path[PATH_MAX_BYTES];
                path_of(founding, names[i], path);
                e = is_sync ? disk->ops->sync_folder(disk, path, why) : disk->ops->make_folder(disk, path, why);
        }
        return e;
}

static enum err note_name(void *user, const char *name, enum disk_kind kind, uint64_t length, struct why *why)
{
        (void)kind, (void)length;
        return strcmp(name, user) == 0 ? FAIL(why, ERR_REFUSED, "%s is there already; choose another name, or move it away", name) : OK;
}

static enum err fill(const struct founding *founding, struct why *why)
{
        OWN(keys) struct keys keys = { 0 };
        keys_make(founding->random, &keys);
        enum err e = folders(founding, false, why);
        if (!e)
                e = put_keys(founding, &keys, why);
        if (!e)
                e = put_roots(founding, &keys, why);
        if (!e)
                e = put_anchor(founding, &keys, why);
        if (!e)
                e = put_director_anchor(founding, &keys, why);
        if (!e)
                e = put_metadata(founding, &keys, why);
        if (!e)
                e = put_name(founding, why);
        return e ? e : folders(founding, true, why);
}

enum err founding_make(const struct founding *founding, struct why *why)
{
        struct disk *disk = founding->disk;
        char made[PATH_MAX_BYTES], name[LIMIT_PATH_BYTES + 1];
        path_of(founding, "", made);
        snprintf(name, sizeof(name), "%s", founding->folder);
        enum err e = disk->ops->list(disk, "", note_name, name, why);
        if (!e)
                e = disk->ops->remove_tree(disk, made, why);
        if (!e)
                e = fill(founding, why);
        if (!e)
                e = disk->ops->rename(disk, made, founding->folder, why);
        if (e) {
                enum err cleared = disk->ops->remove_tree(disk, made, NULL);
                (void)cleared;         /* what stays is cleared by the next try; the first failure is the one to tell */
        }
        return e;
}
