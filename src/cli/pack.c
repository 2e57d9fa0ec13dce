#include "cli/pack.h"

#include "base/limits.h"
#include "cli/publisher.h"
#include "platform/disk.h"
#include "trust/sha.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PART_BYTES = 1 << 16, COUNTER_MAX = 999999999 };

/* ---- which number, which floor ---- */

struct counters {
        int64_t wanted, highest, below;      /* 0: none; `below`: the highest under `wanted` */
        bool is_taken;
};

static int64_t counter_of(const char *name)
{
        size_t length = strlen(name);
        return length <= 9 && strspn(name, "0123456789") == length && name[0] != '0' ? strtoll(name, NULL, 10) : 0;
}

static enum err note_counter(void *user, const char *name, enum disk_kind kind, uint64_t length, struct why *why)
{
        struct counters *counters = user;
        int64_t counter = counter_of(name);
        (void)kind, (void)length, (void)why;
        counters->is_taken |= counter && counter == counters->wanted;
        if (counter > counters->highest)
                counters->highest = counter;
        if (counter > counters->below && (!counters->wanted || counter < counters->wanted))
                counters->below = counter;
        return OK;
}

static enum err choose_counter(const struct packing *packing, struct counters *counters, struct why *why)
{
        char path[PUBLISHER_PATH_MAX];
        *counters = (struct counters){ .wanted = packing->spec->counter };
        snprintf(path, sizeof(path), "releases/%.64s", packing->spec->stream);
        enum err e = packing->into->ops->list(packing->into, path, note_counter, counters, why);
        if (e && e != ERR_NOT_FOUND)
                return e;
        if (counters->is_taken)
                return FAIL(why, ERR_REFUSED, "%.64s/%lld is there already, and a release never changes; the next is --counter %lld", packing->spec->stream,
                            (long long)counters->wanted, (long long)counters->highest + 1);
        if (!counters->wanted)
                counters->wanted = counters->highest + 1;
        return counters->wanted <= COUNTER_MAX ? OK : FAIL(why, ERR_LIMIT, "counters end at %d; begin a new stream", COUNTER_MAX);
}

/* A floor never goes down: without a word it stays what the release before had. */
static enum err choose_floor(const struct packing *packing, const struct counters *counters, uint64_t *ret_floor, struct why *why)
{
        struct release_id before = { .counter = counters->below };
        OWN(release_note) struct release_note *note = NULL;
        OWN(buf) struct buf text;
        char path[PUBLISHER_PATH_MAX];
        uint64_t floor = (uint64_t)packing->spec->floor;
        buf_init(&text, LIMIT_NOTE_BYTES);
        *ret_floor = floor ? floor : 1;
        if (!counters->below)
                return OK;
        snprintf(before.stream, sizeof(before.stream), "%s", packing->spec->stream);
        publisher_release_path(&before, "/note", path);
        enum err e = packing->into->ops->read(packing->into, path, &text, why);
        if (!e)
                e = release_note_parse(buf_text(&text), note_signed_length(buf_text(&text), text.length), &note, why);
        if (e)
                return DURING(why, e, "%.200s", path);
        if (floor && floor < note->floor)
                return FAIL(why, ERR_ROLLBACK, "floor %llu: %.64s/%lld has floor %llu, and a floor never goes down", (unsigned long long)floor, before.stream,
                            (long long)before.counter, (unsigned long long)note->floor);
        if (!floor)
                *ret_floor = note->floor;
        return OK;
}

/* ---- the folder ---- */

struct folder {
        struct disk *disk;
        char made[PUBLISHER_PATH_MAX], named[PUBLISHER_PATH_MAX];
};

static void path_of(const struct folder *folder, const char *below, char path[static DISK_PATH_MAX + 1])
{
        snprintf(path, DISK_PATH_MAX + 1, "%s/files%s%s", folder->made, *below ? "/" : "", below);
}

/* Makes a folder, or makes it durable. */
typedef enum err folder_step(struct disk *disk, const char *path, struct why *why);

/* For the folders of `path`, from the top, without those that `before`, the path before it in the list, had already. */
static enum err each_parent(const struct folder *folder, const char *before, const char *path, folder_step *step, struct why *why)
{
        char part[LIMIT_PATH_BYTES + 1], whole[DISK_PATH_MAX + 1];
        enum err e = OK;
        for (const char *slash = strchr(path, '/'); !e && slash; slash = strchr(slash + 1, '/')) {
                size_t length = (size_t)(slash - path);
                if (strncmp(before, path, length + 1) == 0)
                        continue;
                snprintf(part, sizeof(part), "%.*s", (int)length, path);
                path_of(folder, part, whole);
                e = step(folder->disk, whole, why);
        }
        return e;
}

