/* signing_key.h - a key that signs, wherever it is: in a file, or in a PKCS#11 token that its secret never leaves.
 *
 * A reference says where: a path of a PKCS#8 PEM file, perhaps on a medium that is not always here, or a URI `pkcs11:...`
 * (platform/token_uri.h). A passphrase is asked for when a file needs it, a PIN when a token is to sign, and neither before.
 * No signature is given out that the public key does not verify: a broken token must not make a bad file. */
#pragma once

#include "cli/key_file.h"

struct random_source;
struct signing_key;

/* What was asked for, kept for the next key; wiped on release: OWN(signing_secrets) struct signing_secrets s = { 0 }; */
struct signing_secrets {
        struct passphrase passphrase, pin;
        char pin_of[64];                         /* the token that the PIN is of; empty: none */
};
void signing_secrets_release(struct signing_secrets *secrets);

struct signing_keys_opener {
        const struct args *args;                 /* may say where a passphrase is */
        struct signing_secrets *secrets;         /* the caller's; they outlive the keys */
        struct disk *disk;                       /* paths are below it; NULL: they are paths of this machine */
        const char *folder;                      /* where `disk` is; see key_file.h */
};

/* ERR_NOT_FOUND: the medium, the token or its module is not here; ERR_UNAUTHORIZED: wrong passphrase; ERR_REFUSED: others may read it;
 * and what token_open() and token_find() say. */
MUST_CHECK enum err signing_key_open(const struct signing_keys_opener *opener, const char *reference, struct signing_key **ret_key, struct why *why);
void signing_key_close(struct signing_key *key);         /* the secret is wiped */
OWN_DEFINE(signing_key, struct signing_key *, signing_key_close)

/* A new one where nothing is: a file of mode 0600, whole and durable or not there, its passphrase chosen as for `firebreak init`; or a
 * pair in a token. It has signed once. ERR_REFUSED: there is something; and what passphrase_choose(), token_login() and token_make() say. */
MUST_CHECK enum err signing_key_make(const struct signing_keys_opener *opener, const char *reference, struct random_source *random, struct signing_key **ret_key, struct why *why);

const struct public_key *signing_key_public(const struct signing_key *key);
enum signing_place { SIGNING_PLAIN, SIGNING_ENCRYPTED, SIGNING_TOKEN };
enum signing_place signing_key_place(const struct signing_key *key);

/* ERR_UNAUTHORIZED: wrong PIN; ERR_REFUSED: locked, or not allowed to; ERR_UNTRUSTED: the token's signature does not fit; ERR_UNAVAILABLE: taken out. */
MUST_CHECK enum err signing_key_sign(struct signing_key *key, const void *bytes, size_t length, uint8_t signature[64], struct why *why);
