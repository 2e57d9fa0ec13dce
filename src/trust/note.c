#include "trust/note.h"

#include "base/text.h"
#include "format/hex.h"
#include "trust/word.h"

#include <sodium.h>
#include <string.h>

#define DASH "\xe2\x80\x94 "
enum { DASH_BYTES = 4, BLOB_BYTES = 4 + 64 };

size_t note_signed_length(const char *bytes, size_t length)
{
        for (size_t i = length; i >= 2; i--)
                if (bytes[i - 1] == '\n' && bytes[i - 2] == '\n')
                        return i - 1;
        return length;
}

enum err note_check_text(const char *text, size_t length, struct why *why)
{
        if (!length || length > LIMIT_NOTE_BYTES)
                return FAIL(why, ERR_LIMIT, "a note's text has 1 to %d bytes", LIMIT_NOTE_BYTES);
        if (text[length - 1] != '\n' || text[0] == '\n')
                return FAIL(why, ERR_SYNTAX, "a note is lines of text, each ended");
        for (size_t i = 0; i < length; i++)
                if (((unsigned char)text[i] < 0x20 && text[i] != '\n') || text[i] == 0x7f)
                        return FAIL(why, ERR_SYNTAX, "byte %zu of the note is a control character", i);
        if (!text_is_utf8(text, length))
                return FAIL(why, ERR_SYNTAX, "the note is not UTF-8");
        return OK;
}

static enum err parse_signature(const char *line, size_t length, struct note_signature *signature, struct why *why)
{
        uint8_t blob[BLOB_BYTES];
        size_t blob_length = 0;
        const char *space = length > DASH_BYTES ? memchr(line + DASH_BYTES, ' ', length - DASH_BYTES) : NULL;
        if (!space || memcmp(line, DASH, DASH_BYTES) != 0)
                return FAIL(why, ERR_SYNTAX, "a signature of a note is `\xe2\x80\x94 NAME BASE64`");
        size_t name_length = (size_t)(space - line) - DASH_BYTES;
        if (name_length > LIMIT_NAME_BYTES)
                return FAIL(why, ERR_SYNTAX, "the name of a signer has at most %d bytes", LIMIT_NAME_BYTES);
        memset(signature->name, 0, sizeof(signature->name));
        memcpy(signature->name, line + DASH_BYTES, name_length);
        enum err e = base64_decode(space + 1, (size_t)(line + length - space) - 1, blob, sizeof(blob), &blob_length, why);
        if (e || blob_length != sizeof(blob) || !word_is_name(signature->name))
                return FAIL(why, ERR_SYNTAX, "a signature of the note is not NAME and 68 bytes in base64");
        memcpy(signature->id, blob, 4);
        memcpy(signature->signature, blob + 4, 64);
        return OK;
}

static enum err parse_signatures(const char *at, const char *end, struct note *note, struct why *why)
{
        while (at < end) {
                const char *newline = memchr(at, '\n', (size_t)(end - at));
                if (!newline)
                        return FAIL(why, ERR_SYNTAX, "the note's last line is cut");
                if (note->signature_count == LIMIT_SIGNATURES)
                        return FAIL(why, ERR_LIMIT, "a note has at most %d signatures", LIMIT_SIGNATURES);
                enum err e = parse_signature(at, (size_t)(newline - at), &note->signatures[note->signature_count], why);
                if (e)
                        return e;
                note->signature_count++;
                at = newline + 1;
        }
        return note->signature_count ? OK : FAIL(why, ERR_SYNTAX, "the note has no signature");
}

enum err note_parse(const char *bytes, size_t length, struct note *ret_note, struct why *why)
{
        size_t text_length = note_signed_length(bytes, length);
        ret_note->text = bytes;
        ret_note->text_length = text_length;
        ret_note->signature_count = 0;
        if (text_length == length)
                return FAIL(why, ERR_SYNTAX, "not a signed note: no empty line before signatures");
        enum err e = note_check_text(bytes, text_length, why);
        return e ? e : parse_signatures(bytes + text_length + 1, bytes + length, ret_note, why);
}

enum err note_add_line(struct buf *note, const struct note_signature *signature, struct why *why)
{
        uint8_t blob[BLOB_BYTES];
        char base64[sodium_base64_ENCODED_LEN(BLOB_BYTES, sodium_base64_VARIANT_ORIGINAL)];
        size_t text_length = note_signed_length(buf_text(note), note->length);
        enum err e = note_check_text(buf_text(note), text_length, why);
        if (e)
                return e;
        memcpy(blob, signature->id, sizeof(signature->id));
        memcpy(blob + 4, signature->signature, 64);
        sodium_bin2base64(base64, sizeof(base64), blob, sizeof(blob), sodium_base64_VARIANT_ORIGINAL);
        buf_addf(note, "%s" DASH "%s %s\n", text_length == note->length ? "\n" : "", signature->name, base64);
        return buf_check(note, why);
}

enum err note_add_signature(struct buf *note, const struct vkey *vkey, const uint8_t signature[64], struct why *why)
{
        struct note_signature line;
        memcpy(line.name, vkey->name, sizeof(line.name));
        vkey_id(vkey, line.id);
        memcpy(line.signature, signature, sizeof(line.signature));
        return note_add_line(note, &line, why);
}

enum err note_sign(struct buf *note, const char *name, const struct secret_key *key, struct why *why)
{
        struct vkey vkey;
        uint8_t signature[64];
        enum err e = vkey_make(name, &key->public, &vkey, why);
        if (e)
                return e;
        key_sign(key, buf_text(note), note_signed_length(buf_text(note), note->length), signature);
        return note_add_signature(note, &vkey, signature, why);
}

enum vote { ABSENT, GOOD, BAD };

static enum vote vote_of(const struct note *note, const struct vkey *vkey)
{
        uint8_t id[4];
        vkey_id(vkey, id);
        for (size_t i = 0; i < note->signature_count; i++) {
                const struct note_signature *signature = &note->signatures[i];
                if (memcmp(signature->id, id, sizeof(id)) == 0 && strcmp(signature->name, vkey->name) == 0)
                        return key_verify(&vkey->key, note->text, note->text_length, signature->signature) ? GOOD : BAD;
        }
        return ABSENT;
}

/* Has this key, maybe under another name, been counted already? */
static bool is_counted(const struct note_keys *keys, const bool *is_good, size_t index)
{
        for (size_t i = 0; i < index; i++)
                if (is_good[i] && key_equal(&keys->keys[i].key, &keys->keys[index].key))
                        return true;
        return false;
}

enum err note_verify(const struct note *note, const struct note_keys *keys, struct why *why)
{
        bool is_good[LIMIT_KEYS] = { false };
        size_t good = 0;
        if (!keys->threshold || keys->count > LIMIT_KEYS)
                return FAIL(why, ERR_UNTRUSTED, "a threshold of %zu of %zu keys means nothing", keys->threshold, keys->count);
        for (size_t i = 0; i < keys->count; i++) {
                enum vote vote = vote_of(note, &keys->keys[i]);
                if (vote == BAD)
                        return FAIL(why, ERR_UNTRUSTED, "the signature of %s does not fit the note", keys->keys[i].name);
                is_good[i] = vote == GOOD && !is_counted(keys, is_good, i);
                good += is_good[i];
        }
        if (good < keys->threshold)
                return FAIL(why, ERR_UNTRUSTED, "signed by %zu of the keys that count, and it takes %zu", good, keys->threshold);
        return OK;
}
