#include "cli/publisher.h"

#include "base/limits.h"
#include "base/mem.h"
#include "cli/journal.h"
#include "format/json.h"
#include "platform/disk_folder.h"
#include "platform/file.h"
#include "platform/lock.h"

#include <limits.h>
#include <string.h>

enum { HOLD_WAIT_MS = 2000 };        /* a signature takes milliseconds, but who asks for a passphrase may take long */

struct publisher {
        struct disk *disk;
        int lock;                /* -1: not held */
        const char *path;        /* borrowed from the arguments */
        char name[LIMIT_NAME_BYTES + 1];
};

static enum err read_name(struct publisher *publisher, struct why *why)
{
        static const struct json_field fields[] = { { "name", JSON_TEXT, true, 0, 1, LIMIT_NAME_BYTES } };
        const char *name = NULL;
        OWN(json) struct json *json = NULL;
        OWN(buf) struct buf text;
        buf_init(&text, LIMIT_METADATA_BYTES);
        enum err e = publisher->disk->ops->read(publisher->disk, "publisher.json", &text, why);
        if (e == ERR_NOT_FOUND)
                return FAIL(why, e, "%.120s is no publisher's folder; `firebreak init` makes one", publisher->path);
        if (!e)
                e = json_parse(buf_text(&text), text.length, LIMIT_METADATA_BYTES, &json, why);
        if (!e)
                e = JSON_READ(json, fields, &name, why);
        if (!e && !name_is_good(name))
                e = FAIL(why, ERR_SYNTAX, "the name is none");
        if (e)
                return DURING(why, e, "%.80s/publisher.json", publisher->path);
        snprintf(publisher->name, sizeof(publisher->name), "%s", name);
        return OK;
}

static enum err take_lock(struct publisher *publisher, struct why *why)
{
        char path[PATH_MAX];
        if (publisher->lock >= 0)
                return OK;
        if ((size_t)snprintf(path, sizeof(path), "%s/lock", publisher->path) >= sizeof(path))
                return FAIL(why, ERR_LIMIT, "a path of more than %zu bytes", sizeof(path) - 1);
        return lock_take(path, HOLD_WAIT_MS, &publisher->lock, why);
}

enum err publisher_hold(struct publisher *publisher, struct why *why)
{
        enum err e = take_lock(publisher, why);
        return e ? e : journal_finish(publisher->disk, why);
}

/* What is unfinished may be another's who is just at it: only who has the lock finishes it. Where nothing is, nothing is
 * written, so that a folder can be published from a medium that cannot be written to. */
static enum err finish(struct publisher *publisher, struct why *why)
{
        bool is_pending = false;
        enum err e = journal_is_pending(publisher->disk, &is_pending, why);
        if (e || !is_pending)
                return e;
        e = publisher_hold(publisher, why);
        lock_give(publisher->lock);
        publisher->lock = -1;
        return e;
}

enum err publisher_open(struct cli *cli, struct publisher **ret_publisher, struct why *why)
{
        OWN(publisher) struct publisher *publisher = mem_new(1, sizeof(*publisher));
        const char *path = arg_text(cli->args, OPTION_PUBLISHER, NULL);
        if (!path)
                return FAIL(why, ERR_USAGE, "whose release? give --publisher DIR, the folder that `firebreak init` made");
        if (file_kind(path) != FILE_FOLDER)
                return FAIL(why, ERR_NOT_FOUND, "%.120s is no publisher's folder; `firebreak init` makes one", path);
        if (!publisher)
                return FAIL(why, ERR_NOMEM, "opening %.120s", path);
        publisher->path = path;
        publisher->lock = -1;
        enum err e = disk_folder_open(path, &publisher->disk, why);
        if (!e)
                e = read_name(publisher, why);
        if (!e)
                e = finish(publisher, why);
        if (!e)
                *ret_publisher = GIVE(publisher);
        return e;
}

void publisher_close(struct publisher *publisher)
{
        if (!publisher)
                return;
        disk_folder_close(publisher->disk);
        lock_give(publisher->lock);
        mem_free(publisher);
}

struct disk *publisher_disk(const struct publisher *publisher)
{
        return publisher->disk;
}

const char *publisher_path(const struct publisher *publisher)
{
        return publisher->path;
}

const char *publisher_name(const struct publisher *publisher)
{
        return publisher->name;
}

void publisher_release_path(const struct release_id *id, const char *below, char path[static PUBLISHER_PATH_MAX])
{
        char part[160];
        release_id_path(id, "releases", "", part);
        snprintf(path, PUBLISHER_PATH_MAX, "%s%s", part, below);
}

enum err publisher_log(const char *publisher, const struct public_key *key, struct verifier *ret_log, struct why *why)
{
        char name[LIMIT_NAME_BYTES + 32];
        snprintf(name, sizeof(name), "log.%.64s.%02x%02x%02x%02x", publisher, key->bytes[0], key->bytes[1], key->bytes[2], key->bytes[3]);
        return verifier_log(name, key, ret_log, why);
}
