#include "support/sim_disk.h"

#include <stdlib.h>
#include <string.h>

/* A name in a folder: what it leads to now, and what it would lead to after a power cut. */
struct entry {
        char name[DISK_NAME_MAX + 1];
        struct sim_node *live, *durable;
        unsigned group;              /* changes with the same number (a rename) happen together or not at all; 0: alone */
        struct entry *next;
};

struct sim_node {
        enum disk_kind kind;
        bool is_program, is_changed;
        char *bytes;                 /* a file's content, or a link's target with its NUL */
        size_t length, durable_length;
        struct entry *entries;
        struct sim_node *next;       /* in sim_disk.nodes */
};

static void *need(void *memory)
{
        if (!memory)
                abort();
        return memory;
}

/* ---- nodes and names ---- */

static struct sim_node *node_new(struct sim_disk *sim, enum disk_kind kind)
{
        struct sim_node *node = need(calloc(1, sizeof(*node)));
        *node = (struct sim_node){ .kind = kind, .next = sim->nodes };
        sim->nodes = node;
        return node;
}

static void node_append(struct sim_node *node, const void *bytes, size_t length)
{
        node->bytes = need(realloc(node->bytes, node->length + length + 1));
        if (length)
                memcpy(node->bytes + node->length, bytes, length);
        node->length += length;
}

static struct entry *entry_find(struct sim_node *folder, const char *name)
{
        struct entry *entry = folder->entries;
        while (entry && strcmp(entry->name, name) != 0)
                entry = entry->next;
        return entry;
}

static struct entry *entry_need(struct sim_node *folder, const char *name)
{
        struct entry *entry = entry_find(folder, name);
        if (!entry) {
                entry = need(calloc(1, sizeof(*entry)));
                snprintf(entry->name, sizeof(entry->name), "%s", name);
                struct entry **last = &folder->entries;
                while (*last)
                        last = &(*last)->next;
                *last = entry;
        }
        return entry;
}

static struct sim_node *live(struct sim_node *folder, const char *name)
{
        struct entry *entry = entry_find(folder, name);
        return entry ? entry->live : NULL;
}

static void folder_make_durable(struct sim_node *folder)
{
        for (struct entry *entry = folder->entries; entry; entry = entry->next)
                entry->durable = entry->live;
}

struct place {
        struct sim_node *folder;
        char name[DISK_NAME_MAX + 1];
};

static enum err place_find(struct sim_disk *sim, const char *path, struct place *ret_place, struct why *why)
{
        enum err e = disk_path_check(path, why);
        if (e)
                return e;
        struct sim_node *folder = sim->root;
        size_t length;
        for (; length = strcspn(path, "/"), path[length]; path += length + 1) {
                char name[DISK_NAME_MAX + 1] = "";
                memcpy(name, path, length);
                folder = live(folder, name);
                if (!folder || folder->kind != DISK_FOLDER)
                        return FAIL(why, ERR_NOT_FOUND, "folder %s", name);
        }
        memcpy(ret_place->name, path, length + 1);
        ret_place->folder = folder;
        return OK;
}

static enum err folder_find(struct sim_disk *sim, const char *path, struct sim_node **ret_folder, struct why *why)
{
        struct place place = { .folder = NULL };
        enum err e = *path ? place_find(sim, path, &place, why) : OK;
        if (e)
                return e;
        struct sim_node *folder = *path ? live(place.folder, place.name) : sim->root;
        if (!folder || folder->kind != DISK_FOLDER)
                return FAIL(why, ERR_NOT_FOUND, "folder %s", path);
        *ret_folder = folder;
        return OK;
}

static enum err file_find(struct sim_disk *sim, const char *path, struct sim_node **ret_file, struct why *why)
{
        struct place place;
        enum err e = place_find(sim, path, &place, why);
        if (e)
                return e;
        struct sim_node *file = live(place.folder, place.name);
        if (!file)
                return FAIL(why, ERR_NOT_FOUND, "file %s", path);
        if (file->kind != DISK_FILE)
                return FAIL(why, ERR_REFUSED, "%s: not a regular file", path);
        *ret_file = file;
        return OK;
}

