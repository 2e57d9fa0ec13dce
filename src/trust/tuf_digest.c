#include "trust/tuf_digest.h"

#include <string.h>

void tuf_digester_init(struct tuf_digester *digester)
{
        sha256_init(&digester->sha256);
        sha512_init(&digester->sha512);
}

void tuf_digester_update(struct tuf_digester *digester, const void *bytes, size_t length)
{
        sha256_update(&digester->sha256, bytes, length);
        sha512_update(&digester->sha512, bytes, length);
}

void tuf_digester_final(struct tuf_digester *digester, struct tuf_digest *ret_digest)
{
        ret_digest->has_sha256 = ret_digest->has_sha512 = true;
        sha256_final(&digester->sha256, ret_digest->sha256);
        sha512_final(&digester->sha512, ret_digest->sha512);
}

void tuf_digest_of(const void *bytes, size_t length, struct tuf_digest *ret_digest)
{
        struct tuf_digester digester;
        tuf_digester_init(&digester);
        tuf_digester_update(&digester, bytes, length);
        tuf_digester_final(&digester, ret_digest);
}

bool tuf_digest_fits(const struct tuf_digest *wanted, const struct tuf_digest *is)
{
        return (!wanted->has_sha256 || (is->has_sha256 && memcmp(wanted->sha256, is->sha256, sizeof(is->sha256)) == 0)) &&
               (!wanted->has_sha512 || (is->has_sha512 && memcmp(wanted->sha512, is->sha512, sizeof(is->sha512)) == 0));
}
