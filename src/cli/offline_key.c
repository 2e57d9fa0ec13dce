#include "cli/offline_key.h"

#include "platform/disk.h"

#include <string.h>

static void wipe(struct buf *buf)
{
        if (buf->bytes)
                explicit_bzero(buf->bytes, buf->capacity);
        buf_done(buf);
}
static inline void secret_release(struct buf *buf) { wipe(buf); }

static enum err unlock(const struct offline_keys *keys, const struct buf *pem, struct secret_key *ret_key, struct why *why)
{
        if (!keys->passphrase->text[0]) {
                enum err e = key_pem_read(pem, NULL, ret_key, why);
                if (e == ERR_UNAUTHORIZED)
                        e = passphrase_ask(keys->args, keys->passphrase, why);
                if (e || !keys->passphrase->text[0])
                        return e;
        }
        enum err e = key_pem_read(pem, keys->passphrase->text, ret_key, why);
        return e == ERR_UNAUTHORIZED ? FAIL(why, e, "wrong passphrase") : e;
}

enum err offline_key_read(const struct offline_keys *keys, const char *path, struct secret_key *ret_key, struct why *why)
{
        OWN(secret) struct buf pem;
        buf_init(&pem, KEY_PEM_MAX);
        enum err e = keys->disk->ops->read(keys->disk, path, &pem, why);
        if (e == ERR_NOT_FOUND)
                return FAIL(why, e, "the key %s is not here; bring the medium that holds the offline keys", path);
        if (!e)
                e = unlock(keys, &pem, ret_key, why);
        return e ? DURING(why, e, "the key %s", path) : OK;
}