/* ---- power and faults ---- */

/* Every call passes here first. */
static enum err begin(struct sim_disk *sim, struct why *why)
{
        if (sim->is_dark)
                return FAIL(why, ERR_IO, "no power");
        if (sim->failure && sim->calls++ == sim->fail_at) {
                sim->has_failed = true;
                return FAIL(why, sim->failure, "%s", err_info(sim->failure)->text);
        }
        return OK;
}

/* Every change passes here once it is in effect, before it is made durable. */
static enum err settle(struct sim_disk *sim, struct why *why)
{
        if (sim->is_readonly)
                return FAIL(why, ERR_IO, "the file system is read-only");
        if (sim->changes++ != sim->cut_at)
                return OK;
        sim_disk_power_off(sim);
        return FAIL(why, ERR_IO, "no power");
}

static enum err take_room(struct sim_disk *sim, size_t length, struct why *why)
{
        if (length > sim->free_bytes)
                return FAIL(why, ERR_FULL, "no room for %zu bytes", length);
        sim->free_bytes -= length;
        return OK;
}

/* Whether something that was not durable outlives the cut. */
static bool is_kept(struct sim_disk *sim)
{
        return sim->fate == 0 ? false : sim->fate == 1 ? true : sim_random_next(&sim->random) >> 63;
}

static void resolve_file(struct sim_disk *sim, struct sim_node *file)
{
        if (file->durable_length == file->length || is_kept(sim)) {
                file->durable_length = file->length;
                return;
        }
        size_t pending = file->length - file->durable_length;
        size_t kept = sim->fate == 0 ? 0 : (size_t)sim_random_below(&sim->random, pending + 1);
        bool has_length_only = sim->fate > 1 && is_kept(sim);
        if (has_length_only)
                memset(file->bytes + file->durable_length + kept, 0, pending - kept);
        else
                file->length = file->durable_length + kept;
        file->durable_length = file->length;
}

static void resolve_folder(struct sim_disk *sim, struct sim_node *folder, bool group_is_kept)
{
        for (struct entry *entry = folder->entries; entry; entry = entry->next) {
                if (entry->live != entry->durable && (entry->group ? group_is_kept : is_kept(sim)))
                        entry->durable = entry->live;
                entry->live = entry->durable;
                entry->group = 0;
        }
}

void sim_disk_power_off(struct sim_disk *sim)
{
        sim->is_dark = sim->was_cut = true;
}

void sim_disk_cut_at(struct sim_disk *sim, unsigned n, unsigned fate)
{
        sim->cut_at = sim->changes + n;
        sim->fate = fate;
        sim_random_init(&sim->random, (uint64_t)fate << 32 | n);
}

void sim_disk_power_on(struct sim_disk *sim)
{
        if (sim->is_dark) {
                bool group_is_kept = is_kept(sim);
                for (struct sim_node *node = sim->nodes; node; node = node->next) {
                        if (node->kind == DISK_FILE)
                                resolve_file(sim, node);
                        resolve_folder(sim, node, group_is_kept);
                }
                memset(sim->files, 0, sizeof(sim->files));
        }
        sim->is_dark = false;
        sim->cut_at = UINT_MAX;
        sim->failure = OK;
}

void sim_disk_fail_at(struct sim_disk *sim, unsigned n, enum err failure)
{
        sim->calls = 0;
        sim->fail_at = n;
        sim->failure = failure;
}

/* ---- the calls of disk.h ---- */

/* A name gets a node that is durable itself: old or new, nothing between. */
static enum err put(struct sim_disk *sim, const struct place *place, struct sim_node *node, struct why *why)
{
        if (sim->is_readonly)
                return settle(sim, why);
        struct entry *entry = entry_need(place->folder, place->name);
        entry->live = node;
        enum err e = settle(sim, why);
        if (!e)
                folder_make_durable(place->folder);
        return e;
}

