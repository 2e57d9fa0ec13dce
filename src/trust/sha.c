/* OpenSSL's older calls: the newer ones allocate a context, so that a digest could fail. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "trust/sha.h"

#include <openssl/sha.h>

_Static_assert(sizeof(SHA256_CTX) <= sizeof(struct sha256), "struct sha256 holds OpenSSL's state");
_Static_assert(sizeof(SHA512_CTX) <= sizeof(struct sha512), "struct sha512 holds OpenSSL's state");

void sha256_init(struct sha256 *sha)
{
        SHA256_Init((SHA256_CTX *)sha->opaque);
}

void sha256_update(struct sha256 *sha, const void *bytes, size_t length)
{
        if (length)
                SHA256_Update((SHA256_CTX *)sha->opaque, bytes, length);
}

void sha256_final(struct sha256 *sha, uint8_t digest[32])
{
        SHA256_Final(digest, (SHA256_CTX *)sha->opaque);
}

void sha256(const void *bytes, size_t length, uint8_t digest[32])
{
        struct sha256 sha;
        sha256_init(&sha);
        sha256_update(&sha, bytes, length);
        sha256_final(&sha, digest);
}

void sha512_init(struct sha512 *sha)
{
        SHA512_Init((SHA512_CTX *)sha->opaque);
}

void sha512_update(struct sha512 *sha, const void *bytes, size_t length)
{
        if (length)
                SHA512_Update((SHA512_CTX *)sha->opaque, bytes, length);
}

void sha512_final(struct sha512 *sha, uint8_t digest[64])
{
        SHA512_Final(digest, (SHA512_CTX *)sha->opaque);
}
