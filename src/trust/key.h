/* key.h - Ed25519 keys (RFC 8032): made, signed with, verified with; as PKCS#8 files and as lines of text.
 *
 * Randomness comes from the caller; nothing here asks the system for any. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/own.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct public_key { uint8_t bytes[32]; };

/* Wiped by secret_key_done(), so keep it in an OWN(secret_key) variable. */
struct secret_key {
        uint8_t seed[32];
        struct public_key public;
};

void secret_key_make(const uint8_t random[32], struct secret_key *key);      /* the same bytes, the same key */
void secret_key_done(struct secret_key *key);
static inline void secret_key_release(struct secret_key *key) { secret_key_done(key); }

void key_sign(const struct secret_key *key, const void *bytes, size_t length, uint8_t signature[64]);
bool key_verify(const struct public_key *key, const void *bytes, size_t length, const uint8_t signature[64]);
bool key_equal(const struct public_key *a, const struct public_key *b);
/* By which a signed note tells whose signature a line is (C2SP signed-note); `type` says of what kind: 1 is Ed25519 over the note's text. */
void key_id(const struct public_key *key, const char *name, uint8_t type, uint8_t id[4]);
/* The same key as text, NAME+HEX8+BASE64, for names and types of whatever kind; needs strlen(name) + KEY_TEXT_MORE bytes. */
enum { KEY_TEXT_MORE = 1 + 8 + 1 + 44 + 1 };
void key_text(const struct public_key *key, const char *name, uint8_t type, char *text);

/* PKCS#8 in PEM, as `openssl pkey` reads it. Encrypted (scrypt, AES-256-CBC) when there is a passphrase. */
struct key_lock {
        const char *passphrase;      /* NULL or "": the file is not encrypted */
        uint8_t random[32];          /* salt and IV: new ones for each file */
};
enum { KEY_PEM_MAX = 4096 };

/* ERR_NOMEM is all that can go wrong. */
MUST_CHECK enum err key_pem_write(const struct secret_key *key, const struct key_lock *lock, struct buf *into, struct why *why);
/* ERR_UNAUTHORIZED: encrypted, and the passphrase is missing or another; ERR_SYNTAX: no Ed25519 key in PKCS#8. */
MUST_CHECK enum err key_pem_read(const struct buf *pem, const char *passphrase, struct secret_key *ret_key, struct why *why);

/* A key with its name, as text `NAME+HEX8+BASE64` (formats.md, 1). A name is a word without `+`. */
struct vkey {
        char name[LIMIT_NAME_BYTES + 1];
        struct public_key key;
};
enum { VKEY_TEXT_MAX = LIMIT_NAME_BYTES + KEY_TEXT_MORE };

/* ERR_SYNTAX: the name is none. */
MUST_CHECK enum err vkey_make(const char *name, const struct public_key *key, struct vkey *ret_vkey, struct why *why);
MUST_CHECK enum err vkey_parse(const char *text, struct vkey *ret_vkey, struct why *why);
void vkey_text(const struct vkey *vkey, char text[VKEY_TEXT_MAX]);
void vkey_id(const struct vkey *vkey, uint8_t id[4]);
void vkey_id_text(const struct vkey *vkey, char text[9]);                    /* DSSE's keyid */
