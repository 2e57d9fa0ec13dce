#include "agent/content.h"

#include "agent/files.h"
#include "platform/disk_folder.h"
#include "platform/system.h"

#include <string.h>

struct content_path content_slot(const char *stream, enum slot_id slot)
{
        struct content_path path;
        snprintf(path.text, sizeof(path.text), "streams/%s/%s", stream, slot_name(slot));
        return path;
}

/* Copied aside and renamed, so that `factory` is there whole or not at all; one that is there stays, also where the disk refuses to say so. */
static enum err factory_install(struct disk *disk, const char *stream, const char *factory, struct why *why)
{
        struct content_path path = content_slot(stream, SLOT_FACTORY);
        enum err e = disk->ops->sync_folder(disk, path.text, why);
        if (e != ERR_NOT_FOUND)
                return e;
        if (!factory)
                return disk->ops->make_folder(disk, path.text, why);
        OWN(disk_folder) struct disk *from = NULL;
        e = disk_folder_find(factory, NULL, &from, why);
        if (e)
                return DURING(why, e, "the factory content %s", factory);
        char aside[CONTENT_PATH_BYTES + 8];
        snprintf(aside, sizeof(aside), "%s.new", path.text);
        e = disk->ops->remove_tree(disk, aside, why);
        if (!e)
                e = files_copy(&(struct files_copy){ from, disk, "", aside }, why);
        if (!e)
                e = disk->ops->rename(disk, aside, path.text, why);
        return e;
}

enum err content_prepare(struct disk *disk, const char *stream, const char *factory, struct why *why)
{
        char folder[CONTENT_PATH_BYTES];
        snprintf(folder, sizeof(folder), "streams/%s", stream);
        enum err e = disk->ops->make_folder(disk, "streams", why);
        if (!e)
                e = disk->ops->make_folder(disk, folder, why);
        if (!e)
                e = factory_install(disk, stream, factory, why);
        const enum slot_id others[] = { SLOT_A, SLOT_B, SLOT_NONE };
        for (size_t i = 0; !e && i < sizeof(others) / sizeof(others[0]); i++)
                e = disk->ops->make_folder(disk, content_slot(stream, others[i]).text, why);
        const char *const durable[] = { folder, "streams", "" };
        for (size_t i = 0; !e && i < sizeof(durable) / sizeof(durable[0]); i++)
                e = disk->ops->sync_folder(disk, durable[i], why);
        return e ? DURING(why, e, "preparing stream %s", stream) : OK;
}

static struct content_path current_link(const char *stream)
{
        struct content_path path;
        snprintf(path.text, sizeof(path.text), "streams/%s/current", stream);
        return path;
}

void content_current(const char *state_dir, const char *stream, char current[CONTENT_CURRENT_BYTES])
{
        char target[DISK_NAME_MAX + 1];
        struct why why;
        OWN(disk_folder) struct disk *disk = NULL;
        snprintf(current, CONTENT_CURRENT_BYTES, "%s/streams/%s/current", state_dir, stream);
        if (!system_has(SYSTEM_LINKS) && disk_folder_find(state_dir, NULL, &disk, &why) == OK && disk->ops->pointed(disk, current_link(stream).text, target, &why) == OK)
                snprintf(current, CONTENT_CURRENT_BYTES, "%s/streams/%s/%s", state_dir, stream, target);
}

bool content_is_settled(struct disk *disk, const struct slots *slots, size_t stream)
{
        const struct slot_stream *now = slots_stream(slots, stream);
        char target[DISK_NAME_MAX + 1];
        struct why why;
        enum err e = disk->ops->pointed(disk, current_link(now->name).text, target, &why);
        return !e && strcmp(target, slot_name((enum slot_id)now->current)) == 0;
}

static enum err look_at_entry(void *user, const char *name, enum disk_kind kind, uint64_t length, struct why *why)
{
        (void)user, (void)name, (void)kind, (void)length, (void)why;
        return OK;
}

bool content_is_there(struct disk *disk, const struct slots *slots, size_t stream)
{
        const struct slot_stream *now = slots_stream(slots, stream);
        struct content_path folder = content_slot(now->name, (enum slot_id)now->current);
        struct why why;
        return disk->ops->list(disk, folder.text, look_at_entry, NULL, &why) == OK;
}

enum err content_settle(struct disk *disk, const struct slots *slots, size_t stream, struct why *why)
{
        const struct slot_stream *now = slots_stream(slots, stream);
        if (content_is_settled(disk, slots, stream))
                return OK;
        struct content_path link = current_link(now->name);
        enum err e = disk->ops->point(disk, link.text, slot_name((enum slot_id)now->current), why);
        return e ? DURING(why, e, "pointing %s at %s", link.text, slot_name((enum slot_id)now->current)) : OK;
}

void content_version_word(char *version)
{
        for (char *at = version; *at; at++)
                if (!(*at >= '0' && *at <= '9') && !(*at >= 'a' && *at <= 'z') && !(*at >= 'A' && *at <= 'Z') && !strchr("._+:-", *at))
                        *at = '_';
}

void content_version(struct disk *disk, const struct slots *slots, size_t stream, char version[CONTENT_VERSION_BYTES])
{
        const struct slot_stream *now = slots_stream(slots, stream);
        char path[CONTENT_PATH_BYTES + 16];
        snprintf(path, sizeof(path), "%s/VERSION", content_slot(now->name, (enum slot_id)now->current).text);
        OWN(buf) struct buf bytes;
        buf_init(&bytes, 4096);
        struct why why;
        version[0] = 0;
        if (disk->ops->read(disk, path, &bytes, &why) == OK)
                snprintf(version, CONTENT_VERSION_BYTES, "%.*s", (int)strcspn(buf_text(&bytes), "\r\n"), buf_text(&bytes));
        content_version_word(version);
}