static enum err each_folder(const struct folder *folder, const struct release_note *note, folder_step *step, struct why *why)
{
        enum err e = OK;
        for (size_t i = 0; !e && i < note->file_count; i++)
                e = each_parent(folder, i ? note->files[i - 1].path : "", note->files[i].path, step, why);
        return e;
}

struct copying {
        struct disk *from, *into;
        int in, out;
        uint64_t left;                       /* of what all files together may have */
};

static enum err copy_bytes(struct copying *copying, struct release_file *file, struct why *why)
{
        char part[PART_BYTES];
        struct sha256 sha;
        enum err e = OK;
        sha256_init(&sha);
        for (size_t got = 1; !e && got;) {
                e = copying->from->ops->file_read(copying->from, copying->in, part, sizeof(part), &got, why);
                if (!e && got > copying->left)
                        e = FAIL(why, ERR_LIMIT, "it grows while it is packed, past %d bytes in all", LIMIT_ARTIFACT_BYTES);
                if (e)
                        return e;
                sha256_update(&sha, part, got);
                file->length += got;
                copying->left -= got;
                if (got)
                        e = copying->into->ops->file_write(copying->into, copying->out, part, got, why);
        }
        sha256_final(&sha, file->sha256);
        return e ? e : copying->into->ops->file_sync(copying->into, copying->out, why);
}

static enum err copy_file(const struct folder *folder, struct copying *copying, struct release_file *file, struct why *why)
{
        char whole[DISK_PATH_MAX + 1];
        uint64_t length;
        path_of(folder, file->path, whole);
        enum err e = copying->from->ops->open(copying->from, file->path, &copying->in, &length, why);
        if (e)
                return e;
        file->is_program = copying->from->ops->file_is_program(copying->from, copying->in);
        e = copying->into->ops->create(copying->into, whole, file->is_program ? 0700 : 0600, &copying->out, why);
        if (!e) {
                e = copy_bytes(copying, file, why);
                copying->into->ops->file_close(copying->into, copying->out);
        }
        copying->from->ops->file_close(copying->from, copying->in);
        return e;
}

static enum err copy_all(const struct packing *packing, const struct folder *folder, struct release_note *note, struct why *why)
{
        struct copying copying = { .from = packing->from, .into = packing->into, .left = LIMIT_ARTIFACT_BYTES };
        enum err e = each_folder(folder, note, folder->disk->ops->make_folder, why);
        for (size_t i = 0; !e && i < note->file_count; i++) {
                e = copy_file(folder, &copying, &note->files[i], why);
                if (e)
                        return DURING(why, e, "%.160s", note->files[i].path);
        }
        return e ? e : each_folder(folder, note, folder->disk->ops->sync_folder, why);
}

/* ---- the note ---- */

/* OS-ARCH or `any`: what no device calls itself would be installed by none. */
static bool platform_is_good(const char *name)
{
        const char *dash = strchr(name, '-');
        if (!name_is_good(name) || strlen(name) > LIMIT_NAME_BYTES)
                return false;
        return strcmp(name, "any") == 0 || (dash && dash != name && dash[1] && !strchr(dash + 1, '-'));
}

static enum err set_platforms(const struct release_spec *spec, struct release_note *note, struct why *why)
{
        if (spec->platforms.count > RELEASE_PLATFORMS_MAX)
                return FAIL(why, ERR_LIMIT, "more than %d platforms; say `any`", RELEASE_PLATFORMS_MAX);
        for (size_t i = 0; i < spec->platforms.count; i++) {
                const char *name = spec->platforms.items[i];
                if (!platform_is_good(name))
                        return FAIL(why, ERR_USAGE, "platform `%.80s`: write OS-ARCH, as linux-amd64, or any", name);
                snprintf(note->platforms[note->platform_count++], sizeof(note->platforms[0]), "%s", name);
        }
        return OK;
}

static enum err set_files(const struct packing *packing, struct release_note *note, struct why *why)
{
        note->files = arena_alloc(packing->arena, packing->content->count, sizeof(*note->files));
        if (!note->files)
                return FAIL(why, ERR_NOMEM, "the list of files");
        note->file_count = packing->content->count;
        for (size_t i = 0; i < note->file_count; i++)
                note->files[i].path = packing->content->files[i].path;
        return OK;
}

