#include "tuf/session.h"

#include "platform/file.h"

#include <string.h>

enum {
        URL_BYTES = 4096,
        METADATA_MS = 60000,             /* a file of 1 MiB over 140 kbit/s; one that comes a byte a second has no end before */
        TARGET_BYTES_PER_MS = 8,         /* slower than 64 kbit/s is as good as never */
};

static const char root_name[] = "root.json";

static enum err check_root(const char *path, const struct buf *root, struct why *why)
{
        OWN(tuf) struct tuf *tuf = NULL;
        enum err e = tuf_open(root, 0, &tuf, why);
        return e ? DURING(why, e, "%s", path) : OK;
}

enum err session_init(const struct tuf_options *options, struct why *why)
{
        OWN(buf) struct buf root, before;
        OWN(disk_folder) struct disk *disk = NULL;
        struct why none;
        buf_init(&root, LIMIT_METADATA_BYTES);
        buf_init(&before, LIMIT_METADATA_BYTES);
        enum err e = file_read(options->root, &root, why);
        if (!e)
                e = check_root(options->root, &root, why);
        if (e)
                return e;
        e = disk_folder_open(options->metadata_dir, &disk, why);
        if (!e)
                e = disk_folder_lock(disk, why);
        if (!e && disk->ops->read(disk, root_name, &before, &none) != ERR_NOT_FOUND)
                e = FAIL(why, ERR_REFUSED, "there is a trusted root already; to trust another one, take another folder or remove this one");
        if (!e)
                e = disk->ops->replace(disk, root_name, root.bytes, root.length, why);
        return e ? DURING(why, e, "%s", options->metadata_dir) : OK;
}

static enum err open_metadata(const struct tuf_options *options, struct disk **ret_disk, struct buf *root, struct why *why)
{
        OWN(disk_folder) struct disk *disk = NULL;
        enum err e = disk_folder_find(options->metadata_dir, NULL, &disk, why);
        if (!e)
                e = disk_folder_lock(disk, why);
        if (!e)
                e = disk->ops->read(disk, root_name, root, why);
        if (e == ERR_NOT_FOUND)
                return FAIL(why, e, "%s has no trusted root; begin with `firebreak-tuf --metadata-dir %s init ROOT`", options->metadata_dir, options->metadata_dir);
        if (e)
                return DURING(why, e, "%s", options->metadata_dir);
        *ret_disk = GIVE(disk);
        return OK;
}

/* What init or a refresh stored was good: somebody else wrote to it. */
static enum err open_client(const struct tuf_options *options, const struct buf *root, int64_t now, struct tuf_client **ret_client, struct why *why)
{
        enum err e = tuf_client_open(root, now, ret_client, why);
        return e ? DURING(why, e, "%s/%s is damaged; take another folder and begin with init", options->metadata_dir, root_name) : OK;
}

enum err session_open(const struct tuf_options *options, int64_t now, struct session *ret_session, struct why *why)
{
        OWN(session) struct session session = { .options = options };
        OWN(buf) struct buf root;
        buf_init(&root, LIMIT_METADATA_BYTES);
        const struct net_config config = { .ca_file = options->ca, .agent = "firebreak-tuf/" FIREBREAK_VERSION, .is_plain_allowed = true };
        enum err e = open_metadata(options, &session.metadata, &root, why);
        if (!e)
                e = open_client(options, &root, now, &session.client, why);
        if (!e)
                e = net_open(&config, &session.net, why);
        if (e)
                return e;
        *ret_session = session;
        session = (struct session){ 0 };
        return OK;
}

void session_done(struct session *session)
{
        tuf_client_close(session->client);
        net_close(session->net);
        disk_folder_close(session->metadata);
        *session = (struct session){ 0 };
}

enum err session_get(struct session *session, const char *url, const struct net_download *download, struct buf *into, struct why *why)
{
        const uint64_t total_ms = METADATA_MS + (download ? download->bytes_max / TARGET_BYTES_PER_MS : 0);
        const struct net_request request = { .method = "GET", .url = url, .download = download, .total_ms = total_ms < UINT32_MAX ? (uint32_t)total_ms : 0 };
        struct net_response response = { .body = into };
        enum err e = session->net->ops->exchange(session->net, &request, &response, why);
        /* Stores of objects say 403 of what is not there. */
        if (!e && (response.status == 404 || response.status == 403))
                return FAIL(why, ERR_NOT_FOUND, "%s: the server has no such file (%d)", url, response.status);
        if (!e && response.status != 200)
                return FAIL(why, ERR_UNAVAILABLE, "%s: the server answered %d", url, response.status);
        return e;
}

/* One that is too large for a file of ours is as good as none. */
static enum err load(struct session *session, const struct tuf_task *task, struct why *why)
{
        OWN(buf) struct buf file;
        buf_init(&file, (size_t)task->bytes_max);
        enum err e = session->metadata->ops->read(session->metadata, task->name, &file, why);
        if (e == ERR_NOT_FOUND || e == ERR_LIMIT)
                return tuf_client_lacks(session->client, why);
        return e ? DURING(why, e, "%s", session->options->metadata_dir) : tuf_client_give(session->client, &file, why);
}

static enum err fetch(struct session *session, const struct tuf_task *task, struct why *why)
{
        char url[URL_BYTES];
        const char *base = session->options->metadata_url;
        OWN(buf) struct buf file;
        buf_init(&file, (size_t)task->bytes_max);
        if (snprintf(url, sizeof(url), "%s%s%s", base, *base && base[strlen(base) - 1] == '/' ? "" : "/", task->name) >= (int)sizeof(url))
                return FAIL(why, ERR_LIMIT, "--metadata-url: more than %d bytes", URL_BYTES);
        enum err e = session_get(session, url, NULL, &file, why);
        if (e == ERR_NOT_FOUND) {
                struct why said = *why;
                e = tuf_client_lacks(session->client, why);
                if (e)
                        return FAIL(why, e, "%s: %s", said.text, task->role == TUF_TIMESTAMP ? "is --metadata-url right?" : why->text);
        } else if (!e)
                e = tuf_client_give(session->client, &file, why);
        return e ? DURING(why, e, "%s", task->name) : OK;
}

static enum err store(struct session *session, const struct tuf_task *task, struct why *why)
{
        enum err e = session->metadata->ops->replace(session->metadata, task->name, buf_text(task->file), task->file->length, why);
        if (e)
                return DURING(why, e, "%s", session->options->metadata_dir);
        tuf_client_stored(session->client);
        return OK;
}

enum err session_follow(struct session *session, struct why *why)
{
        struct tuf_task task;
        enum err e = tuf_client_next(session->client, &task, why);
        while (!e && task.kind != TUF_DONE) {
                e = task.kind == TUF_LOAD ? load(session, &task, why) : task.kind == TUF_FETCH ? fetch(session, &task, why) : store(session, &task, why);
                if (!e)
                        e = tuf_client_next(session->client, &task, why);
        }
        return e;
}
