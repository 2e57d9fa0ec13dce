#include "tuf/download.h"

#include "format/hex.h"
#include "format/percent.h"
#include "platform/channel.h"

#include <inttypes.h>
#include <string.h>

enum { READ_BYTES = 16 << 10, PATH_BYTES = 3072, URL_BYTES = 4096 };

static const char part_name[] = "+part";         /* no target's: a plus is escaped in theirs */

static void add_escaped(const char *text, size_t length, struct buf *into)
{
        char escaped[PERCENT_BYTES];
        for (size_t i = 0; i < length; i++)
                buf_add(into, escaped, percent_byte(text[i], escaped));
}

static bool leads_out(const char *part, size_t length)
{
        return !length || (length == 1 && part[0] == '.') || (length == 2 && memcmp(part, "..", 2) == 0);
}

enum err download_path(const char *name, const struct tuf_digest *consistent, struct buf *into, struct why *why)
{
        for (const char *part = name;;) {
                const size_t length = strcspn(part, "/");
                if (leads_out(part, length))
                        return FAIL(why, ERR_REFUSED, "a path with an empty part, `.` or `..` is not fetched");
                const bool is_last = !part[length];
                if (is_last && consistent) {
                        char hex[2 * SHA512_BYTES + 1];
                        hex_encode(consistent->has_sha256 ? consistent->sha256 : consistent->sha512, consistent->has_sha256 ? SHA256_BYTES : SHA512_BYTES, hex);
                        buf_addf(into, "%s.", hex);
                }
                add_escaped(part, length, into);
                if (is_last)
                        return buf_check(into, why);
                buf_add_text(into, "/");
                part += length + 1;
        }
}

static enum err file_name(const char *name, char file[DOWNLOAD_NAME_BYTES], struct why *why)
{
        OWN(buf) struct buf escaped;
        buf_init(&escaped, DOWNLOAD_NAME_BYTES - 1);
        add_escaped(name, strlen(name), &escaped);
        enum err e = buf_check(&escaped, why);
        if (e == ERR_LIMIT)
                return FAIL(why, e, "target %.200s: its name, escaped, is longer than that of a file may be (%d bytes)", name, DOWNLOAD_NAME_BYTES - 1);
        if (!e)
                memcpy(file, buf_text(&escaped), escaped.length + 1);
        return e;
}

/* Whether a file is the one that was found. ERR_NOT_FOUND, ERR_UNTRUSTED. */
static enum err check_file(struct disk *disk, const char *file, const struct tuf_found *found, struct why *why)
{
        char bytes[READ_BYTES];
        int handle;
        uint64_t length;
        size_t n = 0;
        struct tuf_digester digester;
        struct tuf_digest digest;
        enum err e = disk->ops->open(disk, file, &handle, &length, why);
        if (e)
                return e;
        tuf_digester_init(&digester);
        do {
                e = disk->ops->file_read(disk, handle, bytes, sizeof(bytes), &n, why);
                if (!e)
                        tuf_digester_update(&digester, bytes, n);
        } while (!e && n);
        disk->ops->file_close(disk, handle);
        if (e)
                return e;
        tuf_digester_final(&digester, &digest);
        if (length != found->length || !tuf_digest_fits(&found->digest, &digest))
                return FAIL(why, ERR_UNTRUSTED, "other bytes than the repository vouches for (%" PRIu64 " of them, and %" PRIu64 " were announced)", length, found->length);
        return OK;
}

static enum err fetch(struct session *session, const char *path, const struct tuf_found *found, int part, struct why *why)
{
        const char *base = session->options->target_base_url, *slash = *base && base[strlen(base) - 1] == '/' ? "" : "/";
        char url[URL_BYTES];
        OWN(buf) struct buf other;               /* the body of any other answer */
        buf_init(&other, READ_BYTES);
        if (snprintf(url, sizeof(url), "%s%s%s", base, slash, path) >= (int)sizeof(url))
                return FAIL(why, ERR_LIMIT, "--target-base-url is too long");
        return session_get(session, url, &(struct net_download){ .file = part, .bytes_max = found->length }, &other, why);
}

/* The part gets its name only once it is the right one, and durable. */
static enum err keep(struct disk *disk, const char *file, const struct tuf_found *found, struct why *why)
{
        int handle;
        uint64_t length;
        enum err e = check_file(disk, part_name, found, why);
        if (!e)
                e = disk->ops->open(disk, part_name, &handle, &length, why);
        if (e)
                return e;
        e = disk->ops->file_sync(disk, handle, why);
        disk->ops->file_close(disk, handle);
        return e ? e : disk->ops->rename(disk, part_name, file, why);
}

/* The part is ours until it has its name: whoever else downloads into the folder meanwhile is told so. */
static enum err fetch_found(struct session *session, struct disk *disk, const char *name, const char *file, struct why *why)
{
        const struct tuf_found *found = tuf_client_found(session->client);
        int part = -1;
        OWN(buf) struct buf path;
        buf_init(&path, PATH_BYTES);
        enum err e = download_path(name, tuf_is_consistent(tuf_client_trusted(session->client)) ? &found->digest : NULL, &path, why);
        if (!e)
                e = disk_folder_part(disk, part_name, &part, why);
        if (e)
                return e;
        e = fetch(session, buf_text(&path), found, part, why);
        if (!e)
                e = keep(disk, file, found, why);
        struct why none;
        if (e && disk->ops->remove_tree(disk, part_name, &none))
                e = DURING(why, e, "(what was downloaded of it is left in %s)", part_name);
        channel_close(part);
        return e;
}

enum err download_target(struct session *session, const char *name, struct downloaded *ret_downloaded, struct why *why)
{
        struct downloaded done = { 0 };
        OWN(disk_folder) struct disk *disk = NULL;
        struct why none;
        enum err e = file_name(name, done.file, why);
        if (!e)
                e = tuf_client_seek(session->client, name, why);
        if (!e)
                e = session_follow(session, why);
        if (e)
                return e;
        const struct tuf_found *found = tuf_client_found(session->client);
        if (!found)
                return FAIL(why, ERR_NOT_FOUND, "target %.200s: the repository vouches for none of this name", name);
        done.length = found->length;
        e = disk_folder_open(session->options->target_dir, &disk, why);
        if (!e && disk_folder_is(disk, session->metadata))
                e = FAIL(why, ERR_REFUSED, "targets need another folder than the trusted metadata, or one named root.json would be trusted");
        if (e)
                return DURING(why, e, "%s", session->options->target_dir);
        done.was_there = check_file(disk, done.file, found, &none) == OK;
        if (!done.was_there)
                e = fetch_found(session, disk, name, done.file, why);
        if (e)
                return DURING(why, e, "target %.200s", name);
        *ret_downloaded = done;
        return OK;
}
