/* ed25519.h - is this signature (RFC 8032) the key's? libsodium's word in the product (docs/decisions/005-libraries.md), OpenSSL's in the library
 * that others take (src/tuf/library/): one of the two is linked, tests hold them against each other. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool ed25519_verify(const uint8_t key[32], const void *bytes, size_t length, const uint8_t signature[64]);
