#include "cli/publisher.h"

#include "base/limits.h"
#include "base/mem.h"
#include "cli/journal.h"
#include "format/json.h"
#include "platform/disk_folder.h"
#include "platform/file.h"

#include <string.h>

struct publisher {
        struct disk *disk;
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
        enum err e = disk_folder_open(path, &publisher->disk, why);
        if (!e)
                e = read_name(publisher, why);
        if (!e)
                e = journal_finish(publisher->disk, why);
        if (!e)
                *ret_publisher = GIVE(publisher);
        return e;
}

void publisher_close(struct publisher *publisher)
{
        if (!publisher)
                return;
        disk_folder_close(publisher->disk);
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
