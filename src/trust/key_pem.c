/* Keys as PKCS#8 files: OpenSSL's part of key.h. */
#include "trust/key.h"

#include "base/text.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <string.h>

enum { SCRYPT_N = 1 << 14, SCRYPT_R = 8, SCRYPT_P = 1 };      /* 16 MiB and 50 ms: OpenSSL reads up to 32 MiB by default */

OWN_DEFINE(evp_key, EVP_PKEY *, EVP_PKEY_free)
OWN_DEFINE(bio, BIO *, BIO_free_all)
OWN_DEFINE(plain, PKCS8_PRIV_KEY_INFO *, PKCS8_PRIV_KEY_INFO_free)
OWN_DEFINE(sealed, X509_SIG *, X509_SIG_free)
OWN_DEFINE(algorithm, X509_ALGOR *, X509_ALGOR_free)

static bool is_given(const char *passphrase)
{
        return passphrase && passphrase[0];
}

/* The plain form wiped by OpenSSL; NULL when out of memory. */
static X509_SIG *seal(PKCS8_PRIV_KEY_INFO *plain, const struct key_lock *lock)
{
        uint8_t salt[16], iv[16];
        memcpy(salt, lock->random, 16);
        memcpy(iv, lock->random + 16, 16);
        OWN(algorithm) X509_ALGOR *how = PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), salt, sizeof(salt), iv, SCRYPT_N, SCRYPT_R, SCRYPT_P);
        X509_SIG *sealed = how ? PKCS8_set0_pbe(lock->passphrase, (int)strlen(lock->passphrase), plain, how) : NULL;
        if (sealed)
                (void)GIVE(how);                         /* is part of it now */
        return sealed;
}

static bool write_pem(BIO *bio, PKCS8_PRIV_KEY_INFO *plain, const struct key_lock *lock)
{
        if (!lock || !is_given(lock->passphrase))
                return PEM_write_bio_PKCS8_PRIV_KEY_INFO(bio, plain) == 1;
        OWN(sealed) X509_SIG *sealed = seal(plain, lock);
        return sealed && PEM_write_bio_PKCS8(bio, sealed) == 1;
}

enum err key_pem_write(const struct secret_key *key, const struct key_lock *lock, struct buf *into, struct why *why)
{
        OWN(evp_key) EVP_PKEY *evp = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, key->seed, sizeof(key->seed));
        OWN(plain) PKCS8_PRIV_KEY_INFO *plain = evp ? EVP_PKEY2PKCS8(evp) : NULL;
        OWN(bio) BIO *bio = BIO_new(BIO_s_secmem());
        if (!plain || !bio || !write_pem(bio, plain, lock))
                return FAIL(why, ERR_NOMEM, "no memory to write a key");
        char *pem = NULL;
        long length = BIO_get_mem_data(bio, &pem);
        buf_add(into, pem, (size_t)length);
        return buf_check(into, why);
}

/* Never asks at the terminal: that is the caller's. */
static int give_passphrase(char *into, int size, int is_writing, void *user)
{
        (void)is_writing;
        const char *passphrase = user;
        size_t length = is_given(passphrase) ? strlen(passphrase) : 0;
        if (!length || length > (size_t)size)
                return -1;
        memcpy(into, passphrase, length);
        return (int)length;
}

static bool is_sealed(const struct buf *pem)
{
        static const char mark[] = "-----BEGIN ENCRYPTED PRIVATE KEY-----";
        return text_has(buf_text(pem), pem->length, mark);
}

enum err key_pem_read(const struct buf *pem, const char *passphrase, struct secret_key *ret_key, struct why *why)
{
        if (pem->length > KEY_PEM_MAX)
                return FAIL(why, ERR_LIMIT, "a key file has at most %d bytes", KEY_PEM_MAX);
        if (is_sealed(pem) && !is_given(passphrase))
                return FAIL(why, ERR_UNAUTHORIZED, "the key is encrypted; give its passphrase");
        OWN(bio) BIO *bio = BIO_new_mem_buf(buf_text(pem), (int)pem->length);
        if (!bio)
                return FAIL(why, ERR_NOMEM, "no memory to read a key");
        OWN(evp_key) EVP_PKEY *evp = PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, (void *)passphrase);
        if (!evp && is_sealed(pem))
                return FAIL(why, ERR_UNAUTHORIZED, "the passphrase does not open this key");
        uint8_t seed[32];
        size_t length = sizeof(seed);
        if (!evp || EVP_PKEY_get_base_id(evp) != EVP_PKEY_ED25519 || EVP_PKEY_get_raw_private_key(evp, seed, &length) != 1)
                return FAIL(why, ERR_SYNTAX, "not an Ed25519 private key in PKCS#8 PEM");
        secret_key_make(seed, ret_key);
        OPENSSL_cleanse(seed, sizeof(seed));
        return OK;
}
