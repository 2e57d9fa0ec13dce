/* sha.h - SHA-256, by which files and releases are named, and SHA-512, which TUF metadata may name beside it. Need no memory and cannot fail. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { SHA256_BYTES = 32, SHA512_BYTES = 64 };

struct sha256 { uint64_t opaque[16]; };          /* the caller's own storage */

void sha256_init(struct sha256 *sha);
void sha256_update(struct sha256 *sha, const void *bytes, size_t length);
void sha256_final(struct sha256 *sha, uint8_t digest[32]);

void sha256(const void *bytes, size_t length, uint8_t digest[32]);

struct sha512 { uint64_t opaque[28]; };

void sha512_init(struct sha512 *sha);
void sha512_update(struct sha512 *sha, const void *bytes, size_t length);
void sha512_final(struct sha512 *sha, uint8_t digest[64]);
