/* token_uri.h - which PKCS#11 token, and which key in it: a URI as RFC 7512 has it.
 *
 *      pkcs11:token=acme;object=root-1?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=/run/keys/acme.pin
 *
 * Never holds a PIN: one in the URI would stand in the list of processes and in the shell's history, so it is refused. */
#pragma once

#include "base/err.h"
#include "base/own.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TOKEN_LABEL_MAX = 255, TOKEN_ID_MAX = 64 };

struct p11_kit_uri;
struct token_uri {
        struct p11_kit_uri *parsed;              /* p11-kit's: what it says of token, slot and module */
        char token[33];                          /* what the token is called; empty: not said */
        char label[TOKEN_LABEL_MAX + 1];         /* the key's; empty: not said */
        uint8_t id[TOKEN_ID_MAX];
        size_t id_length;                        /* 0: not said */
        const char *module, *pin_file;           /* paths, borrowed from `parsed`; NULL: not said */
};

bool token_uri_is(const char *text);             /* it begins as one; else it is a path */

/* ERR_USAGE says what to write instead; ERR_NOMEM. */
MUST_CHECK enum err token_uri_open(const char *text, struct token_uri **ret_uri, struct why *why);
void token_uri_close(struct token_uri *uri);
OWN_DEFINE(token_uri, struct token_uri *, token_uri_close)
