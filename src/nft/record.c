#include "nft/record.h"

#include "nft/rules.h"
#include "platform/disk_folder.h"
#include "platform/file.h"
#include "platform/lock.h"

#include <inttypes.h>
#include <string.h>

enum { FIRST_LINE_BYTES = 200 };
#define FIRST_LINE "# firebreak-nft: brings back what stood. until_ms=%" PRId64 " boot=%s\n"

static void this_boot(char boot[RECORD_BOOT_BYTES])
{
        OWN(buf) struct buf text;
        struct why why;
        buf_init(&text, RECORD_BOOT_BYTES);
        boot[0] = 0;
        if (file_read("/proc/sys/kernel/random/boot_id", &text, &why) == OK)
                snprintf(boot, RECORD_BOOT_BYTES, "%.*s", (int)strcspn(buf_text(&text), "\n"), buf_text(&text));
}

enum err record_open(const char *folder, struct record *ret_record, struct why *why)
{
        snprintf(ret_record->folder, sizeof(ret_record->folder), "%s", folder);
        enum err e = disk_folder_open(folder, &ret_record->disk, why);
        return e ? DURING(why, e, "--state %s", folder) : OK;
}

void record_close(struct record *record)
{
        disk_folder_close(record->disk);
        record->disk = NULL;
}

void record_path(const struct record *record, const char *name, char path[static PATH_MAX + 16])
{
        snprintf(path, PATH_MAX + 16, "%s/%s", record->folder, name);
}

enum err record_lock(const struct record *record, int64_t wait_ms, int *ret_lock, struct why *why)
{
        char path[PATH_MAX + 16];
        record_path(record, "lock", path);
        return lock_take(path, wait_ms, ret_lock, why);
}

enum err record_lock_run(const struct record *record, int *ret_lock, struct why *why)
{
        char path[PATH_MAX + 16];
        record_path(record, "run.lock", path);
        enum err e = lock_take(path, RECORD_LOCK_MS, ret_lock, why);
        /* On a disk that takes nothing it may never have been made; what is known may be applied all the same. */
        return e == ERR_BUSY ? DURING(why, e, "another stream has this --state") : OK;
}

enum err record_keep(const struct record *record, const char *name, const struct buf *text, struct why *why)
{
        return record->disk->ops->replace(record->disk, name, buf_text(text), text->length, why);
}

enum err record_read(const struct record *record, const char *name, struct buf *text, struct why *why)
{
        return record->disk->ops->read(record->disk, name, text, why);
}

enum err record_arm(const struct record *record, const struct buf *script, int64_t until_ms, struct why *why)
{
        OWN(buf) struct buf armed;
        char boot[RECORD_BOOT_BYTES], path[PATH_MAX + 16];
        this_boot(boot);
        buf_init(&armed, RULES_BYTES_MAX + 4096);
        buf_addf(&armed, FIRST_LINE, until_ms, boot);
        buf_add(&armed, buf_text(script), script->length);
        enum err e = buf_check(&armed, why);
        if (!e)
                e = record_keep(record, "back.new", &armed, why);
        record_path(record, "back.new", path);
        if (!e)
                e = rules_check(path, why);
        if (e)
                return DURING(why, e, "what stands could not be brought back");
        return record->disk->ops->rename(record->disk, "back.new", "armed", why);
}

/* It is asked for often, and the whole may be long. */
static enum err read_start(const struct record *record, const char *name, struct buf *text, struct why *why)
{
        char bytes[FIRST_LINE_BYTES];
        uint64_t all = 0;
        size_t length = 0;
        int file = -1;
        enum err e = record->disk->ops->open(record->disk, name, &file, &all, why);
        if (e)
                return e;
        e = record->disk->ops->file_read(record->disk, file, bytes, sizeof(bytes), &length, why);
        record->disk->ops->file_close(record->disk, file);
        buf_add(text, bytes, e ? 0 : length);
        return e ? e : buf_check(text, why);
}

enum err record_is_armed(const struct record *record, struct record_armed *ret_armed, struct why *why)
{
        OWN(buf) struct buf text;
        char boot[RECORD_BOOT_BYTES], then[RECORD_BOOT_BYTES] = "";
        int64_t until_ms = 0;
        buf_init(&text, FIRST_LINE_BYTES);
        enum err e = read_start(record, "armed", &text, why);
        if (e)
                return e;
        this_boot(boot);
        bool is_whole = sscanf(buf_text(&text), "# firebreak-nft: brings back what stood. until_ms=%" SCNd64 " boot=%39s", &until_ms, then) == 2;
        *ret_armed = (struct record_armed){ is_whole ? until_ms : 0, !is_whole || strcmp(boot, then) == 0 };
        return OK;
}

enum err record_disarm(const struct record *record, struct why *why)
{
        return record->disk->ops->remove_tree(record->disk, "armed", why);
}

static enum err apply(const struct record *record, const char *name, struct why *why)
{
        char path[PATH_MAX + 16];
        record_path(record, name, path);
        return rules_apply(path, RULES_BACK_MS, why);
}

static bool is_there(const struct record *record, const char *name)
{
        char path[PATH_MAX + 16];
        record_path(record, name, path);
        return file_kind(path) != FILE_ABSENT;
}

enum err record_apply_good(const struct record *record, struct why *why)
{
        struct why before;
        if (!is_there(record, "good"))
                return FAIL(why, ERR_NOT_FOUND, "no rules have answered yet");
        enum err e = apply(record, "good", why);
        return e && is_there(record, "good.before") && apply(record, "good.before", &before) == OK ? OK : e;
}

enum err record_bring_back(const struct record *record, struct why *why)
{
        enum err e = apply(record, "armed", why);
        return e ? DURING(why, e, "bringing back what stood") : OK;
}

enum err record_returned(const struct record *record, struct why *why)
{
        return record->disk->ops->rename(record->disk, "armed", "returned", why);
}

static bool is_same(const struct record *record, const char *name, const struct buf *script)
{
        OWN(buf) struct buf text;
        struct why why;
        buf_init(&text, RULES_BYTES_MAX + 8192);
        return record_read(record, name, &text, &why) == OK && buf_equal(&text, script);
}

const char *record_knows(const struct record *record, const struct buf *script)
{
        return is_same(record, "good", script) ? "good" : is_same(record, "good.before", script) ? "good.before" : NULL;
}

/* A cut in between leaves the same twice. */
static enum err exchange(const struct record *record, const struct buf *script, struct why *why)
{
        OWN(buf) struct buf last;
        buf_init(&last, RULES_BYTES_MAX + 8192);
        enum err e = record_read(record, "good", &last, why);
        if (!e)
                e = record_keep(record, "good.before", &last, why);
        return e && e != ERR_NOT_FOUND ? e : record_keep(record, "good", script, why);
}

enum err record_good(const struct record *record, const struct buf *script, struct why *why)
{
        struct why unmoved;
        if (is_same(record, "good", script))
                return OK;
        enum err e = exchange(record, script, why);
        if (e && is_same(record, "good.before", script))
                e = record->disk->ops->rename(record->disk, "good.before", "good", &unmoved) ? e : OK;
        return e;
}