static enum err sim_replace(struct disk *disk, const char *path, const void *bytes, size_t length, struct why *why)
{
        struct sim_disk *sim = (struct sim_disk *)disk;
        struct place place;
        enum err e = begin(sim, why);
        if (!e)
                e = place_find(sim, path, &place, why);
        if (!e)
                e = take_room(sim, length, why);
        if (e)
                return e;
        struct sim_node *old = live(place.folder, place.name);
        if (old && old->kind == DISK_FOLDER)
                return FAIL(why, ERR_REFUSED, "%s: a folder is in its place: move it away", path);
        struct sim_node *node = node_new(sim, DISK_FILE);
        node_append(node, bytes, length);
        node->durable_length = length;
        return put(sim, &place, node, why);
}

static enum err sim_read(struct disk *disk, const char *path, struct buf *into, struct why *why)
{
        struct sim_disk *sim = (struct sim_disk *)disk;
        struct sim_node *file = NULL;
        enum err e = begin(sim, why);
        if (!e && sim->unread) {
                sim->unread--;
                e = FAIL(why, ERR_IO, "%s: the device reports an error", path);
        }
        if (!e)
                e = file_find(sim, path, &file, why);
        if (e)
                return e;
        buf_add(into, file->length ? file->bytes : "", file->length);
        e = buf_check(into, why);
        return e ? DURING(why, e, "%s", path) : OK;
}

static enum err handle_new(struct sim_disk *sim, struct sim_node *node, bool is_writable, int *ret_file, struct why *why)
{
        for (int i = 0; i < SIM_FILES_MAX; i++)
                if (!sim->files[i].node) {
                        sim->files[i].node = node;
                        sim->files[i].at = 0;
                        sim->files[i].is_writable = is_writable;
                        *ret_file = i;
                        return OK;
                }
        return FAIL(why, ERR_LIMIT, "more than %d open files", SIM_FILES_MAX);
}

static enum err sim_create(struct disk *disk, const char *path, unsigned mode, int *ret_file, struct why *why)
{
        struct sim_disk *sim = (struct sim_disk *)disk;
        struct place place;
        enum err e = begin(sim, why);
        if (!e)
                e = place_find(sim, path, &place, why);
        if (e)
                return e;
        if (live(place.folder, place.name))
                return FAIL(why, ERR_BUSY, "%s: there already", path);
        struct sim_node *node = node_new(sim, DISK_FILE);
        node->is_program = mode & 0100;
        entry_need(place.folder, place.name)->live = node;
        e = settle(sim, why);
        return e ? e : handle_new(sim, node, true, ret_file, why);
}

static enum err sim_open(struct disk *disk, const char *path, int *ret_file, uint64_t *ret_length, struct why *why)
{
        struct sim_disk *sim = (struct sim_disk *)disk;
        struct sim_node *file = NULL;
        enum err e = begin(sim, why);
        if (!e)
                e = file_find(sim, path, &file, why);
        if (!e)
                e = handle_new(sim, file, false, ret_file, why);
        if (!e)
                *ret_length = file->length;
        return e;
}

/* A handle that is not open is a mistake of the caller, and stays one after the power came back. */
static enum err handle_check(struct sim_disk *sim, int file, bool to_write, struct why *why)
{
        enum err e = begin(sim, why);
        if (e)
                return e;
        if (file < 0 || file >= SIM_FILES_MAX || !sim->files[file].node || sim->files[file].is_writable != to_write)
                return FAIL(why, ERR_IO, "handle %d is not open for this", file);
        return OK;
}

static bool sim_file_is_program(struct disk *disk, int file)
{
        const struct sim_disk *sim = (const struct sim_disk *)disk;
        return file >= 0 && file < SIM_FILES_MAX && sim->files[file].node && sim->files[file].node->is_program;
}

/* Names, owners and modes of others are not kept apart here: see sim_disk_change(). */
static bool sim_is_as_made(struct disk *disk, const char *path, unsigned mode)
{
        struct place place;
        const struct sim_node *node = place_find((struct sim_disk *)disk, path, &place, NULL) == OK ? live(place.folder, place.name) : NULL;
        return node && !node->is_changed && (node->kind == DISK_FOLDER || (node->kind == DISK_FILE && node->is_program == !!(mode & 0100)));
}

