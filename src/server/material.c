#include "server/material.h"

#include "base/limits.h"
#include "base/mem.h"
#include "platform/file.h"
#include "trust/anchor.h"
#include "trust/tuf_build.h"
#include "trust/tuf_root.h"

#include <string.h>

enum { PATH_MAX_BYTES = 1024 };

static const struct kind { const char *repository, *rest; } kinds[MATERIAL_KINDS] = {
        [MATERIAL_RELEASE_ROOT] = { "release", "root.json" }, [MATERIAL_DIRECTOR_ROOT] = { "director", "root.json" },
        [MATERIAL_ANCHOR] = { "release", "anchor" },          [MATERIAL_DIRECTOR_ANCHOR] = { "director", "anchor" },
};

static enum err read_one(const char *folder, const char *name, struct buf *into, struct why *why)
{
        char path[PATH_MAX_BYTES];
        if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
                return FAIL(why, ERR_LIMIT, "the path of %s is too long", name);
        enum err e = file_check_regular(path, why);
        if (!e)
                e = file_read(path, into, why);
        if (e)
                return DURING(why, e, "--keys must be the publisher's folder online/, as `firebreak init` made it");
        if (strlen(buf_text(into)) != into->length)
                return FAIL(why, ERR_SYNTAX, "%s is damaged: it has a NUL in it", path);
        return OK;
}

static enum err read_version(const char *folder, const char *name, struct material_file *file, struct why *why)
{
        if (file->count == LIMIT_ROOTS)
                return FAIL(why, ERR_LIMIT, "--keys: more than %d versions of %s", LIMIT_ROOTS, name);
        struct buf *into = &file->versions[file->count++];
        buf_init(into, LIMIT_METADATA_BYTES);
        return read_one(folder, name, into, why);
}

static bool is_there(const char *folder, const char *name)
{
        char path[PATH_MAX_BYTES];
        return snprintf(path, sizeof(path), "%s/%s", folder, name) < (int)sizeof(path) && file_kind(path) != FILE_ABSENT;
}

/* The numbered ones, and that the last of them is the one without a number. */
static enum err read_numbered(const char *folder, const struct kind *kind, struct material_file *file, struct why *why)
{
        char name[64];
        OWN(buf) struct buf newest;
        buf_init(&newest, LIMIT_METADATA_BYTES);
        enum err e = OK;
        while (!e && snprintf(name, sizeof(name), "%s.%zu.%s", kind->repository, file->count + 1, kind->rest) && is_there(folder, name))
                e = read_version(folder, name, file, why);
        snprintf(name, sizeof(name), "%s.%s", kind->repository, kind->rest);
        if (e || !file->count)
                return e ? e : read_version(folder, name, file, why);
        e = read_one(folder, name, &newest, why);
        if (!e && !buf_equal(&newest, &file->versions[file->count - 1]))
                e = FAIL(why, ERR_SYNTAX, "--keys: %s is not the same as %s.%zu.%s; copy the folder whole", name, kind->repository, file->count, kind->rest);
        return e;
}

static enum err read_listing(const char *folder, const char *name, struct buf *into, struct why *why)
{
        return is_there(folder, name) ? read_one(folder, name, into, why) : OK;
}

enum err material_read(const char *folder, struct material *material, struct why *why)
{
        enum err e = OK;
        *material = (struct material){ 0 };
        buf_init(&material->targets, LIMIT_METADATA_BYTES);
        buf_init(&material->snapshot, LIMIT_METADATA_BYTES);
        for (size_t i = 0; !e && i < MATERIAL_KINDS; i++) {
                material->files[i].versions = mem_new(LIMIT_ROOTS, sizeof(struct buf));
                e = material->files[i].versions ? read_numbered(folder, &kinds[i], &material->files[i], why) : FAIL(why, ERR_NOMEM, "out of memory");
        }
        if (!e)
                e = read_listing(folder, "targets.json", &material->targets, why);
        if (!e)
                e = read_listing(folder, "snapshot.json", &material->snapshot, why);
        return e ? e : log_key_read(folder, &material->log, why);
}

void material_done(struct material *material)
{
        buf_done(&material->targets);
        buf_done(&material->snapshot);
        for (size_t i = 0; i < MATERIAL_KINDS; i++) {
                struct material_file *file = &material->files[i];
                for (size_t k = 0; k < file->count; k++)
                        buf_done(&file->versions[k]);
                mem_free(file->versions);
                *file = (struct material_file){ 0 };
        }
}

const struct buf *material_newest(const struct material *material, enum material_kind kind)
{
        return &material->files[kind].versions[material->files[kind].count - 1];
}

static struct store_versions versions_of(const struct material_file *file)
{
        return (struct store_versions){ file->versions, file->count };
}

struct store_trust material_trust(const struct material *material)
{
        const struct material_file *files = material->files;
        const bool has_listing = material->targets.length && material->snapshot.length;
        return (struct store_trust){ versions_of(&files[MATERIAL_RELEASE_ROOT]), versions_of(&files[MATERIAL_DIRECTOR_ROOT]),
                                     versions_of(&files[MATERIAL_ANCHOR]), versions_of(&files[MATERIAL_DIRECTOR_ANCHOR]),
                                     has_listing ? &material->targets : NULL, has_listing ? &material->snapshot : NULL };
}

