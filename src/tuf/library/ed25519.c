#include "trust/ed25519.h"

#include "base/own.h"

#include <openssl/evp.h>

OWN_DEFINE(ed25519_key, EVP_PKEY *, EVP_PKEY_free)
OWN_DEFINE(ed25519_ctx, EVP_MD_CTX *, EVP_MD_CTX_free)

bool ed25519_verify(const uint8_t key[32], const void *bytes, size_t length, const uint8_t signature[64])
{
        OWN(ed25519_key) EVP_PKEY *public = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, 32);
        OWN(ed25519_ctx) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        return public && ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, public) > 0 && EVP_DigestVerify(ctx, signature, 64, bytes, length) == 1;
}