void sim_disk_change(struct sim_disk *sim, const char *path)
{
        struct place place;
        if (place_find(sim, path, &place, NULL) != OK || !live(place.folder, place.name))
                abort();
        live(place.folder, place.name)->is_changed = true;
}

static enum err sim_file_read(struct disk *disk, int file, void *bytes, size_t bytes_max, size_t *ret_length, struct why *why)
{
        struct sim_disk *sim = (struct sim_disk *)disk;
        enum err e = handle_check(sim, file, false, why);
        if (e)
                return e;
        const struct sim_node *node = sim->files[file].node;
        size_t left = node->length - sim->files[file].at, length = left < bytes_max ? left : bytes_max;
        if (length)
                memcpy(bytes, node->bytes + sim->files[file].at, length);
        sim->files[file].at += length;
        *ret_length = length;
        return OK;
}

static enum err sim_file_write(struct disk *disk, int file, const void *bytes, size_t length, struct why *why)
{
        struct sim_disk *sim = (struct sim_disk *)disk;
        enum err e = handle_check(sim, file, true, why);
        if (!e)
                e = take_room(sim, length, why);
        if (e)
                return e;
        node_append(sim->files[file].node, bytes, length);
        return settle(sim, why);
}

static enum err sim_file_sync(struct disk *disk, int file, struct why *why)
{
        struct sim_disk *sim = (struct sim_disk *)disk;
        enum err e = handle_check(sim, file, true, why);
        if (!e)
                e = settle(sim, why);
        if (!e)
                sim->files[file].node->durable_length = sim->files[file].node->length;
        return e;
}

static void sim_file_close(struct disk *disk, int file)
{
        struct sim_disk *sim = (struct sim_disk *)disk;
        if (file >= 0 && file < SIM_FILES_MAX)
                sim->files[file].node = NULL;
}

static enum err sim_make_folder(struct disk *disk, const char *path, struct why *why)
{
        struct sim_disk *sim = (struct sim_disk *)disk;
        struct place place;
        enum err e = begin(sim, why);
        if (!e)
                e = place_find(sim, path, &place, why);
        if (e)
                return e;
        const struct sim_node *old = live(place.folder, place.name);
        if (old)
                return old->kind == DISK_FOLDER ? OK : FAIL(why, ERR_REFUSED, "%s: not a folder: move it away", path);
        entry_need(place.folder, place.name)->live = node_new(sim, DISK_FOLDER);
        return settle(sim, why);
}

static enum err sim_sync_folder(struct disk *disk, const char *path, struct why *why)
{
        struct sim_disk *sim = (struct sim_disk *)disk;
        struct sim_node *folder = NULL;
        enum err e = begin(sim, why);
        if (!e)
                e = folder_find(sim, path, &folder, why);
        if (!e)
                e = settle(sim, why);
        if (!e)
                folder_make_durable(folder);
        return e;
}

static enum err sim_remove(struct disk *disk, const char *path, struct why *why)
{
        struct sim_disk *sim = (struct sim_disk *)disk;
        struct place place;
        enum err e = begin(sim, why);
        if (!e)
                e = place_find(sim, path, &place, why);
        if (e)
                return e;
        const struct sim_node *node = live(place.folder, place.name);
        if (!node)
                return FAIL(why, ERR_NOT_FOUND, "removing %s", path);
        if (node->kind == DISK_FOLDER)
                return FAIL(why, ERR_REFUSED, "removing %s: a folder", path);
        if (sim->is_readonly)
                return settle(sim, why);
        entry_need(place.folder, place.name)->live = NULL;
        return settle(sim, why);
}

static enum err sim_open_system(struct disk *disk, const char *path, int *ret_file, struct why *why)
{
        struct sim_disk *sim = (struct sim_disk *)disk;
        struct sim_node *folder = NULL;
        enum err e = begin(sim, why);
        if (!e)
                e = folder_find(sim, path, &folder, why);
        return e ? e : handle_new(sim, folder, true, ret_file, why);
}

