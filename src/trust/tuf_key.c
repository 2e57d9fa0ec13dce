#include "trust/tuf_key.h"

#include "format/hex.h"
#include "format/json.h"
#include "trust/ed25519.h"
#include "trust/sha.h"
#include "trust/tuf_key_known.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

enum { SIGNATURE_MAX = TUF_RSA_BITS_MAX / 8, PEM_MAX = 4096, GROUP_MAX = 32 };

OWN_DEFINE(evp_pkey, EVP_PKEY *, EVP_PKEY_free)
OWN_DEFINE(bio, BIO *, BIO_free_all)
OWN_DEFINE(bignum, BIGNUM *, BN_free)
OWN_DEFINE(md_ctx, EVP_MD_CTX *, EVP_MD_CTX_free)

/* The two schemes' other name is what older repositories wrote. */
static const struct { const char *type, *scheme; enum tuf_key_kind kind; } known[] = {
        { "ed25519", "ed25519", TUF_KEY_ED25519 },
        { "ecdsa", "ecdsa-sha2-nistp256", TUF_KEY_ECDSA },
        { "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", TUF_KEY_ECDSA },
        { "rsa", "rsassa-pss-sha256", TUF_KEY_RSA },
};

static enum tuf_key_kind kind_of(const struct json *json)
{
        const char *type = json_text(json_get(json, "keytype")), *scheme = json_text(json_get(json, "scheme"));
        for (size_t i = 0; type && scheme && i < sizeof(known) / sizeof(known[0]); i++)
                if (strcmp(type, known[i].type) == 0 && strcmp(scheme, known[i].scheme) == 0)
                        return known[i].kind;
        return TUF_KEY_UNKNOWN;
}

/* From now on also written in one way only: a point has two forms, and a curve may be spelt out. */
static bool is_p256(EVP_PKEY *pkey)
{
        char group[GROUP_MAX];
        size_t length;
        return EVP_PKEY_is_a(pkey, "EC") && EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group), &length) &&
               strcmp(group, "prime256v1") == 0 && EVP_PKEY_set_utf8_string_param(pkey, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "uncompressed") &&
               EVP_PKEY_set_utf8_string_param(pkey, OSSL_PKEY_PARAM_EC_ENCODING, OSSL_PKEY_EC_ENCODING_GROUP);
}

/* With an exponent of 1 anybody can sign. */
static bool is_rsa(EVP_PKEY *pkey)
{
        int bits = EVP_PKEY_get_bits(pkey);
        BIGNUM *exponent = NULL;
        if (!EVP_PKEY_is_a(pkey, "RSA") || bits < TUF_RSA_BITS_MIN || bits > TUF_RSA_BITS_MAX || !EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &exponent))
                return false;
        OWN(bignum) BIGNUM *e = exponent;
        return BN_is_odd(e) && !BN_is_one(e);
}

static void make_print(enum tuf_key_kind kind, const void *bytes, size_t length, uint8_t print[32])
{
        struct sha256 sha;
        const uint8_t first = (uint8_t)kind;
        sha256_init(&sha);
        sha256_update(&sha, &first, 1);
        sha256_update(&sha, bytes, length);
        sha256_final(&sha, print);
}

/* Or OpenSSL would ask whoever sits at the terminal. */
static int no_passphrase(char *into, int bytes, int is_writing, void *user)
{
        (void)into, (void)bytes, (void)is_writing, (void)user;
        return -1;
}

/* From what it means and not from how it was written: a PEM with other line ends is the same key. */
static enum err read_pem(const char *text, struct tuf_key *key)
{
        size_t length = strnlen(text, PEM_MAX);
        if (length == PEM_MAX)
                return ERR_SYNTAX;
        OWN(bio) BIO *bio = BIO_new_mem_buf(text, (int)length);
        if (!bio)
                return ERR_NOMEM;
        OWN(evp_pkey) EVP_PKEY *pkey = PEM_read_bio_PUBKEY(bio, NULL, no_passphrase, NULL);
        unsigned char *der = NULL;
        if (!pkey || !(key->kind == TUF_KEY_ECDSA ? is_p256(pkey) : is_rsa(pkey)))
                return ERR_SYNTAX;
        int der_length = i2d_PUBKEY(pkey, &der);
        if (der_length <= 0)
                return ERR_NOMEM;                /* a key that could be read can be written */
        make_print(key->kind, der, (size_t)der_length, key->print);
        OPENSSL_free(der);
        key->pem = GIVE(pkey);
        return OK;
}

