#include "cli/journal.h"

#include "base/limits.h"
#include "cli/publisher.h"
#include "format/canon.h"
#include "format/json.h"
#include "platform/disk.h"

#include <string.h>

static const char next_name[] = "metadata/next";
enum { NEXT_BYTES_MAX = 2 * LIMIT_METADATA_BYTES + 2 * LIMIT_NOTE_BYTES };    /* the note's escapes at worst double it */

/* Ordinary JSON: the canonical form keeps a note's line ends raw. The documents inside are made canonical when they come out. */
static enum err write_next(const struct journal_entry *entry, struct buf *into, struct why *why)
{
        OWN(json) struct json *targets = NULL, *snapshot = NULL, *next = json_new_object();
        char release[160];
        release_id_path(&entry->release, "", "", release);
        enum err e = json_parse(buf_text(entry->targets), entry->targets->length, LIMIT_METADATA_BYTES, &targets, why);
        if (!e)
                e = json_parse(buf_text(entry->snapshot), entry->snapshot->length, LIMIT_METADATA_BYTES, &snapshot, why);
        if (e)
                return e;
        json_set_text(next, "release", release + 1);
        json_set_text(next, "note", buf_text(entry->note));
        json_set(next, "targets", GIVE(targets));
        json_set(next, "snapshot", GIVE(snapshot));
        return json_write(next, 0, into, why);
}

enum err journal_commit(struct disk *disk, const struct journal_entry *entry, struct why *why)
{
        OWN(buf) struct buf next;
        buf_init(&next, NEXT_BYTES_MAX);
        enum err e = write_next(entry, &next, why);
        if (!e)
                e = disk->ops->replace(disk, next_name, next.bytes, next.length, why);
        return e ? e : journal_finish(disk, why);
}

static enum err replace_json(struct disk *disk, const char *path, const struct json *json, struct why *why)
{
        OWN(buf) struct buf text;
        buf_init(&text, LIMIT_METADATA_BYTES);
        enum err e = canon_write(json, &text, why);
        return e ? e : disk->ops->replace(disk, path, text.bytes, text.length, why);
}

struct next {
        const char *release, *note;
        const struct json *targets, *snapshot;
};

static const struct json_field next_fields[] = {
        { "release", JSON_TEXT, true, offsetof(struct next, release), 3, 160 },
        { "note", JSON_TEXT, true, offsetof(struct next, note), 1, LIMIT_NOTE_BYTES },
        { "targets", JSON_OBJECT, true, offsetof(struct next, targets), 1, 16 },
        { "snapshot", JSON_OBJECT, true, offsetof(struct next, snapshot), 1, 16 },
};

/* The newest metadata, and a copy beside the note: a release is published with the metadata that listed it first, also when
 * a later one has been signed meanwhile. */
static enum err replace_both(struct disk *disk, const struct release_id *id, const char *name, const struct json *json, struct why *why)
{
        char path[PUBLISHER_PATH_MAX], newest[64];
        snprintf(newest, sizeof(newest), "metadata%s", name);
        publisher_release_path(id, name, path);
        enum err e = replace_json(disk, path, json, why);
        return e ? e : replace_json(disk, newest, json, why);
}

static enum err carry_out(struct disk *disk, const struct json *json, struct why *why)
{
        struct next next = { 0 };
        struct release_id id;
        char path[PUBLISHER_PATH_MAX];
        enum err e = JSON_READ(json, next_fields, &next, why);
        if (!e)
                e = release_id_parse(next.release, &id, why);
        if (e)
                return e;
        publisher_release_path(&id, "/note", path);
        e = disk->ops->replace(disk, path, next.note, strlen(next.note), why);
        if (!e)
                e = replace_both(disk, &id, "/targets.json", next.targets, why);
        if (!e)
                e = replace_both(disk, &id, "/snapshot.json", next.snapshot, why);
        return e ? e : disk->ops->remove_tree(disk, next_name, why);
}

enum err journal_is_pending(struct disk *disk, bool *ret_is, struct why *why)
{
        int file;
        uint64_t length;
        enum err e = disk->ops->open(disk, next_name, &file, &length, why);
        if (!e)
                disk->ops->file_close(disk, file);
        if (!e || e == ERR_NOT_FOUND)
                *ret_is = !e;
        return e == ERR_NOT_FOUND ? OK : e;
}

enum err journal_finish(struct disk *disk, struct why *why)
{
        OWN(json) struct json *json = NULL;
        OWN(buf) struct buf text;
        buf_init(&text, NEXT_BYTES_MAX);
        enum err e = disk->ops->read(disk, next_name, &text, why);
        if (e == ERR_NOT_FOUND)
                return OK;
        if (!e)
                e = json_parse(buf_text(&text), text.length, NEXT_BYTES_MAX, &json, why);
        if (!e)
                e = carry_out(disk, json, why);
        return e ? DURING(why, e, "finishing the step in %s", next_name) : OK;
}