/* The power may go in the middle: then each change is there or not by itself, as without it. */
static enum err sim_sync_system(struct disk *disk, int file, struct why *why)
{
        struct sim_disk *sim = (struct sim_disk *)disk;
        enum err e = handle_check(sim, file, true, why);
        if (!e)
                e = settle(sim, why);
        for (struct sim_node *node = e ? NULL : sim->nodes; node; node = node->next) {
                node->durable_length = node->length;
                folder_make_durable(node);
        }
        return e;
}

static bool has_entries(const struct sim_node *folder)
{
        for (const struct entry *entry = folder->entries; entry; entry = entry->next)
                if (entry->live)
                        return true;
        return false;
}

/* As rename(2): a file replaces a file or link, a folder an empty folder. */
static enum err check_rename(const struct sim_node *from, const struct sim_node *to, const char *path, struct why *why)
{
        if (to && (from->kind == DISK_FOLDER) != (to->kind == DISK_FOLDER))
                return FAIL(why, to->kind == DISK_FOLDER ? ERR_REFUSED : ERR_NOT_FOUND, "%s: a folder cannot replace a file, nor a file a folder", path);
        if (to && from != to && has_entries(to))
                return FAIL(why, ERR_BUSY, "%s: a folder with something in it is there already", path);
        return OK;
}

static enum err sim_rename(struct disk *disk, const char *from, const char *to, struct why *why)
{
        struct sim_disk *sim = (struct sim_disk *)disk;
        struct place old, new;
        enum err e = begin(sim, why);
        if (!e)
                e = place_find(sim, from, &old, why);
        if (!e)
                e = place_find(sim, to, &new, why);
        if (e)
                return e;
        struct sim_node *node = live(old.folder, old.name);
        if (!node)
                return FAIL(why, ERR_NOT_FOUND, "renaming %s", from);
        e = check_rename(node, live(new.folder, new.name), to, why);
        if (e)
                return e;
        struct entry *source = entry_need(old.folder, old.name), *target = entry_need(new.folder, new.name);
        source->live = NULL;
        target->live = node;
        source->group = target->group = 1;
        e = settle(sim, why);
        if (!e) {
                folder_make_durable(new.folder);
                folder_make_durable(old.folder);
                source->group = target->group = 0;
        }
        return e;
}

static void empty(struct sim_node *folder, bool is_durable)
{
        for (struct entry *entry = folder->entries; entry; entry = entry->next) {
                if (entry->live)
                        empty(entry->live, is_durable);
                entry->live = NULL;
                if (is_durable)
                        entry->durable = NULL;
        }
}

/* Interrupted, each name below is gone or not by itself, and the top one is still there: it goes last. */
static enum err sim_remove_tree(struct disk *disk, const char *path, struct why *why)
{
        struct sim_disk *sim = (struct sim_disk *)disk;
        struct place place;
        enum err e = begin(sim, why);
        if (!e)
                e = place_find(sim, path, &place, why);
        if (e)
                return e == ERR_NOT_FOUND ? OK : e;
        struct sim_node *node = live(place.folder, place.name);
        if (!node)
                return OK;
        if (sim->is_readonly)
                return settle(sim, why);
        empty(node, false);
        e = settle(sim, why);
        if (e)
                return e;
        empty(node, true);
        entry_need(place.folder, place.name)->live = NULL;
        folder_make_durable(place.folder);
        return OK;
}

static enum err sim_list(struct disk *disk, const char *path, disk_visit *visit, void *user, struct why *why)
{
        struct sim_node *folder = NULL;
        enum err e = begin((struct sim_disk *)disk, why);
        if (!e)
                e = folder_find((struct sim_disk *)disk, path, &folder, why);
        for (struct entry *entry = e ? NULL : folder->entries; entry && !e; entry = entry->next)
                if (entry->live)
                        e = visit(user, entry->name, entry->live->kind, entry->live->kind == DISK_FILE ? entry->live->length : 0, why);
        return e;
}

