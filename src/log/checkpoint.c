#include "log/checkpoint.h"

#include "format/hex.h"
#include "log/hash_lines.h"
#include "trust/note.h"

#include <inttypes.h>
#include <string.h>

#define DASH "\xe2\x80\x94"
enum { ID_BYTES = 4, SIGNATURE_BYTES = 64 };

void checkpoint_write(const char *origin, const struct tree_head *head, struct buf *into)
{
        buf_addf(into, "%s\n%" PRIu64 "\n", origin, head->size);
        hash_line_write(into, &head->root);
}

static enum err read_lines(struct line *rest, struct checkpoint *checkpoint, struct why *why)
{
        struct line origin, size, root;
        if (!line_next(rest, &origin) || !origin.length || origin.length > LIMIT_ORIGIN_BYTES)
                return FAIL(why, ERR_SYNTAX, "a checkpoint begins with its origin, of 1 to %d bytes", LIMIT_ORIGIN_BYTES);
        memset(checkpoint->origin, 0, sizeof(checkpoint->origin));
        memcpy(checkpoint->origin, origin.text, origin.length);
        if (!line_next(rest, &size) || !line_number(size, &checkpoint->head.size))
                return FAIL(why, ERR_SYNTAX, "the second line of a checkpoint is the number of entries");
        if (checkpoint->head.size >= TREE_SIZE_END)
                return FAIL(why, ERR_LIMIT, "a log has fewer than 2^%d entries", LIMIT_TREE_BITS);
        if (!line_next(rest, &root) || !hash_line_read(root, &checkpoint->head.root))
                return FAIL(why, ERR_SYNTAX, "the third line of a checkpoint is its root, 32 bytes in base64");
        return OK;
}

enum err checkpoint_parse_text(const char *text, size_t length, struct checkpoint *ret_checkpoint, struct why *why)
{
        struct line rest = { text, length }, line;
        ret_checkpoint->signature_count = 0;
        ret_checkpoint->text = rest;
        enum err e = note_check_text(text, length, why);
        if (!e)
                e = read_lines(&rest, ret_checkpoint, why);
        if (e)
                return e;
        ret_checkpoint->extensions = rest;
        while (line_next(&rest, &line))
                if (!line.length)
                        return FAIL(why, ERR_SYNTAX, "a checkpoint has no empty line before its signatures");
        return OK;
}

static enum err read_signature(struct line line, struct checkpoint_signature *signature, struct why *why)
{
        uint8_t blob[ID_BYTES + LIMIT_CHECKPOINT_SIGNATURE_BYTES];
        size_t length = 0;
        struct line rest;
        const char *space = line_after(line, DASH, &rest) ? memchr(rest.text, ' ', rest.length) : NULL;
        if (!space)
                return FAIL(why, ERR_SYNTAX, "a signature of a checkpoint is `" DASH " NAME BASE64`");
        signature->name = (struct line){ rest.text, (size_t)(space - rest.text) };
        enum err e = base64_decode(space + 1, rest.length - signature->name.length - 1, blob, sizeof(blob), &length, why);
        if (e || length <= ID_BYTES || !verifier_is_name(signature->name))
                return FAIL(why, ERR_SYNTAX, "a signature of the checkpoint is not NAME and up to %zu bytes in base64", sizeof(blob));
        signature->length = length - ID_BYTES;
        memcpy(signature->id, blob, ID_BYTES);
        if (signature->length <= sizeof(signature->bytes))
                memcpy(signature->bytes, blob + ID_BYTES, signature->length);
        return OK;
}

