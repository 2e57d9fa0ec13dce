/* SHA-256 of an artifact of 1 MB and of a small body: trust/sha.h (OpenSSL's older calls) against OpenSSL's newer ones and libsodium's. */
#include "bench/measure.h"
#include "trust/sha.h"

#include <openssl/evp.h>
#include <sodium.h>
#include <string.h>

enum { LARGE = 1 << 20, SMALL = 64 };
static uint8_t bytes[LARGE];

struct piece { size_t length; uint8_t digest[32]; };

static bool ours(void *user)
{
        struct piece *piece = user;
        sha256(bytes, piece->length, piece->digest);
        return true;
}

static bool openssl(void *user)
{
        struct piece *piece = user;
        unsigned length = 0;
        return EVP_Digest(bytes, piece->length, piece->digest, &length, EVP_sha256(), NULL) == 1;
}

static bool libsodium(void *user)
{
        struct piece *piece = user;
        return crypto_hash_sha256(piece->digest, bytes, piece->length) == 0;
}

int main(int argc, char **argv)
{
        static struct piece large = { .length = LARGE }, small = { .length = SMALL };
        static const struct measure_case cases[] = {
                { "large_sodium", NULL, libsodium, NULL, &large, 1 },        { "large_ours", "large_sodium", ours, NULL, &large, 1 },
                { "large_openssl_evp", "large_sodium", openssl, NULL, &large, 1 }, { "small_sodium", NULL, libsodium, NULL, &small, 1 },
                { "small_ours", "small_sodium", ours, NULL, &small, 1 },     { "small_openssl_evp", "small_sodium", openssl, NULL, &small, 1 },
        };
        for (size_t i = 0; i < sizeof(bytes); i++)
                bytes[i] = (uint8_t)(i * 131 >> 3);
        return measure_run(&(struct measure){ "sha", cases, sizeof(cases) / sizeof(cases[0]), measure_is_smoke(argc, argv) });
}
