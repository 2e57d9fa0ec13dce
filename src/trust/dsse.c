#include "trust/dsse.h"

#include "format/hex.h"
#include "format/json.h"

#include <string.h>

/* Pre-authentication encoding: what is signed. */
static void add_pae(const struct buf *payload, struct buf *into)
{
        buf_addf(into, "DSSEv1 %zu %s %zu ", strlen(DSSE_IN_TOTO), DSSE_IN_TOTO, payload->length);
        buf_add(into, buf_text(payload), payload->length);
}

static void add_base64(const void *bytes, size_t length, const char *key, struct json *into)
{
        OWN(buf) struct buf text;
        buf_init(&text, 2 * DSSE_BYTES_MAX);
        base64_encode(bytes, length, &text);
        json_set(into, key, text.failed ? NULL : json_new_text(buf_text(&text)));
}

enum err dsse_sign(const struct buf *payload, const struct vkey *vkey, const struct secret_key *key, struct buf *into, struct why *why)
{
        OWN(buf) struct buf pae;
        OWN(json) struct json *envelope = json_new_object();
        struct json *signatures = json_new_array(), *one = json_new_object();
        uint8_t signature[64];
        char id[9];
        buf_init(&pae, DSSE_BYTES_MAX);
        add_pae(payload, &pae);
        key_sign(key, buf_text(&pae), pae.length, signature);
        vkey_id_text(vkey, id);
        add_base64(buf_text(payload), payload->length, "payload", envelope);
        json_set_text(envelope, "payloadType", DSSE_IN_TOTO);
        json_set_text(one, "keyid", id);
        add_base64(signature, sizeof(signature), "sig", one);
        json_add(signatures, one);
        json_set(envelope, "signatures", signatures);
        enum err e = buf_check(&pae, why);
        return e ? e : json_write(envelope, 0, into, why);
}

struct envelope_fields { const char *payload, *type; const struct json *signatures; };
static const struct json_field envelope_fields[] = {
        { "payload", JSON_TEXT, true, offsetof(struct envelope_fields, payload), 0, DSSE_BYTES_MAX },
        { "payloadType", JSON_TEXT, true, offsetof(struct envelope_fields, type), 1, 256 },
        { "signatures", JSON_ARRAY, true, offsetof(struct envelope_fields, signatures), 1, LIMIT_SIGNATURES },
};

struct signature_fields { const char *keyid, *sig; };
static const struct json_field signature_fields[] = {
        { "keyid", JSON_TEXT, true, offsetof(struct signature_fields, keyid), 1, 128 },
        { "sig", JSON_TEXT, true, offsetof(struct signature_fields, sig), 1, 128 },
};

static const struct vkey *find_key(const struct dsse_keys *keys, const char *keyid)
{
        for (size_t i = 0; i < keys->count; i++) {
                char id[9];
                vkey_id_text(&keys->keys[i], id);
                if (strcmp(id, keyid) == 0)
                        return &keys->keys[i];
        }
        return NULL;
}

static enum err check_one(const struct json *json, const struct dsse_keys *keys, const struct buf *pae, const struct vkey **signer, struct why *why)
{
        struct signature_fields fields = { 0 };
        uint8_t signature[64];
        size_t length = 0;
        enum err e = JSON_READ(json, signature_fields, &fields, why);
        if (e)
                return e;
        const struct vkey *vkey = find_key(keys, fields.keyid);
        if (!vkey)
                return OK;
        e = base64_decode(fields.sig, strlen(fields.sig), signature, sizeof(signature), &length, why);
        if (e || length != sizeof(signature) || !key_verify(&vkey->key, buf_text(pae), pae->length, signature))
                return FAIL(why, ERR_UNTRUSTED, "the signature of %s does not fit", vkey->name);
        *signer = vkey;
        return OK;
}

static enum err check_signatures(const struct json *signatures, const struct dsse_keys *keys, const struct buf *payload, const struct vkey **ret_signer, struct why *why)
{
        OWN(buf) struct buf pae;
        const struct vkey *signer = NULL;
        buf_init(&pae, 2 * DSSE_BYTES_MAX);
        add_pae(payload, &pae);
        enum err e = buf_check(&pae, why);
        for (size_t i = 0; !e && i < json_count(signatures); i++)
                e = check_one(json_at(signatures, i), keys, &pae, &signer, why);
        if (e)
                return e;
        if (!signer)
                return FAIL(why, ERR_UNTRUSTED, "none of the trusted keys signed it");
        *ret_signer = signer;
        return OK;
}

static enum err decode(const char *base64, struct buf *into, struct why *why)
{
        size_t length = 0, text_length = strlen(base64);
        OWN(buf) struct buf room;
        buf_init(&room, DSSE_BYTES_MAX);
        buf_add_text(&room, base64);                     /* what is decoded is shorter, and fits where the text is */
        enum err e = buf_check(&room, why);
        if (!e && text_length)
                e = base64_decode(base64, text_length, room.bytes, room.length, &length, why);
        if (e)
                return e;
        buf_add(into, buf_text(&room), length);
        return buf_check(into, why);
}

enum err dsse_open(const struct buf *envelope, const struct dsse_keys *keys, struct buf *payload, const struct vkey **ret_signer, struct why *why)
{
        OWN(json) struct json *json = NULL;
        OWN(buf) struct buf decoded;
        struct envelope_fields fields = { 0 };
        const struct vkey *signer = NULL;
        buf_init(&decoded, DSSE_BYTES_MAX);
        enum err e = json_parse(buf_text(envelope), envelope->length, DSSE_BYTES_MAX, &json, why);
        if (!e)
                e = JSON_READ(json, envelope_fields, &fields, why);
        if (!e && strcmp(fields.type, DSSE_IN_TOTO) != 0)
                e = FAIL(why, ERR_SYNTAX, "payloadType: not " DSSE_IN_TOTO);
        if (!e)
                e = decode(fields.payload, &decoded, why);
        if (!e)
                e = check_signatures(fields.signatures, keys, &decoded, &signer, why);
        if (e)
                return DURING(why, e, "envelope");
        buf_add(payload, buf_text(&decoded), decoded.length);
        e = buf_check(payload, why);
        if (!e)
                *ret_signer = signer;
        return e;
}
