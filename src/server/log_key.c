#include "server/log_key.h"

#include "log/checkpoint.h"
#include "platform/file.h"
#include "trust/anchor.h"

#include <string.h>

enum { PATH_MAX_BYTES = 1024 };

static enum err read_vkey(const char *path, struct verifier *ret_log, struct why *why)
{
        OWN(buf) struct buf line;
        buf_init(&line, VERIFIER_TEXT_MAX);
        enum err e = file_check_regular(path, why);
        if (!e)
                e = file_read(path, &line, why);
        if (e)
                return e;
        if (!line.length || strlen(buf_text(&line)) != line.length || strchr(buf_text(&line), '\n') != buf_text(&line) + line.length - 1)
                return FAIL(why, ERR_SYNTAX, "%s is not one line", path);
        line.bytes[line.length - 1] = 0;
        e = verifier_parse(line.bytes, ret_log, why);
        if (!e && ret_log->kind != VERIFIER_LOG)
                e = FAIL(why, ERR_SYNTAX, "the key of a witness, not of a log");
        return e ? DURING(why, e, "%s", path) : OK;
}

enum err log_key_read(const char *folder, struct log_key *ret_key, struct why *why)
{
        char pem[PATH_MAX_BYTES], vkey[PATH_MAX_BYTES];
        *ret_key = (struct log_key){ .has_log = false };
        if (snprintf(pem, sizeof(pem), "%s/log.pem", folder) >= (int)sizeof(pem) || snprintf(vkey, sizeof(vkey), "%s/log.vkey", folder) >= (int)sizeof(vkey))
                return FAIL(why, ERR_LIMIT, "the path of log.vkey is too long");
        const bool has_pem = file_kind(pem) != FILE_ABSENT, has_vkey = file_kind(vkey) != FILE_ABSENT;
        if (has_pem != has_vkey)
                return FAIL(why, ERR_REFUSED, "--keys: %s is there without %s; they belong together: copy the publisher's folder online/ whole, or take both out for a server without a log",
                            has_pem ? "log.pem" : "log.vkey", has_pem ? "log.vkey" : "log.pem");
        if (!has_pem)
                return OK;
        enum err e = read_vkey(vkey, &ret_key->log, why);
        ret_key->has_log = !e;
        return e ? DURING(why, e, "--keys") : OK;
}

/* A head of nothing, which every log has been. */
static enum err check_fit(const struct verifier *log, struct signer *signer, struct why *why)
{
        OWN(buf) struct buf text;
        uint8_t signature[64];
        struct tree_head nothing = { .size = 0 };
        tree_root(&(struct tree){ 0 }, &nothing.root);
        buf_init(&text, LIMIT_CHECKPOINT_BYTES);
        checkpoint_write(log->name, &nothing, &text);
        enum err e = buf_check(&text, why);
        if (!e)
                e = signer->ops->sign(signer, SIGNER_CHECKPOINT, text.bytes, text.length, signature, why);
        if (!e && !key_verify(&log->key, text.bytes, text.length, signature))
                e = FAIL(why, ERR_UNTRUSTED, "--keys: log.pem is not the key that log.vkey names: give the files of one publisher's folder, all together");
        return e;
}

static bool is_same(const struct verifier *one, const struct verifier *other)
{
        return strcmp(one->name, other->name) == 0 && key_equal(&one->key, &other->key);
}

enum err log_key_check(const struct log_key *key, const struct buf *anchor, struct signer *signer, struct why *why)
{
        struct anchor named;
        enum err e = anchor_open(buf_text(anchor), anchor->length, &named, why);
        if (e)
                return DURING(why, e, "--keys: release.anchor");
        if (named.has_log && !key->has_log)
                return FAIL(why, ERR_UNTRUSTED, "--keys: release.anchor names the log %.100s, and there is no log.pem; without it devices would install nothing", named.log.name);
        if (named.has_log && !is_same(&named.log, &key->log))
                return FAIL(why, ERR_UNTRUSTED, "--keys: release.anchor names another log than log.vkey: devices would take no proof of this one");
        return key->has_log ? check_fit(&key->log, signer, why) : OK;
}
