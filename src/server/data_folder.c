#include "server/data_folder.h"

#include "format/hex.h"
#include "platform/disk_folder.h"
#include "platform/file.h"
#include "platform/lock.h"
#include "server/certificate.h"

#include <openssl/crypto.h>
#include <string.h>

enum { SMALL_FILE_MAX = 16 << 10 };

/* What may stand in a folder of ours. */
static const char *const known[] = { "admin.key", "artifacts", "firebreak.db", "firebreak.db-shm", "firebreak.db-wal", "has_database", "lock", "log", "server.secret", "tls" };

static const char mark[] = "has_database";

struct look { bool has_secret, has_database, has_rows, has_mark; char stranger[DISK_NAME_MAX + 1]; };

static enum err look_at(void *user, const char *name, enum disk_kind kind, uint64_t length, struct why *why)
{
        (void)kind;
        (void)why;
        struct look *look = user;
        look->has_secret |= strcmp(name, "server.secret") == 0;
        look->has_database |= strcmp(name, "firebreak.db") == 0;
        look->has_rows |= strcmp(name, "firebreak.db") == 0 && length;
        look->has_mark |= strcmp(name, mark) == 0;
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
                if (strcmp(name, known[i]) == 0)
                        return OK;
        snprintf(look->stranger, sizeof(look->stranger), "%s", name);
        return OK;
}

/* Is it ours, or may it become ours? */
static enum err judge(struct disk *disk, const char *path, bool *ret_is_new, struct why *why)
{
        struct look look = { 0 };
        enum err e = disk->ops->list(disk, "", look_at, &look, why);
        if (e)
                return e;
        if (!look.has_secret && look.stranger[0])
                return FAIL(why, ERR_REFUSED, "%s is not a server's folder (it has %.60s in it): give a new or empty one with --data", path, look.stranger);
        if (!look.has_secret && look.has_database)
                return FAIL(why, ERR_REFUSED, "%s/server.secret is missing: put it back from a backup; with another one every device must enrol again", path);
        if (look.has_mark && !look.has_rows)
                return FAIL(why, ERR_REFUSED, "%s/firebreak.db is missing or empty: put it back from a backup; without it every withdrawal is forgotten", path);
        *ret_is_new = !look.has_secret;
        return OK;
}

static enum err read_small(struct disk *disk, const char *name, struct buf *into, struct why *why)
{
        buf_init(into, SMALL_FILE_MAX);
        enum err e = disk->ops->read(disk, name, into, why);
        while (!e && into->length && into->bytes[into->length - 1] == '\n')
                into->bytes[--into->length] = 0;
        return e;
}

static enum err make_random_line(struct disk *disk, const struct data_folder_config *config, const char *name, const char *prefix, struct why *why)
{
        uint8_t bytes[32];
        char text[65], line[DATA_KEY_MAX];
        config->random->ops->fill(config->random, bytes, sizeof(bytes));
        hex_encode(bytes, sizeof(bytes), text);
        int length = snprintf(line, sizeof(line), "%s%s\n", prefix, text);
        enum err e = disk->ops->replace(disk, name, line, (size_t)length, why);
        OPENSSL_cleanse(bytes, sizeof(bytes));
        OPENSSL_cleanse(text, sizeof(text));
        OPENSSL_cleanse(line, sizeof(line));
        return e;
}

/* The key first: a certificate without its key could not be repaired without telling every device. */
static enum err make_certificate(struct disk *disk, const struct data_folder_config *config, struct why *why)
{
        OWN(buf) struct buf certificate, key;
        buf_init(&certificate, SMALL_FILE_MAX);
        buf_init(&key, SMALL_FILE_MAX);
        enum err e = certificate_make(config->host, config->now_s, &certificate, &key, why);
        if (!e)
                e = disk->ops->make_folder(disk, "tls", why);
        if (!e)
                e = disk->ops->sync_folder(disk, "", why);
        if (!e)
                e = disk->ops->replace(disk, "tls/key.pem", key.bytes, key.length, why);
        if (!e)
                e = disk->ops->replace(disk, "tls/cert.pem", certificate.bytes, certificate.length, why);
        return e;
}

static bool has_file(struct disk *disk, const char *path)
{
        int file = -1;
        uint64_t length = 0;
        if (disk->ops->open(disk, path, &file, &length, NULL) != OK)
                return false;
        disk->ops->file_close(disk, file);
        return true;
}

