#include "trust/tuf_doc.h"

#include "base/mem.h"
#include "format/canon.h"
#include "format/hex.h"
#include "trust/tuf_form.h"
#include "trust/tuf_key.h"
#include "trust/tuf_match.h"

#include <inttypes.h>
#include <string.h>

void tuf_doc_free(struct tuf_doc *doc)
{
        if (!doc)
                return;
        json_close(doc->json);
        mem_free(doc);
}

enum err tuf_doc_open(enum tuf_role role, const struct buf *bytes, struct tuf_doc **ret_doc, struct why *why)
{
        OWN(tuf_doc) struct tuf_doc *doc = mem_new(1, sizeof(*doc));
        if (!doc)
                return FAIL(why, ERR_NOMEM, "no memory for %s", tuf_role_name(role));
        enum err e = json_parse(buf_text(bytes), bytes->length, LIMIT_METADATA_BYTES, &doc->json, why);
        if (!e) {
                doc->body = json_get(doc->json, "signed");
                e = tuf_form_check(role, doc->json, &doc->version, &doc->expires, why);
        }
        if (e)
                return DURING(why, e, "%s", tuf_role_name(role));
        doc->length = bytes->length;
        tuf_digest_of(buf_text(bytes), bytes->length, &doc->digest);
        *ret_doc = GIVE(doc);
        return OK;
}

struct tuf_keyring tuf_doc_keyring(const struct tuf_doc *root, enum tuf_role role)
{
        const char *name = tuf_role_name(role);
        return (struct tuf_keyring){ name, json_get(root->body, "keys"), json_get(json_get(root->body, "roles"), name) };
}

static bool has_text(const struct json *array, const char *text)
{
        for (size_t i = 0; i < json_count(array); i++) {
                const char *item = json_text(json_at(array, i));
                if (item && strcmp(item, text) == 0)
                        return true;
        }
        return false;
}

struct count {
        const struct buf *canonical;
        const struct json *keys, *keyids;
        uint8_t good[LIMIT_SIGNATURES][32];      /* prints of the keys that signed */
        size_t good_count;
};

/* Keys of kinds that we do not know are no error: they do not count. ERR_NOMEM. */
static enum err count_one(struct count *count, const struct json *signature)
{
        const char *keyid = json_text(json_get(signature, "keyid")), *sig = json_text(json_get(signature, "sig"));
        OWN(tuf_key) struct tuf_key key = { 0 };
        if (!keyid || !sig || !has_text(count->keyids, keyid))
                return OK;
        enum err e = tuf_key_read(json_get(count->keys, keyid), &key);
        for (size_t i = 0; !e && i < count->good_count; i++)
                if (memcmp(count->good[i], key.print, sizeof(key.print)) == 0)
                        return OK;
        if (!e)
                e = tuf_key_verify(&key, buf_text(count->canonical), count->canonical->length, sig);
        if (!e)
                memcpy(count->good[count->good_count++], key.print, sizeof(key.print));
        return e == ERR_NOMEM ? e : OK;
}

enum err tuf_doc_verify(const struct tuf_doc *doc, const struct tuf_keyring *keyring, struct why *why)
{
        const struct json *signatures = json_get(doc->json, "signatures");
        int64_t threshold = json_int(json_get(keyring->of_role, "threshold"), 0);
        OWN(buf) struct buf canonical;
        buf_init(&canonical, 4 * LIMIT_METADATA_BYTES);
        struct count count = { .canonical = &canonical, .keys = keyring->keys, .keyids = json_get(keyring->of_role, "keyids") };
        if (threshold < 1)
                return FAIL(why, ERR_UNTRUSTED, "the threshold for %s means nothing", keyring->name);
        enum err e = canon_write(doc->body, &canonical, why);
        if (e)
                return e;
        for (size_t i = 0; !e && i < json_count(signatures); i++)
                e = count_one(&count, json_at(signatures, i));
        if (e)
                return FAIL(why, e, "no memory to check the signatures of %s", keyring->name);
        if ((int64_t)count.good_count < threshold)
                return FAIL(why, ERR_UNTRUSTED, "%s version %" PRIu64 ": signed by %zu of its keys, and it takes %" PRId64, keyring->name, doc->version,
                            count.good_count, threshold);
        return OK;
}

