/* note.h - signed notes (C2SP signed-note): lines of text with signatures below. Format: docs/guide/formats.md, 1.
 *
 *      buf_add_text(&note, "firebreak lease v1\n..."); note_sign(&note, "director", &key, why);
 *      note_parse(bytes, length, &parsed, why) and then note_verify(&parsed, &keys, why) */
#pragma once

#include "trust/key.h"

/* Of a note's signatures, with the empty line before them: each a dash, a name and 68 bytes in base64. */
enum { NOTE_SIGNATURES_BYTES_MAX = 1 + LIMIT_SIGNATURES * (LIMIT_NAME_BYTES + 98) };

struct note_signature {
        char name[LIMIT_NAME_BYTES + 1];
        uint8_t id[4], signature[64];
};

/* Borrows the bytes that it was parsed from. */
struct note {
        const char *text;                        /* up to and including the last newline before the empty line */
        size_t text_length, signature_count;
        struct note_signature signatures[LIMIT_SIGNATURES];
};

/* Whose signatures count, and how many different keys it takes. */
struct note_keys {
        const struct vkey *keys;
        size_t count, threshold;
};

/* Append a signature to a text (every line of it ended), or to a note that has signatures already.
 * ERR_SYNTAX when the text is no note's. note_add_signature takes one that was made elsewhere. */
MUST_CHECK enum err note_sign(struct buf *note, const char *name, const struct secret_key *key, struct why *why);
/* As it stood in another note of the same text. */
MUST_CHECK enum err note_add_line(struct buf *note, const struct note_signature *signature, struct why *why);
MUST_CHECK enum err note_add_signature(struct buf *note, const struct vkey *vkey, const uint8_t signature[64], struct why *why);
/* How much of it is signed: all of a text, or the text of a note. */
size_t note_signed_length(const char *bytes, size_t length);

/* Could this be the text of a note: lines of UTF-8, each ended, without control characters? ERR_SYNTAX, ERR_LIMIT. */
MUST_CHECK enum err note_check_text(const char *text, size_t length, struct why *why);

/* ERR_SYNTAX, ERR_LIMIT. Says nothing of whose the signatures are. */
MUST_CHECK enum err note_parse(const char *bytes, size_t length, struct note *ret_note, struct why *why);
/* ERR_UNTRUSTED unless `threshold` different keys signed it (a key counts once, under whatever names), or when one of the
 * keys has a signature that does not fit. Signatures of other keys are not looked at. */
MUST_CHECK enum err note_verify(const struct note *note, const struct note_keys *keys, struct why *why);
