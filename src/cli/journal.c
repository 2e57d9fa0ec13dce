#include "cli/journal.h"

#include "base/limits.h"
#include "format/json.h"
#include "platform/disk.h"

#include <string.h>

static const char next_name[] = "metadata/next";
enum { NEXT_BYTES_MAX = 8 * LIMIT_METADATA_BYTES };      /* metadata and a note of their largest size, quoted: escapes at worst double them */

/* There may be keys of the server in it. */
static void wipe(struct buf *buf)
{
        if (buf->bytes)
                explicit_bzero(buf->bytes, buf->capacity);
}

static enum err write_next(const struct journal_file *files, size_t count, struct buf *into, struct why *why)
{
        OWN(json) struct json *next = json_new_object();
        for (size_t i = 0; i < count; i++)
                json_set_text(next, files[i].path, buf_text(files[i].text));
        return json_write(next, 0, into, why);
}

enum err journal_commit(struct disk *disk, const struct journal_file *files, size_t count, struct why *why)
{
        OWN(buf) struct buf next;
        buf_init(&next, NEXT_BYTES_MAX);
        if (count > JOURNAL_FILES_MAX)
                return FAIL(why, ERR_LIMIT, "at most %d files change as one", JOURNAL_FILES_MAX);
        enum err e = write_next(files, count, &next, why);
        if (!e)
                e = disk->ops->replace(disk, next_name, next.bytes, next.length, why);
        wipe(&next);
        return e ? e : journal_finish(disk, why);
}

/* All of it is looked at before the first file changes. */
static enum err check(const struct json *json, struct why *why)
{
        size_t count = json_count(json);
        if (json_type(json) != JSON_OBJECT || !count || count > JOURNAL_FILES_MAX)
                return FAIL(why, ERR_SYNTAX, "not a step of this program");
        enum err e = OK;
        for (size_t i = 0; !e && i < count; i++) {
                e = disk_path_check(json_key_at(json, i), why);
                if (!e && !json_text(json_get(json, json_key_at(json, i))))
                        e = FAIL(why, ERR_SYNTAX, "not a step of this program");
        }
        return e;
}

static enum err carry_out(struct disk *disk, const struct json *json, struct why *why)
{
        enum err e = check(json, why);
        for (size_t i = 0; !e && i < json_count(json); i++) {
                const char *text = json_text(json_get(json, json_key_at(json, i)));
                e = disk->ops->replace(disk, json_key_at(json, i), text, strlen(text), why);
        }
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
        wipe(&text);
        return e ? DURING(why, e, "finishing the step in %s", next_name) : OK;
}
