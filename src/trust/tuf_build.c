#include "trust/tuf_build.h"

#include "base/utc.h"
#include "format/canon.h"
#include "format/hex.h"
#include "format/json.h"
#include "trust/sha.h"
#include "trust/tuf_time.h"

#include <string.h>

/* Hand-written because it is short, fixed and canonical: names in order, no white space. */
void tuf_key_id(const struct public_key *key, char id[65])
{
        char hex[65], text[160];
        uint8_t digest[32];
        hex_encode(key->bytes, sizeof(key->bytes), hex);
        int length = snprintf(text, sizeof(text), "{\"keytype\":\"ed25519\",\"keyval\":{\"public\":\"%s\"},\"scheme\":\"ed25519\"}", hex);
        sha256(text, (size_t)length, digest);
        hex_encode(digest, sizeof(digest), id);
}

static struct json *signed_part(enum tuf_role role, const struct tuf_stamp *stamp)
{
        char expires[TUF_TIME_BYTES];
        struct json *json = json_new_object();
        utc_text_s(stamp->expires, expires);
        json_set_text(json, "_type", tuf_role_name(role));
        json_set_text(json, "expires", expires);
        json_set_text(json, "spec_version", "1.0.33");
        json_set_int(json, "version", (int64_t)stamp->version);
        return json;
}

static struct json *key_json(const struct public_key *key)
{
        char hex[65];
        struct json *json = json_new_object(), *value = json_new_object();
        hex_encode(key->bytes, sizeof(key->bytes), hex);
        json_set_text(json, "keytype", "ed25519");
        json_set_text(json, "scheme", "ed25519");
        json_set_text(value, "public", hex);
        json_set(json, "keyval", value);
        return json;
}

static enum err add_role(const struct tuf_root *root, enum tuf_role role, struct json *keys, struct json *roles, struct why *why)
{
        const struct tuf_role_keys *from = &root->roles[role];
        if (!from->threshold || from->threshold > from->count || from->count > LIMIT_KEYS)
                return FAIL(why, ERR_SYNTAX, "root: a threshold of %zu with %zu %s keys", from->threshold, from->count, tuf_role_name(role));
        struct json *ids = json_new_array(), *json = json_new_object();
        for (size_t i = 0; i < from->count; i++) {
                char id[65];
                tuf_key_id(&from->keys[i], id);
                json_add(ids, json_new_text(id));
                json_set(keys, id, key_json(&from->keys[i]));
        }
        json_set(json, "keyids", ids);
        json_set_int(json, "threshold", (int64_t)from->threshold);
        json_set(roles, tuf_role_name(role), json);
        return OK;
}

enum err tuf_root_write(const struct tuf_root *root, struct buf *into, struct why *why)
{
        OWN(json) struct json *json = signed_part(TUF_ROOT, &root->stamp);
        struct json *keys = json_new_object(), *roles = json_new_object();
        enum err e = OK;
        for (enum tuf_role role = TUF_ROOT; !e && role < TUF_ROLES; role++)
                e = add_role(root, role, keys, roles, why);
        json_set_bool(json, "consistent_snapshot", true);
        json_set(json, "keys", keys);
        json_set(json, "roles", roles);
        return e ? e : canon_write(json, into, why);
}

static struct json *target_json(const struct tuf_target *target)
{
        char hex[65];
        struct json *json = json_new_object(), *hashes = json_new_object();
        hex_encode(target->sha256, sizeof(target->sha256), hex);
        json_set_text(hashes, "sha256", hex);
        json_set(json, "hashes", hashes);
        json_set_int(json, "length", (int64_t)target->length);
        if (target->custom)
                json_set(json, "custom", json_copy(target->custom));
        return json;
}

enum err tuf_targets_write(const struct tuf_stamp *stamp, const struct tuf_change *change, struct buf *into, struct why *why)
{
        OWN(json) struct json *before = NULL, *json = signed_part(TUF_TARGETS, stamp);
        const struct json *old = NULL;
        if (change->before && change->before->length) {
                enum err e = json_parse(change->before->bytes, change->before->length, LIMIT_METADATA_BYTES, &before, why);
                if (e)
                        return DURING(why, e, "the targets before");
                old = json_get(json_get(before, "signed"), "targets");
                if (!old || json_type(old) != JSON_OBJECT)
                        return FAIL(why, ERR_SYNTAX, "the targets before: not TUF targets");
        }
        struct json *targets = old ? json_copy(old) : json_new_object();
        if (change->add)
                json_set(targets, change->add->path, target_json(change->add));
        json_set(json, "targets", targets);
        return canon_write(json, into, why);
}

static void set_bytes(struct json *file, const struct buf *bytes)
{
        char hex[65];
        uint8_t digest[32];
        struct json *hashes = json_new_object();
        sha256(buf_text(bytes), bytes->length, digest);
        hex_encode(digest, sizeof(digest), hex);
        json_set_text(hashes, "sha256", hex);
        json_set(file, "hashes", hashes);
        json_set_int(file, "length", (int64_t)bytes->length);
}

static struct json *meta_json(const struct tuf_of *of, const char *name)
{
        struct json *meta = json_new_object(), *file = json_new_object();
        if (of->file)
                set_bytes(file, of->file);
        json_set_int(file, "version", (int64_t)of->version);
        json_set(meta, name, file);
        return meta;
}

enum err tuf_snapshot_write(const struct tuf_stamp *stamp, const struct tuf_of *targets, struct buf *into, struct why *why)
{
        OWN(json) struct json *json = signed_part(TUF_SNAPSHOT, stamp);
        json_set(json, "meta", meta_json(targets, "targets.json"));
        return canon_write(json, into, why);
}

enum err tuf_timestamp_write(const struct tuf_stamp *stamp, const struct tuf_of *snapshot, struct buf *into, struct why *why)
{
        OWN(json) struct json *json = signed_part(TUF_TIMESTAMP, stamp);
        json_set(json, "meta", meta_json(snapshot, "snapshot.json"));
        return canon_write(json, into, why);
}

/* Around the signed bytes as they are, so that nothing is parsed and written again between signing and sending. */
enum err tuf_file_write(const struct buf *to_sign, const struct tuf_signature *signatures, size_t count, struct buf *into, struct why *why)
{
        buf_add_text(into, "{\"signatures\":[");
        for (size_t i = 0; i < count; i++) {
                char id[65], hex[129];
                tuf_key_id(&signatures[i].key, id);
                hex_encode(signatures[i].signature, sizeof(signatures[i].signature), hex);
                buf_addf(into, "%s{\"keyid\":\"%s\",\"sig\":\"%s\"}", i ? "," : "", id, hex);
        }
        buf_add_text(into, "],\"signed\":");
        buf_add(into, buf_text(to_sign), to_sign->length);
        buf_add_text(into, "}");
        return buf_check(into, why);
}

enum err tuf_file_sign(const struct buf *to_sign, const struct secret_key *keys, size_t count, struct buf *into, struct why *why)
{
        struct tuf_signature signatures[LIMIT_KEYS];
        if (count > LIMIT_KEYS)
                return FAIL(why, ERR_LIMIT, "at most %d keys sign one file", LIMIT_KEYS);
        for (size_t i = 0; i < count; i++) {
                signatures[i].key = keys[i].public;
                key_sign(&keys[i], buf_text(to_sign), to_sign->length, signatures[i].signature);
        }
        return tuf_file_write(to_sign, signatures, count, into, why);
}
