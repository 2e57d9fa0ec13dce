#include "server/material.h"

#include "format/hex.h"
#include "format/json.h"
#include "platform/file.h"
#include "trust/anchor.h"
#include "trust/tuf_build.h"

#include <string.h>

enum { PATH_MAX_BYTES = 1024 };

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

enum err material_read(const char *folder, struct material *material, struct why *why)
{
        buf_init(&material->release_root, LIMIT_METADATA_BYTES);
        buf_init(&material->director_root, LIMIT_METADATA_BYTES);
        buf_init(&material->anchor, LIMIT_METADATA_BYTES);
        enum err e = read_one(folder, "release.root.json", &material->release_root, why);
        if (!e)
                e = read_one(folder, "director.root.json", &material->director_root, why);
        return e ? e : read_one(folder, "anchor", &material->anchor, why);
}

void material_done(struct material *material)
{
        buf_done(&material->release_root);
        buf_done(&material->director_root);
        buf_done(&material->anchor);
}

static const struct json *walk(const struct json *json, const char *const *keys)
{
        for (; json && *keys; keys++)
                json = json_get(json, *keys);
        return json;
}

/* The one key that a root names for its timestamp. Whether the root is a good one, the store says when it keeps it. */
static enum err timestamp_key(const struct buf *root, const char *name, struct public_key *ret_key, struct why *why)
{
        OWN(json) struct json *json = NULL;
        enum err e = json_parse(root->bytes, root->length, LIMIT_METADATA_BYTES, &json, why);
        if (e)
                return DURING(why, e, "--keys: %s", name);
        const char *id = json_text(json_at(walk(json, (const char *const[]){ "signed", "roles", "timestamp", "keyids", NULL }), 0));
        const char *key = id ? json_text(walk(json, (const char *const[]){ "signed", "keys", id, "keyval", "public", NULL })) : NULL;
        if (!key || strlen(key) != 64 || hex_decode(key, ret_key->bytes, sizeof(ret_key->bytes), NULL) != OK)
                return FAIL(why, ERR_SYNTAX, "--keys: %s names no key for its timestamp", name);
        return OK;
}

static enum err director_key(const struct buf *bytes, struct public_key *ret_key, struct why *why)
{
        struct anchor anchor;
        enum err e = anchor_open(bytes->bytes, bytes->length, &anchor, why);
        if (e)
                return DURING(why, e, "--keys: anchor");
        *ret_key = anchor.director.key;
        return OK;
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
        return FAIL(why, ERR_UNTRUSTED, "--keys: %s is not the key that %s names: give the files of one `firebreak init`, all together", fit->key_file, fit->file);
}

enum err material_check(const struct material *material, struct signer *signer, struct why *why)
{
        struct fit fits[] = {
                { SIGNER_RELEASE_TIMESTAMP, "timestamp.pem", "release.root.json", { { 0 } } },
                { SIGNER_DIRECTOR_TIMESTAMP, "director.pem", "director.root.json", { { 0 } } },
                { SIGNER_DIRECTOR_TIMESTAMP, "director.pem", "anchor", { { 0 } } },
        };
        OWN(buf) struct buf text;
        buf_init(&text, LIMIT_METADATA_BYTES);
        enum err e = timestamp_key(&material->release_root, fits[0].file, &fits[0].named, why);
        if (!e)
                e = timestamp_key(&material->director_root, fits[1].file, &fits[1].named, why);
        if (!e)
                e = director_key(&material->anchor, &fits[2].named, why);
        if (!e)
                e = write_worthless(&text, why);
        for (size_t i = 0; i < sizeof(fits) / sizeof(fits[0]) && !e; i++)
                e = check_fit(&fits[i], &text, signer, why);
        return e;
}