enum err checkpoint_parse(const char *bytes, size_t length, struct checkpoint *ret_checkpoint, struct why *why)
{
        size_t text_length = note_signed_length(bytes, length);
        if (length > LIMIT_CHECKPOINT_BYTES)
                return FAIL(why, ERR_LIMIT, "a checkpoint has at most %d bytes", LIMIT_CHECKPOINT_BYTES);
        if (text_length == length || bytes[length - 1] != '\n')
                return FAIL(why, ERR_SYNTAX, "a checkpoint has an empty line and then signatures, each line ended");
        enum err e = checkpoint_parse_text(bytes, text_length, ret_checkpoint, why);
        struct line rest = { bytes + text_length + 1, length - text_length - 1 }, line;
        while (!e && line_next(&rest, &line)) {
                if (ret_checkpoint->signature_count == LIMIT_SIGNATURES)
                        return FAIL(why, ERR_LIMIT, "a checkpoint has at most %d signatures", LIMIT_SIGNATURES);
                e = read_signature(line, &ret_checkpoint->signatures[ret_checkpoint->signature_count], why);
                ret_checkpoint->signature_count += !e;
        }
        if (e)
                return e;
        return ret_checkpoint->signature_count ? OK : FAIL(why, ERR_SYNTAX, "the checkpoint has no signature");
}

/* A text that is to be signed, or a note that has signatures already. */
static enum err parse_either(const struct buf *note, size_t text_length, struct checkpoint *checkpoint, struct why *why)
{
        return text_length == note->length ? checkpoint_parse_text(buf_text(note), text_length, checkpoint, why)
                                           : checkpoint_parse(buf_text(note), note->length, checkpoint, why);
}

enum err checkpoint_add_signature(struct buf *note, const struct verifier *verifier, struct line signature, struct why *why)
{
        uint8_t id[ID_BYTES], blob[ID_BYTES + CHECKPOINT_SIGNATURE_MAX];
        size_t text_length = note_signed_length(buf_text(note), note->length);
        struct checkpoint checkpoint;
        enum err e = parse_either(note, text_length, &checkpoint, why);
        if (!e && signature.length > CHECKPOINT_SIGNATURE_MAX)
                e = FAIL(why, ERR_LIMIT, "a signature of %zu bytes is of no kind of ours", signature.length);
        if (e)
                return e;
        verifier_id(verifier, id);
        memcpy(blob, id, ID_BYTES);
        memcpy(blob + ID_BYTES, signature.text, signature.length);
        buf_addf(note, "%s" DASH " %s ", text_length == note->length ? "\n" : "", verifier->name);
        base64_encode(blob, ID_BYTES + signature.length, note);
        buf_add(note, "\n", 1);
        return buf_check(note, why);
}

enum err checkpoint_sign(struct buf *note, const struct secret_key *key, struct why *why)
{
        uint8_t signature[SIGNATURE_BYTES];
        struct checkpoint checkpoint;
        struct verifier log;
        size_t text_length = note_signed_length(buf_text(note), note->length);
        enum err e = parse_either(note, text_length, &checkpoint, why);
        if (!e)
                e = verifier_log(checkpoint.origin, &key->public, &log, why);
        if (e)
                return e;
        key_sign(key, buf_text(note), text_length, signature);
        return checkpoint_add_signature(note, &log, (struct line){ (const char *)signature, sizeof(signature) }, why);
}

bool checkpoint_is_of(const struct checkpoint_signature *signature, const struct verifier *verifier)
{
        uint8_t id[ID_BYTES];
        if (signature->name.length != strlen(verifier->name) || memcmp(signature->name.text, verifier->name, signature->name.length) != 0)
                return false;
        verifier_id(verifier, id);
        return memcmp(signature->id, id, ID_BYTES) == 0;
}

enum err checkpoint_verify(const struct checkpoint *checkpoint, const struct verifier *log, struct why *why)
{
        bool is_signed = false;
        if (log->kind != VERIFIER_LOG || strcmp(checkpoint->origin, log->name) != 0)
                return FAIL(why, ERR_UNTRUSTED, "the checkpoint is of %s, not of the log %s", checkpoint->origin, log->name);
        for (size_t i = 0; i < checkpoint->signature_count; i++) {
                const struct checkpoint_signature *signature = &checkpoint->signatures[i];
                if (!checkpoint_is_of(signature, log))
                        continue;
                if (signature->length != SIGNATURE_BYTES || !key_verify(&log->key, checkpoint->text.text, checkpoint->text.length, signature->bytes))
                        return FAIL(why, ERR_UNTRUSTED, "the signature of %s does not fit the checkpoint", log->name);
                is_signed = true;
        }
        return is_signed ? OK : FAIL(why, ERR_UNTRUSTED, "the checkpoint is not signed by %s", log->name);
}
