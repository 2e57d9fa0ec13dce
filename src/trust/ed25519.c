#include "trust/ed25519.h"

#include <sodium.h>

bool ed25519_verify(const uint8_t key[32], const void *bytes, size_t length, const uint8_t signature[64])
{
        return crypto_sign_verify_detached(signature, bytes, length, key) == 0;
}