/* What a server's folder has, whatever of it is there already. */
static enum err complete(struct disk *disk, const struct data_folder_config *config, bool is_new, struct why *why)
{
        enum err e = disk->ops->make_folder(disk, "artifacts", why);
        if (!e)
                e = disk->ops->make_folder(disk, "log", why);
        if (!e && !has_file(disk, "admin.key"))
                e = make_random_line(disk, config, "admin.key", "fba_", why);
        if (!e && !has_file(disk, "tls/cert.pem"))
                e = make_certificate(disk, config, why);
        if (!e && is_new)
                e = make_random_line(disk, config, "server.secret", "", why);
        return e;
}

static enum err read_secrets(struct disk *disk, struct data_folder *folder, struct why *why)
{
        OWN(buf) struct buf secret = { 0 }, key = { 0 };
        enum err e = read_small(disk, "server.secret", &secret, why);
        if (!e && (secret.length != 64 || hex_decode(secret.bytes, folder->secret, sizeof(folder->secret), NULL) != OK))
                e = FAIL(why, ERR_SYNTAX, "%s/server.secret is damaged: it has 64 hex digits; put it back from a backup", folder->path);
        if (!e)
                e = read_small(disk, "admin.key", &key, why);
        if (!e && (key.length < 16 || key.length >= DATA_KEY_MAX || strlen(key.bytes) != key.length || strpbrk(key.bytes, " \t\r\n")))
                e = FAIL(why, ERR_SYNTAX, "%s is no key: one line of 16 to %d characters; remove the file to get a new one", folder->admin_key_file, DATA_KEY_MAX - 1);
        if (!e)
                memcpy(folder->admin_key, key.bytes, key.length + 1);
        OPENSSL_cleanse(secret.bytes, secret.length);
        OPENSSL_cleanse(key.bytes, key.length);
        return e;
}

static enum err name_paths(struct data_folder *folder, const char *path, struct why *why)
{
        const struct { char *into; const char *name; } paths[] = {
                { folder->path, "" }, { folder->database, "/firebreak.db" }, { folder->artifacts, "/artifacts" }, { folder->log_files, "/log" }, { folder->certificate, "/tls/cert.pem" },
                { folder->certificate_key, "/tls/key.pem" }, { folder->admin_key_file, "/admin.key" },
        };
        for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
                if (snprintf(paths[i].into, DATA_PATH_MAX, "%s%s", path, paths[i].name) >= DATA_PATH_MAX)
                        return FAIL(why, ERR_LIMIT, "the path of the data folder is too long");
        return OK;
}

static enum err fill(struct disk *disk, const struct data_folder_config *config, struct data_folder *folder, struct why *why)
{
        char lock[DATA_PATH_MAX + 8];
        enum err e = judge(disk, folder->path, &folder->is_new, why);
        snprintf(lock, sizeof(lock), "%s/lock", folder->path);
        if (!e)
                e = lock_take(lock, config->wait_ms, &folder->lock, why);
        if (!e)                                 /* again: the one that had the lock may have made it meanwhile */
                e = judge(disk, folder->path, &folder->is_new, why);
        if (!e)
                e = complete(disk, config, folder->is_new, why);
        return e ? e : read_secrets(disk, folder, why);
}

static enum err open_disk(const char *path, struct disk **ret_disk, struct why *why)
{
        enum err e = disk_folder_open(path, ret_disk, why);
        if (e == ERR_NOT_FOUND && file_kind(path) == FILE_ABSENT)
                return FAIL(why, e, "the folder that it is to stand in is not there: make that one first (mkdir -p)");
        return e ? e : file_check_own(path, why);
}

enum err data_folder_open(const struct data_folder_config *config, struct data_folder *ret_folder, struct why *why)
{
        struct data_folder folder = { .lock = -1 };
        OWN(disk_folder) struct disk *disk = NULL;
        enum err e = name_paths(&folder, config->path, why);
        if (!e)
                e = open_disk(config->path, &disk, why);
        if (!e)
                e = fill(disk, config, &folder, why);
        if (!e)
                *ret_folder = folder;
        else
                lock_give(folder.lock);
        OPENSSL_cleanse(folder.secret, sizeof(folder.secret));
        return e ? DURING(why, e, "the data folder %s", config->path) : OK;
}

void data_folder_done(struct data_folder *folder)
{
        lock_give(folder->lock);
        OPENSSL_cleanse(folder->secret, sizeof(folder->secret));
        OPENSSL_cleanse(folder->admin_key, sizeof(folder->admin_key));
        folder->lock = -1;
}

enum err data_folder_mark(const struct data_folder *folder, struct why *why)
{
        OWN(disk_folder) struct disk *disk = NULL;
        enum err e = disk_folder_open(folder->path, &disk, why);
        return e || has_file(disk, mark) ? e : disk->ops->replace(disk, mark, "", 0, why);
}