/* All but the lengths and digests of the files, which are known when they are copied. */
static enum err begin_note(const struct packing *packing, struct release_note *note, struct why *why)
{
        struct counters counters;
        enum err e = choose_counter(packing, &counters, why);
        if (!e)
                e = choose_floor(packing, &counters, &note->floor, why);
        if (e)
                return e;
        note->counter = (uint64_t)counters.wanted;
        if (note->floor > note->counter)
                return FAIL(why, ERR_USAGE, "floor %llu is above the release's own counter %lld", (unsigned long long)note->floor, (long long)counters.wanted);
        snprintf(note->stream, sizeof(note->stream), "%s", packing->spec->stream);
        if (packing->spec->version)
                snprintf(note->version, sizeof(note->version), "%s", packing->spec->version);
        else
                snprintf(note->version, sizeof(note->version), "%lld", (long long)counters.wanted);
        note->ceiling = packing->spec->ceiling;
        note->ceiling.start = packing->spec->start ? packing->spec->start : packing->now;
        sha256(packing->dossier->bytes, packing->dossier->length, note->dossier);
        e = set_platforms(packing->spec, note, why);
        return e ? e : set_files(packing, note, why);
}

static enum err put(const struct folder *folder, const char *name, const struct buf *bytes, struct why *why)
{
        char path[PUBLISHER_PATH_MAX + 32];
        snprintf(path, sizeof(path), "%s/%s", folder->made, name);
        return folder->disk->ops->replace(folder->disk, path, bytes->bytes, bytes->length, why);
}

static enum err fill(const struct packing *packing, const struct folder *folder, struct packed *packed, struct why *why)
{
        char files[DISK_PATH_MAX + 1];
        struct disk *disk = folder->disk;
        OWN(buf) struct buf text;
        buf_init(&text, LIMIT_NOTE_BYTES);
        path_of(folder, "", files);
        enum err e = disk->ops->make_folder(disk, folder->made, why);
        if (!e)
                e = disk->ops->make_folder(disk, files, why);
        if (!e)
                e = copy_all(packing, folder, &packed->note, why);
        if (!e)
                e = release_note_write(&packed->note, &text, why);
        if (!e)
                e = put(folder, "dossier.json", packing->dossier, why);
        if (!e)
                e = put(folder, "note", &text, why);
        if (!e)
                e = disk->ops->sync_folder(disk, files, why);
        if (!e)
                e = disk->ops->sync_folder(disk, folder->made, why);
        sha256(buf_text(&text), text.length, packed->target);
        return e;
}

static enum err make_stream(const struct packing *packing, struct why *why)
{
        struct disk *disk = packing->into;
        char path[PUBLISHER_PATH_MAX];
        snprintf(path, sizeof(path), "releases/%.64s", packing->spec->stream);
        enum err e = disk->ops->make_folder(disk, path, why);
        return e ? e : disk->ops->sync_folder(disk, "releases", why);
}

static enum err make(const struct packing *packing, const struct folder *folder, struct packed *packed, struct why *why)
{
        struct disk *disk = folder->disk;
        enum err e = make_stream(packing, why);
        if (!e)
                e = disk->ops->remove_tree(disk, folder->made, why);
        if (!e)
                e = fill(packing, folder, packed, why);
        if (!e)
                e = disk->ops->rename(disk, folder->made, folder->named, why);
        if (e) {
                enum err cleared = disk->ops->remove_tree(disk, folder->made, NULL);
                (void)cleared;         /* what stays is cleared by the next try; the first failure is the one to tell */
        }
        return e;
}

enum err pack_release(const struct packing *packing, struct packed *ret_packed, struct why *why)
{
        struct packed packed = { 0 };
        struct folder folder = { .disk = packing->into };
        enum err e = begin_note(packing, &packed.note, why);
        if (e)
                return e;
        packed.id.counter = (int64_t)packed.note.counter;
        snprintf(packed.id.stream, sizeof(packed.id.stream), "%s", packed.note.stream);
        publisher_release_path(&packed.id, "", folder.named);
        snprintf(folder.made, sizeof(folder.made), "releases/%.64s/.%lld.new", packed.id.stream, (long long)packed.id.counter);
        e = make(packing, &folder, &packed, why);
        if (!e)
                *ret_packed = packed;
        return e ? DURING(why, e, "packing %.64s/%lld", packed.id.stream, (long long)packed.id.counter) : OK;
}
