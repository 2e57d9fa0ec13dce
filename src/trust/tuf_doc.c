#include "trust/tuf_doc.h"

#include "base/mem.h"
#include "format/canon.h"
#include "format/hex.h"
#include "trust/sha.h"
#include "trust/tuf_time.h"

#include <inttypes.h>
#include <string.h>

void tuf_doc_free(struct tuf_doc *doc)
{
        if (!doc)
                return;
        json_close(doc->json);
        mem_free(doc);
}

static enum err read_head(enum tuf_role role, struct tuf_doc *doc, struct why *why)
{
        doc->body = json_get(doc->json, "signed");
        const char *type = json_text(json_get(doc->body, "_type")), *spec = json_text(json_get(doc->body, "spec_version"));
        const char *expires = json_text(json_get(doc->body, "expires"));
        int64_t version = json_int(json_get(doc->body, "version"), 0);
        if (!type || strcmp(type, tuf_role_name(role)) != 0)
                return FAIL(why, ERR_SYNTAX, "_type is not %s", tuf_role_name(role));
        if (!spec || strncmp(spec, "1.", 2) != 0)
                return FAIL(why, ERR_SYNTAX, "spec_version is not 1.x");
        if (version < 1)
                return FAIL(why, ERR_SYNTAX, "version is not a positive integer");
        if (!expires || !tuf_time_parse(expires, &doc->expires))
                return FAIL(why, ERR_SYNTAX, "expires is not a time as 2026-11-21T04:05:06Z");
        doc->version = (uint64_t)version;
        return OK;
}

enum err tuf_doc_open(enum tuf_role role, const struct buf *bytes, struct tuf_doc **ret_doc, struct why *why)
{
        OWN(tuf_doc) struct tuf_doc *doc = mem_new(1, sizeof(*doc));
        if (!doc)
                return FAIL(why, ERR_NOMEM, "no memory for %s", tuf_role_name(role));
        enum err e = json_parse(buf_text(bytes), bytes->length, LIMIT_METADATA_BYTES, &doc->json, why);
        if (!e)
                e = read_head(role, doc, why);
        if (e)
                return DURING(why, e, "%s", tuf_role_name(role));
        doc->length = bytes->length;
        sha256(buf_text(bytes), bytes->length, doc->sha256);
        *ret_doc = GIVE(doc);
        return OK;
}

/* Keys of kinds that we do not know are no error: they do not count. */
static bool read_key(const struct json *json, struct public_key *key)
{
        const char *type = json_text(json_get(json, "keytype")), *scheme = json_text(json_get(json, "scheme"));
        const char *public = json_text(json_get(json_get(json, "keyval"), "public"));
        return type && scheme && public && strcmp(type, "ed25519") == 0 && strcmp(scheme, "ed25519") == 0 &&
               hex_decode(public, key->bytes, sizeof(key->bytes), NULL) == OK;
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
        struct public_key good[LIMIT_SIGNATURES];
        size_t good_count;
};

static void count_one(struct count *count, const struct json *signature)
{
        const char *keyid = json_text(json_get(signature, "keyid")), *sig = json_text(json_get(signature, "sig"));
        struct public_key key;
        uint8_t bytes[64];
        if (!keyid || !sig || !has_text(count->keyids, keyid) || !read_key(json_get(count->keys, keyid), &key) || hex_decode(sig, bytes, sizeof(bytes), NULL))
                return;
        for (size_t i = 0; i < count->good_count; i++)
                if (key_equal(&count->good[i], &key))
                        return;
        if (key_verify(&key, buf_text(count->canonical), count->canonical->length, bytes))
                count->good[count->good_count++] = key;
}

enum err tuf_doc_verify(const struct tuf_doc *doc, const struct tuf_doc *root, enum tuf_role role, struct why *why)
{
        const struct json *of_role = json_get(json_get(root->body, "roles"), tuf_role_name(role)), *signatures = json_get(doc->json, "signatures");
        int64_t threshold = json_int(json_get(of_role, "threshold"), 0);
        OWN(buf) struct buf canonical;
        buf_init(&canonical, 4 * LIMIT_METADATA_BYTES);
        struct count count = { .canonical = &canonical, .keys = json_get(root->body, "keys"), .keyids = json_get(of_role, "keyids") };
        if (threshold < 1)
                return FAIL(why, ERR_UNTRUSTED, "the root's threshold for %s means nothing", tuf_role_name(role));
        if (json_count(signatures) > LIMIT_SIGNATURES || json_count(count.keyids) > LIMIT_KEYS)
                return FAIL(why, ERR_LIMIT, "%s: more than %d signatures or %d keys", tuf_role_name(role), LIMIT_SIGNATURES, LIMIT_KEYS);
        enum err e = canon_write(doc->body, &canonical, why);
        if (e)
                return e;
        for (size_t i = 0; i < json_count(signatures); i++)
                count_one(&count, json_at(signatures, i));
        if ((int64_t)count.good_count < threshold)
                return FAIL(why, ERR_UNTRUSTED, "%s version %" PRIu64 ": signed by %zu of its keys, and it takes %" PRId64, tuf_role_name(role), doc->version,
                            count.good_count, threshold);
        return OK;
}

enum err tuf_doc_hash(const struct json *of, uint8_t sha256[32], struct why *why)
{
        const char *hex = json_text(json_get(json_get(of, "hashes"), "sha256"));
        return hex && hex_decode(hex, sha256, 32, NULL) == OK ? OK : FAIL(why, ERR_SYNTAX, "hashes.sha256 is not 64 lower-case hex digits");
}

enum err tuf_doc_meta(const struct tuf_doc *doc, const char *name, struct tuf_meta *ret_meta, struct why *why)
{
        const struct json *meta = json_get(json_get(doc->body, "meta"), name), *length = json_get(meta, "length");
        int64_t version = json_int(json_get(meta, "version"), 0), bytes = json_int(length, 0);
        if (version < 1 || (length && (bytes < 1 || bytes > LIMIT_METADATA_BYTES)))
                return FAIL(why, ERR_SYNTAX, "meta of %s: needs a positive version, and a length of at most %d if any", name, LIMIT_METADATA_BYTES);
        *ret_meta = (struct tuf_meta){ .version = (uint64_t)version, .length = (uint64_t)bytes, .has_sha256 = json_get(meta, "hashes") };
        return ret_meta->has_sha256 ? tuf_doc_hash(meta, ret_meta->sha256, why) : OK;
}
