/* verifier.h - whose signatures on a checkpoint count: the key of a log or of a witness, with its name (C2SP signed-note: verifier keys).
 *
 * The names of logs and witnesses are like addresses without `https://`, so that they are one's own: `log.example.com/fleet`. Other notes
 * do not take them (trust/key.h). */
#pragma once

#include "trust/key.h"
#include "trust/line.h"

/* C2SP's numbers: how the id of a key is made, and what it signs. */
enum verifier_kind { VERIFIER_LOG = 1, VERIFIER_WITNESS = 4 };

struct verifier {
        char name[LIMIT_ORIGIN_BYTES + 1];
        enum verifier_kind kind;
        struct public_key key;
};
enum { VERIFIER_TEXT_MAX = LIMIT_ORIGIN_BYTES + KEY_TEXT_MORE };

/* 1 to LIMIT_ORIGIN_BYTES of UTF-8, no space of any script, no control character, no `+`. */
bool verifier_is_name(struct line name);
/* A log's. ERR_SYNTAX: the name is none. */
MUST_CHECK enum err verifier_log(const char *name, const struct public_key *key, struct verifier *ret_verifier, struct why *why);
MUST_CHECK enum err verifier_witness(const char *name, const struct public_key *key, struct verifier *ret_verifier, struct why *why);
/* NAME+HEX8+BASE64, of either kind. ERR_SYNTAX. */
MUST_CHECK enum err verifier_parse(const char *text, struct verifier *ret_verifier, struct why *why);
void verifier_text(const struct verifier *verifier, char text[VERIFIER_TEXT_MAX]);
void verifier_id(const struct verifier *verifier, uint8_t id[4]);