/* The salt may have any length: writers differ, and it makes no forgery easier. */
static bool set_padding(EVP_PKEY_CTX *ctx)
{
        return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 && EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()) > 0 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_AUTO) > 0;
}

static enum err verify_pem(const struct tuf_key *key, const void *bytes, size_t length, const uint8_t *signature, size_t signature_length)
{
        OWN(md_ctx) EVP_MD_CTX *md = EVP_MD_CTX_new();
        EVP_PKEY_CTX *ctx = NULL;                /* md's */
        if (!md || EVP_DigestVerifyInit(md, &ctx, EVP_sha256(), NULL, key->pem) <= 0 || (key->kind == TUF_KEY_RSA && !set_padding(ctx)))
                return ERR_NOMEM;                /* nothing of the signature was looked at */
        return EVP_DigestVerify(md, signature, signature_length, bytes, length) == 1 ? OK : ERR_UNTRUSTED;
}

/* When memory is short, OpenSSL often says no more than that something is no key, or no signature of it (3.0: each place in turn was tried), and what it
 * could not set up once it may never set up. So its no counts only when it says it twice, and can still tell a key and a signature that fit. */
static enum err doubt(enum tuf_key_kind kind, enum err said)
{
        const bool is_rsa = kind == TUF_KEY_RSA;
        OWN(tuf_key) struct tuf_key key = { .kind = kind };
        uint8_t raw[SIGNATURE_MAX];
        const char *signature = is_rsa ? known_rsa_signature : known_ecdsa_signature;
        const size_t bytes = strlen(signature) / 2;
        bool can_tell = hex_decode(signature, raw, bytes, NULL) == OK && read_pem(is_rsa ? known_rsa : known_ecdsa, &key) == OK &&
                        verify_pem(&key, known_text, strlen(known_text), raw, bytes) == OK;
        return can_tell ? said : ERR_NOMEM;
}

static enum err read_pem_surely(const char *text, struct tuf_key *key)
{
        enum err e = read_pem(text, key);
        if (e)
                e = read_pem(text, key);
        e = e ? doubt(key->kind, e) : OK;
        ERR_clear_error();
        return e;
}

static enum err verify_pem_surely(const struct tuf_key *key, const void *bytes, size_t length, const uint8_t *signature, size_t signature_length)
{
        enum err e = verify_pem(key, bytes, length, signature, signature_length);
        if (e)
                e = verify_pem(key, bytes, length, signature, signature_length);
        e = e ? doubt(key->kind, e) : OK;
        ERR_clear_error();               /* what OpenSSL noted for whoever asks it later */
        return e;
}

enum err tuf_key_read(const struct json *json, struct tuf_key *ret_key)
{
        struct tuf_key key = { .kind = kind_of(json) };
        const char *public = json_text(json_get(json_get(json, "keyval"), "public"));
        if (key.kind == TUF_KEY_UNKNOWN || !public)
                return ERR_SYNTAX;
        enum err e = OK;
        if (key.kind != TUF_KEY_ED25519)
                e = read_pem_surely(public, &key);
        else if (hex_decode(public, key.ed25519, sizeof(key.ed25519), NULL))
                e = ERR_SYNTAX;
        else
                make_print(key.kind, key.ed25519, sizeof(key.ed25519), key.print);
        if (!e)
                *ret_key = key;
        return e;
}

void tuf_key_done(struct tuf_key *key)
{
        EVP_PKEY_free(key->pem);
        key->pem = NULL;
}

enum err tuf_key_verify(const struct tuf_key *key, const void *bytes, size_t length, const char *signature)
{
        uint8_t raw[SIGNATURE_MAX];
        size_t digits = strnlen(signature, 2 * SIGNATURE_MAX + 1);
        if (digits % 2 || digits > 2 * SIGNATURE_MAX || hex_decode(signature, raw, digits / 2, NULL))
                return ERR_UNTRUSTED;
        if (key->kind != TUF_KEY_ED25519)
                return verify_pem_surely(key, bytes, length, raw, digits / 2);
        return digits == 2 * 64 && ed25519_verify(key->ed25519, bytes, length, raw) ? OK : ERR_UNTRUSTED;
}