/* The one key that a root names for its timestamp, by its own word: whether the root is a good one, the store says when it keeps it. */
static enum err timestamp_key(const struct buf *root, const char *name, struct public_key *ret_key, struct why *why)
{
        struct tuf_root_facts facts;
        enum err e = tuf_root_of_file(root, &facts, why);
        if (e)
                return DURING(why, e, "--keys: %s", name);
        *ret_key = facts.roles[TUF_TIMESTAMP].keys[0];
        return OK;
}

/* Have root and anchor the same holders of the root? Else they are of two publishers, or of two ceremonies. */
static enum err check_root(const struct material *material, enum material_kind root, enum material_kind anchor, const struct anchor_role *role, struct why *why)
{
        struct tuf_root_facts facts;
        enum err e = tuf_root_of_file(material_newest(material, root), &facts, why);
        if (e)
                return DURING(why, e, "--keys: %s.%s", kinds[root].repository, kinds[root].rest);
        bool is_same = facts.roles[TUF_ROOT].count == role->count && facts.roles[TUF_ROOT].threshold == role->threshold;
        for (size_t i = 0; is_same && i < role->count; i++)
                is_same = anchor_role_find(role, &facts.roles[TUF_ROOT].keys[i]) != NULL;
        return is_same ? OK : FAIL(why, ERR_UNTRUSTED, "--keys: %s.%s has other root keys than %s.%s: give the files of one publisher's folder, all together", kinds[anchor].repository,
                                   kinds[anchor].rest, kinds[root].repository, kinds[root].rest);
}

static enum err director_key(const struct material *material, struct public_key *ret_key, struct why *why)
{
        struct anchor anchor;
        struct director_anchor director;
        const struct buf *file = material_newest(material, MATERIAL_ANCHOR), *own = material_newest(material, MATERIAL_DIRECTOR_ANCHOR);
        enum err e = anchor_open(buf_text(file), file->length, &anchor, why);
        if (e)
                return DURING(why, e, "--keys: release.anchor");
        e = director_anchor_open(buf_text(own), own->length, &director, why);
        if (!e)
                e = anchor_check_pair(&anchor, &director, why);
        if (e)
                return DURING(why, e, "--keys: director.anchor");
        *ret_key = director.key.key;
        e = check_root(material, MATERIAL_RELEASE_ROOT, MATERIAL_ANCHOR, &anchor.root, why);
        return e ? e : check_root(material, MATERIAL_DIRECTOR_ROOT, MATERIAL_DIRECTOR_ANCHOR, &director.root, why);
}

/* A timestamp of nothing, which expired when unix time began: no device would take it. */
static enum err write_worthless(struct buf *into, struct why *why)
{
        OWN(buf) struct buf nothing;
        buf_init(&nothing, 1);
        return tuf_timestamp_write(&(struct tuf_stamp){ 1, 1 }, &(struct tuf_of){ 1, &nothing }, into, why);
}

struct fit {
        enum signer_form form;
        const char *key_file, *file;
        struct public_key named;
};

static enum err check_fit(const struct fit *fit, const struct buf *text, struct signer *signer, struct why *why)
{
        uint8_t signature[64];
        enum err e = signer->ops->sign(signer, fit->form, text->bytes, text->length, signature, why);
        if (e)
                return e;
        if (key_verify(&fit->named, text->bytes, text->length, signature))
                return OK;
        return FAIL(why, ERR_UNTRUSTED, "--keys: %s is not the key that %s names: give the files of one publisher's folder, all together, and with the keys of its last ceremony", fit->key_file, fit->file);
}

enum err material_check(const struct material *material, struct signer *signer, struct why *why)
{
        struct fit fits[] = {
                { SIGNER_RELEASE_TIMESTAMP, "timestamp.pem", "release.root.json", { { 0 } } },
                { SIGNER_DIRECTOR_TIMESTAMP, "director.pem", "director.root.json", { { 0 } } },
                { SIGNER_DIRECTOR_TIMESTAMP, "director.pem", "director.anchor", { { 0 } } },
        };
        OWN(buf) struct buf text;
        buf_init(&text, LIMIT_METADATA_BYTES);
        enum err e = timestamp_key(material_newest(material, MATERIAL_RELEASE_ROOT), fits[0].file, &fits[0].named, why);
        if (!e)
                e = timestamp_key(material_newest(material, MATERIAL_DIRECTOR_ROOT), fits[1].file, &fits[1].named, why);
        if (!e)
                e = director_key(material, &fits[2].named, why);
        if (!e)
                e = write_worthless(&text, why);
        for (size_t i = 0; i < sizeof(fits) / sizeof(fits[0]) && !e; i++)
                e = check_fit(&fits[i], &text, signer, why);
        return e ? e : log_key_check(&material->log, material_newest(material, MATERIAL_ANCHOR), signer, why);
}
