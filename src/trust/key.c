#include "trust/key.h"

#include "format/hex.h"
#include "trust/ed25519.h"
#include "trust/sha.h"
#include "trust/word.h"

#include <sodium.h>
#include <string.h>

void secret_key_make(const uint8_t random[32], struct secret_key *key)
{
        uint8_t both[crypto_sign_SECRETKEYBYTES];
        memcpy(key->seed, random, sizeof(key->seed));
        crypto_sign_seed_keypair(key->public.bytes, both, key->seed);
        sodium_memzero(both, sizeof(both));
}

void secret_key_done(struct secret_key *key)
{
        sodium_memzero(key, sizeof(*key));
}

void key_sign(const struct secret_key *key, const void *bytes, size_t length, uint8_t signature[64])
{
        uint8_t both[crypto_sign_SECRETKEYBYTES];       /* libsodium's form: seed, then public key */
        memcpy(both, key->seed, 32);
        memcpy(both + 32, key->public.bytes, 32);
        crypto_sign_detached(signature, NULL, bytes, length, both);
        sodium_memzero(both, sizeof(both));
}

bool key_verify(const struct public_key *key, const void *bytes, size_t length, const uint8_t signature[64])
{
        return ed25519_verify(key->bytes, bytes, length, signature);
}

bool key_equal(const struct public_key *a, const struct public_key *b)
{
        return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

void key_id(const struct public_key *key, const char *name, uint8_t type, uint8_t id[4])
{
        uint8_t digest[32];
        struct sha256 sha;
        sha256_init(&sha);
        sha256_update(&sha, name, strlen(name));
        sha256_update(&sha, (const uint8_t[]){ '\n', type }, 2);
        sha256_update(&sha, key->bytes, 32);
        sha256_final(&sha, digest);
        memcpy(id, digest, 4);
}

void key_text(const struct public_key *key, const char *name, uint8_t type, char *text)
{
        char hex[9], base64[sodium_base64_ENCODED_LEN(33, sodium_base64_VARIANT_ORIGINAL)];
        uint8_t id[4], bytes[33] = { type };
        memcpy(bytes + 1, key->bytes, 32);
        key_id(key, name, type, id);
        hex_encode(id, sizeof(id), hex);
        sodium_bin2base64(base64, sizeof(base64), bytes, sizeof(bytes), sodium_base64_VARIANT_ORIGINAL);
        snprintf(text, strlen(name) + KEY_TEXT_MORE, "%s+%s+%s", name, hex, base64);
}

enum err vkey_make(const char *name, const struct public_key *key, struct vkey *ret_vkey, struct why *why)
{
        if (!word_is_name(name) || strchr(name, '+'))
                return FAIL(why, ERR_SYNTAX, "a key's name is 1 to 64 of letters, digits, . _ and -, beginning with a letter or digit");
        *ret_vkey = (struct vkey){ .key = *key };
        memcpy(ret_vkey->name, name, strlen(name));
        return OK;
}

void vkey_id(const struct vkey *vkey, uint8_t id[4])
{
        key_id(&vkey->key, vkey->name, 1, id);
}

void vkey_id_text(const struct vkey *vkey, char text[9])
{
        uint8_t id[4];
        vkey_id(vkey, id);
        hex_encode(id, sizeof(id), text);
}

void vkey_text(const struct vkey *vkey, char text[VKEY_TEXT_MAX])
{
        key_text(&vkey->key, vkey->name, 1, text);
}

enum err vkey_parse(const char *text, struct vkey *ret_vkey, struct why *why)
{
        struct vkey vkey = { 0 };
        char name[LIMIT_NAME_BYTES + 1] = "", id[9];
        uint8_t key[33];
        size_t name_length = strcspn(text, "+"), length = 0;
        if (name_length > LIMIT_NAME_BYTES || strlen(text + name_length) < 10 || text[name_length + 9] != '+')
                return FAIL(why, ERR_SYNTAX, "not a public key NAME+HEX+BASE64");
        memcpy(name, text, name_length);
        enum err e = base64_decode(text + name_length + 10, strlen(text + name_length + 10), key, sizeof(key), &length, why);
        if (e || length != sizeof(key) || key[0] != 1)
                return FAIL(why, ERR_SYNTAX, "public key %s: not an Ed25519 key in base64", name);
        struct public_key public;
        memcpy(public.bytes, key + 1, sizeof(public.bytes));
        e = vkey_make(name, &public, &vkey, why);
        if (e)
                return e;
        vkey_id_text(&vkey, id);
        if (memcmp(id, text + name_length + 1, 8) != 0)
                return FAIL(why, ERR_SYNTAX, "public key %s: the id is not that of the key; copy the whole line again", name);
        *ret_vkey = vkey;
        return OK;
}
