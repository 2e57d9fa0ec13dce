/* tuf_key.h - a public key as TUF metadata names it: Ed25519, ECDSA on P-256 or RSA-PSS, the latter two with SHA-256.
 *
 * Ed25519 keys are 64 hex digits, the others PEM (SubjectPublicKeyInfo; of RSA, PKCS#1 too). A signature is hex: 64 bytes of Ed25519, DER of ECDSA,
 * as long as the modulus of RSA. Nothing here tells why a signature does not fit: it does not count. But whether there was no memory to
 * find out it does tell: what was signed must not pass for unsigned, or an older file could take its place. */
#pragma once

#include "base/err.h"
#include "base/own.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json;

enum tuf_key_kind { TUF_KEY_UNKNOWN, TUF_KEY_ED25519, TUF_KEY_ECDSA, TUF_KEY_RSA };
enum { TUF_RSA_BITS_MIN = 2048, TUF_RSA_BITS_MAX = 8192 };           /* below: can be broken; above: a signature takes milliseconds */

struct tuf_key {
        enum tuf_key_kind kind;
        uint8_t print[32];               /* of kind and key: the same for one key, under whatever id and in whatever spelling */
        uint8_t ed25519[32];
        struct evp_pkey_st *pem;         /* owned; ECDSA and RSA */
};

/* ERR_SYNTAX: of a kind that we do not know, or not a key at all, which is nothing to complain of; ERR_NOMEM. */
MUST_CHECK enum err tuf_key_read(const struct json *json, struct tuf_key *ret_key);
void tuf_key_done(struct tuf_key *key);
static inline void tuf_key_release(struct tuf_key *key) { tuf_key_done(key); }

/* ERR_UNTRUSTED: it does not fit; ERR_NOMEM. */
MUST_CHECK enum err tuf_key_verify(const struct tuf_key *key, const void *bytes, size_t length, const char *signature);
