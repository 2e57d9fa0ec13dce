/* tuf_digest.h - what the bytes of a file are known by in TUF metadata: SHA-256, SHA-512 or both. */
#pragma once

#include "trust/sha.h"

#include <stdbool.h>

struct tuf_digest { bool has_sha256, has_sha512; uint8_t sha256[32], sha512[64]; };

/* Both. */
void tuf_digest_of(const void *bytes, size_t length, struct tuf_digest *ret_digest);
/* All that is wanted is there and the same. Nothing wanted: anything fits. */
bool tuf_digest_fits(const struct tuf_digest *wanted, const struct tuf_digest *is);

/* The same piece by piece. */
struct tuf_digester { struct sha256 sha256; struct sha512 sha512; };
void tuf_digester_init(struct tuf_digester *digester);
void tuf_digester_update(struct tuf_digester *digester, const void *bytes, size_t length);
void tuf_digester_final(struct tuf_digester *digester, struct tuf_digest *ret_digest);
