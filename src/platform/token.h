/* token.h - Ed25519 keys in PKCS#11 tokens (cards, HSMs): found, made, signed with. The secret never leaves the token.
 *
 * The module is a library of the token's maker and runs in this process, with all that this process may do. What it answers is not
 * believed here or anywhere: who takes a signature verifies it. The PIN is the caller's to ask for and to wipe.
 * Why p11-kit, and what is not served: docs/decisions/017-pkcs11.md. */
#pragma once

#include "platform/token_uri.h"

struct token;
struct token_key {
        char label[TOKEN_LABEL_MAX + 1];
        uint8_t id[TOKEN_ID_MAX], public[32];
        size_t id_length;
};

/* The one token here that the URI fits; its modules are those that p11-kit knows when it names none.
 * ERR_NOT_FOUND: no such module, or no such token here; ERR_UNAVAILABLE: the module is none, or failed;
 * ERR_USAGE: several fit; ERR_REFUSED: a new key is wanted and it cannot be written to. Borrows `uri`, which must outlive the result. */
enum token_use { TOKEN_LOOK, TOKEN_CHANGE };
MUST_CHECK enum err token_open(const struct token_uri *uri, enum token_use use, struct token **ret_token, struct why *why);
void token_close(struct token *token);
OWN_DEFINE(token, struct token *, token_close)

const char *token_name(const struct token *token);       /* what it is called; two may be called alike */
const char *token_serial(const struct token *token);

/* What it takes to use its keys; the pad is the reader's own: the PIN is typed there. */
enum token_login { TOKEN_FREE, TOKEN_PIN, TOKEN_PAD };
enum token_login token_login_kind(const struct token *token);
/* `pin` NULL: none, or by the pad. ERR_UNAUTHORIZED: wrong PIN, and whether few tries are left; ERR_REFUSED: locked, or never set. */
MUST_CHECK enum err token_login(struct token *token, const char *pin, struct why *why);

/* The public half of the key that the URI names, by label and id. Needs no PIN where the token shows its public keys to everybody.
 * ERR_USAGE: the URI names none, or several fit; ERR_NOT_FOUND; ERR_SYNTAX: it is of another kind than Ed25519. */
MUST_CHECK enum err token_find(struct token *token, struct token_key *ret_key, struct why *why);

/* All Ed25519 keys that it shows and the URI fits. ERR_LIMIT: more than a list is for. */
typedef enum err token_visit(void *user, const struct token_key *key, struct why *why);
MUST_CHECK enum err token_list(struct token *token, token_visit *visit, void *user, struct why *why);

/* After token_login(). ERR_NOT_FOUND: no such secret key; ERR_REFUSED: the token does no Ed25519, or this key may not sign;
 * ERR_UNAVAILABLE: it was taken out. */
MUST_CHECK enum err token_sign(struct token *token, const struct token_key *key, const void *bytes, size_t length, uint8_t signature[64], struct why *why);

/* A new key under the URI's label, secret and never to be read out, with the URI's id, else with `id`. After token_login().
 * ERR_USAGE: no label; ERR_REFUSED: one of that label or id is there. */
MUST_CHECK enum err token_make(struct token *token, const uint8_t id[16], struct token_key *ret_key, struct why *why);
/* Takes away what token_make() made, as far as the token still answers: it turned out to be of no use. */
void token_unmake(struct token *token);
