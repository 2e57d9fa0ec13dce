#include "cli/key_file.h"

#include "platform/disk.h"
#include "platform/file.h"

#include <limits.h>
#include <string.h>

enum { OTHERS_MAY_READ = 044 };

void key_text_init(struct buf *pem)
{
        static const char room[KEY_PEM_MAX];
        buf_init(pem, KEY_PEM_MAX);
        buf_add(pem, room, sizeof(room));        /* all of it at once: a buffer that moves leaves its old bytes behind */
        buf_clear(pem);
}

void key_text_release(struct buf *pem)
{
        if (pem->bytes)
                explicit_bzero(pem->bytes, pem->capacity);
        buf_done(pem);
}

static enum err load(const struct key_files *files, const char *path, struct buf *pem, struct why *why)
{
        enum err e = OK;
        if (files->disk)
                e = files->disk->ops->read(files->disk, path, pem, why);
        else {
                e = file_check_regular(path, why);       /* a pipe would be waited for */
                if (!e)
                        e = file_read(path, pem, why);
        }
        return e == ERR_NOT_FOUND ? FAIL(why, e, "the key %.300s is not here; bring the medium that holds it", path) : e;
}

/* As ssh does: whoever could read it may have it. An encrypted one keeps itself. */
static enum err check_private(const struct key_files *files, const char *path, struct why *why)
{
        char whole[PATH_MAX];
        if (files->disk && !files->folder)
                return OK;
        snprintf(whole, sizeof(whole), "%s%s%s", files->disk ? files->folder : "", files->disk ? "/" : "", path);
        unsigned mode = file_mode(whole);
        if (mode & OTHERS_MAY_READ)
                return FAIL(why, ERR_REFUSED, "it is not encrypted, and its mode %03o lets other users read it: chmod 600 it, and if one may have done so, make a new key", mode);
        return OK;
}

static enum err unlock(const struct key_files *files, const struct buf *pem, struct secret_key *ret_key, struct why *why)
{
        enum err e = files->passphrase->text[0] ? OK : passphrase_ask(files->args, files->passphrase, why);
        if (!e)
                e = key_pem_read(pem, files->passphrase->text, ret_key, why);
        return e == ERR_UNAUTHORIZED ? FAIL(why, e, "wrong passphrase") : e;
}

enum err key_file_read(const struct key_files *files, const char *path, struct secret_key *ret_key, bool *ret_is_encrypted, struct why *why)
{
        OWN(key_text) struct buf pem;
        key_text_init(&pem);
        OWN(secret_key) struct secret_key key = { 0 };
        enum err e = buf_check(&pem, why);
        if (!e)
                e = load(files, path, &pem, why);
        if (e)
                return e == ERR_NOT_FOUND ? e : DURING(why, e, "the key %.200s", path);
        e = key_pem_read(&pem, NULL, &key, why);
        bool is_encrypted = e == ERR_UNAUTHORIZED;
        if (is_encrypted)
                e = unlock(files, &pem, &key, why);
        else if (!e)
                e = check_private(files, path, why);
        if (e)
                return DURING(why, e, "the key %.200s", path);
        *ret_key = key;
        *ret_is_encrypted = is_encrypted;
        return OK;
}

/* No document of ours begins so: what it is signed over is of no use to anybody. */
static bool is_whole(const struct secret_key *key, const struct public_key *public)
{
        static const char probe[] = "\0firebreak key check";
        uint8_t signature[64];
        key_sign(key, probe, sizeof(probe), signature);
        return key_verify(public, probe, sizeof(probe), signature);
}

static enum err check_written(const char *path, const struct key_writing *writing, struct why *why)
{
        OWN(key_text) struct buf pem;
        key_text_init(&pem);
        OWN(secret_key) struct secret_key key = { 0 };
        enum err e = buf_check(&pem, why);
        if (!e)
                e = file_read(path, &pem, why);
        if (!e)
                e = key_pem_read(&pem, writing->lock->passphrase, &key, why);
        if (!e && !is_whole(&key, &writing->key->public))
                e = FAIL(why, ERR_IO, "another key was read back than was written; check the disk");
        return e ? DURING(why, e, "reading it back") : OK;
}

enum err key_file_write(const char *path, const struct key_writing *writing, struct why *why)
{
        OWN(key_text) struct buf pem;
        key_text_init(&pem);
        OWN(file_new) struct file_new *file = NULL;
        enum err e = key_pem_write(writing->key, writing->lock, &pem, why);
        if (!e)
                e = file_new_write(path, pem.bytes, pem.length, &file, why);
        if (!e)
                e = check_written(file_new_path(file), writing, why);
        if (!e)
                e = file_new_settle(file, writing->place, why);
        return e ? DURING(why, e, "writing the key %.200s", path) : OK;
}
