#include "server/signer/keys.h"

#include "base/mem.h"
#include "platform/file.h"
#include "server/signer/forms.h"
#include "trust/key.h"

#include <openssl/crypto.h>

struct signer_keys {
        struct signer signer;
        struct secret_key director, timestamp, log;
        bool has_log;
};

static enum err sign(struct signer *signer, enum signer_form form, const void *bytes, size_t length, uint8_t ret_signature[64], struct why *why)
{
        struct signer_keys *keys = (struct signer_keys *)signer;
        enum err e = signer_check_form(form, bytes, length, why);
        if (!e && form == SIGNER_CHECKPOINT && !keys->has_log)
                e = FAIL(why, ERR_NOT_FOUND, "there is no log.pem in the folder of --keys");
        if (e)
                return e;
        key_sign(form == SIGNER_RELEASE_TIMESTAMP ? &keys->timestamp : form == SIGNER_CHECKPOINT ? &keys->log : &keys->director, bytes, length, ret_signature);
        return OK;
}

static const struct signer_ops ops = { sign };

static enum err read_key(const char *folder, const char *name, struct secret_key *key, struct why *why)
{
        char path[1024];
        OWN(buf) struct buf pem;
        buf_init(&pem, KEY_PEM_MAX);
        if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
                return FAIL(why, ERR_LIMIT, "the path of %s is too long", name);
        enum err e = file_check_regular(path, why);
        if (!e)
                e = file_read(path, &pem, why);
        if (e)
                return DURING(why, e, "the server's online keys: give --keys the publisher's folder online/");
        e = key_pem_read(&pem, NULL, key, why);
        OPENSSL_cleanse(pem.bytes, pem.length);
        return e ? DURING(why, e, "%s (online keys are not encrypted: protect the folder instead)", path) : OK;
}

static enum err read_log_key(const char *folder, struct signer_keys *keys, struct why *why)
{
        char path[1024];
        if (snprintf(path, sizeof(path), "%s/log.pem", folder) >= (int)sizeof(path) || file_kind(path) == FILE_ABSENT)
                return OK;
        enum err e = read_key(folder, "log.pem", &keys->log, why);
        keys->has_log = !e;
        return e;
}

enum err signer_keys_open(const char *folder, struct signer **ret_signer, struct why *why)
{
        struct signer_keys *keys = mem_new(1, sizeof(*keys));
        if (!keys)
                return FAIL(why, ERR_NOMEM, "out of memory");
        keys->signer.ops = &ops;
        enum err e = read_key(folder, "director.pem", &keys->director, why);
        if (!e)
                e = read_key(folder, "timestamp.pem", &keys->timestamp, why);
        if (!e)
                e = read_log_key(folder, keys, why);
        if (e)
                signer_keys_close(&keys->signer);
        else
                *ret_signer = &keys->signer;
        return e;
}

void signer_keys_close(struct signer *signer)
{
        struct signer_keys *keys = (struct signer_keys *)signer;
        if (!keys)
                return;
        secret_key_done(&keys->director);
        secret_key_done(&keys->timestamp);
        secret_key_done(&keys->log);
        mem_free(keys);
}