/* A target's or file's {"hashes":{"sha256":...}}: those that we know, at least one. */
static enum err read_digest(const struct json *of, struct tuf_digest *ret_digest, struct why *why)
{
        const struct json *hashes = json_get(of, "hashes"), *of_256 = json_get(hashes, "sha256"), *of_512 = json_get(hashes, "sha512");
        struct tuf_digest digest = { .has_sha256 = of_256, .has_sha512 = of_512 };
        if (of_256 && (!json_text(of_256) || hex_decode(json_text(of_256), digest.sha256, sizeof(digest.sha256), NULL)))
                return FAIL(why, ERR_SYNTAX, "hashes.sha256 is not 64 lower-case hex digits");
        if (of_512 && (!json_text(of_512) || hex_decode(json_text(of_512), digest.sha512, sizeof(digest.sha512), NULL)))
                return FAIL(why, ERR_SYNTAX, "hashes.sha512 is not 128 lower-case hex digits");
        if (!of_256 && !of_512)
                return FAIL(why, ERR_SYNTAX, "hashes has neither sha256 nor sha512");
        *ret_digest = digest;
        return OK;
}

uint64_t tuf_doc_meta_version(const struct tuf_doc *doc, const char *name)
{
        return (uint64_t)json_int(json_get(json_get(json_get(doc->body, "meta"), name), "version"), 0);
}

enum err tuf_doc_meta(const struct tuf_doc *doc, const char *name, struct tuf_meta *ret_meta, struct why *why)
{
        const struct json *meta = json_get(json_get(doc->body, "meta"), name), *length = json_get(meta, "length");
        int64_t bytes = json_int(length, 0);
        if (!meta)
                return FAIL(why, ERR_SYNTAX, "it says nothing of %s", name);
        if (length && bytes < 1)
                return FAIL(why, ERR_SYNTAX, "meta of %s: the length is not a positive integer", name);
        if (bytes > LIMIT_METADATA_BYTES)
                return FAIL(why, ERR_LIMIT, "%s is announced with %" PRId64 " bytes, and %d are read at most", name, bytes, LIMIT_METADATA_BYTES);
        *ret_meta = (struct tuf_meta){ .version = tuf_doc_meta_version(doc, name), .length = (uint64_t)bytes };
        return json_get(meta, "hashes") ? read_digest(meta, &ret_meta->digest, why) : OK;
}

enum err tuf_doc_target(const struct json *json, struct tuf_found *ret_found, struct why *why)
{
        struct tuf_found found = { .custom = json_get(json, "custom") };
        int64_t length = json_int(json_get(json, "length"), -1);
        enum err e = length < 0 ? FAIL(why, ERR_SYNTAX, "length is not a number") : read_digest(json, &found.digest, why);
        if (e)
                return e;
        found.length = (uint64_t)length;
        *ret_found = found;
        return OK;
}

static const struct json *roles_of(const struct tuf_doc *doc)
{
        return json_get(json_get(doc->body, "delegations"), "roles");
}

size_t tuf_doc_delegations(const struct tuf_doc *doc)
{
        return json_count(roles_of(doc));
}

struct tuf_delegation tuf_doc_delegation(const struct tuf_doc *doc, size_t index)
{
        const struct json *role = json_at(roles_of(doc), index);
        return (struct tuf_delegation){
                .keyring = { json_text(json_get(role, "name")), json_get(json_get(doc->body, "delegations"), "keys"), role },
                .is_terminating = json_bool(json_get(role, "terminating"), false),
                .paths = json_get(role, "paths"), .prefixes = json_get(role, "path_hash_prefixes"),
        };
}

bool tuf_delegation_covers(const struct tuf_delegation *delegation, const char *path)
{
        for (size_t i = 0; i < json_count(delegation->paths); i++)
                if (tuf_match_pattern(json_text(json_at(delegation->paths, i)), path))
                        return true;
        for (size_t i = 0; i < json_count(delegation->prefixes); i++)
                if (tuf_match_prefix(json_text(json_at(delegation->prefixes, i)), path))
                        return true;
        return false;
}