static enum err sim_point(struct disk *disk, const char *path, const char *target, struct why *why)
{
        struct sim_disk *sim = (struct sim_disk *)disk;
        struct place place;
        enum err e = begin(sim, why);
        if (!e)
                e = disk_name_check(target, why);
        if (!e)
                e = place_find(sim, path, &place, why);
        if (e)
                return e;
        const struct sim_node *old = live(place.folder, place.name);
        if (old && old->kind == DISK_FOLDER)
                return FAIL(why, ERR_REFUSED, "%s: a folder is in its place: move it away", path);
        struct sim_node *link = node_new(sim, DISK_LINK);
        node_append(link, target, strlen(target) + 1);
        link->durable_length = link->length;
        return put(sim, &place, link, why);
}

static enum err sim_pointed(struct disk *disk, const char *path, char target[DISK_NAME_MAX + 1], struct why *why)
{
        enum err e = begin((struct sim_disk *)disk, why);
        const char *found = e ? NULL : sim_disk_link((struct sim_disk *)disk, path);
        if (!e && !found)
                e = FAIL(why, ERR_NOT_FOUND, "%s: not a link", path);
        if (!e)
                snprintf(target, DISK_NAME_MAX + 1, "%s", found);
        return e;
}

static enum err sim_free_bytes(struct disk *disk, uint64_t *ret_bytes, struct why *why)
{
        enum err e = begin((struct sim_disk *)disk, why);
        if (!e)
                *ret_bytes = ((struct sim_disk *)disk)->free_bytes;
        return e;
}

static const struct disk_ops sim_ops = {
        .replace = sim_replace, .read = sim_read, .create = sim_create, .open = sim_open, .file_read = sim_file_read,
        .file_write = sim_file_write, .file_sync = sim_file_sync, .file_close = sim_file_close, .file_is_program = sim_file_is_program, .is_as_made = sim_is_as_made,
        .make_folder = sim_make_folder,
        .sync_folder = sim_sync_folder, .remove = sim_remove, .open_system = sim_open_system, .sync_system = sim_sync_system, .rename = sim_rename, .remove_tree = sim_remove_tree, .list = sim_list, .point = sim_point,
        .pointed = sim_pointed, .free_bytes = sim_free_bytes,
};

void sim_disk_init(struct sim_disk *sim)
{
        *sim = (struct sim_disk){ .disk.ops = &sim_ops, .free_bytes = 1 << 30, .cut_at = UINT_MAX };
        sim->root = node_new(sim, DISK_FOLDER);
}

void sim_disk_done(struct sim_disk *sim)
{
        for (struct sim_node *node = sim->nodes, *next; node; node = next) {
                next = node->next;
                for (struct entry *entry = node->entries, *after; entry; entry = after) {
                        after = entry->next;
                        free(entry);
                }
                free(node->bytes);
                free(node);
        }
        *sim = (struct sim_disk){ .nodes = NULL };
}

const char *sim_disk_link(struct sim_disk *sim, const char *path)
{
        struct place place;
        if (place_find(sim, path, &place, NULL))
                return NULL;
        const struct sim_node *node = live(place.folder, place.name);
        return node && node->kind == DISK_LINK ? node->bytes : NULL;
}

/* ---- sweeps ---- */

bool sim_sweep_next(struct sim_sweep *sweep)
{
        bool met_fault = sweep->failure ? sweep->disk->has_failed : sweep->disk->was_cut;
        unsigned fates = sweep->failure ? 1 : SIM_FATES;
        if (sweep->started && !met_fault) {
                sim_disk_done(sweep->disk);
                return false;
        }
        if (sweep->started && ++sweep->fate == fates) {
                sweep->fate = 0;
                sweep->step++;
        }
        sweep->started = true;
        sim_disk_done(sweep->disk);
        sim_disk_init(sweep->disk);
        if (sweep->prepare)
                sweep->prepare(&sweep->disk->disk);
        if (sweep->failure)
                sim_disk_fail_at(sweep->disk, sweep->step, sweep->failure);
        else
                sim_disk_cut_at(sweep->disk, sweep->step, sweep->fate);
        return true;
}
