#include "agent/owners.h"

#include "base/limits.h"
#include "base/mem.h"
#include "platform/channel.h"
#include "platform/file_at.h"
#include "trust/sha.h"

#include <string.h>

enum { FIRST_CAPACITY = 4096, PART_ENTRIES = 1024 };
static const char magic[4] = { 'F', 'B', 'P', 'F' };

struct owners_list { struct owners_entry *entries; size_t count, capacity; };
struct owners { int file; struct owners_head head; };

static void path_key(const char *path, uint8_t key[static 16])
{
        uint8_t digest[SHA256_BYTES];
        sha256(path, strlen(path), digest);
        memcpy(key, digest, 16);
}

static bool has_sum(const struct owners_entry *entry)
{
        static const uint8_t zeros[OWNERS_MD5_BYTES];
        return memcmp(entry->md5, zeros, sizeof(zeros)) != 0;
}

enum err owners_list_new(struct owners_list **ret_list, struct why *why)
{
        *ret_list = mem_new(1, sizeof(**ret_list));
        return *ret_list ? OK : FAIL(why, ERR_NOMEM, "a list of the platform's files");
}

void owners_list_free(struct owners_list *list)
{
        if (list)
                mem_free(list->entries);
        mem_free(list);
}

enum err owners_list_add(struct owners_list *list, const char *path, const uint8_t *md5, struct why *why)
{
        if (list->count == LIMIT_OWNED_FILES)
                return FAIL(why, ERR_LIMIT, "packages name more than %d paths", LIMIT_OWNED_FILES);
        if (list->count == list->capacity) {
                size_t capacity = list->capacity ? 2 * list->capacity : FIRST_CAPACITY;
                void *larger = mem_resize(list->entries, capacity * sizeof(*list->entries));
                if (!larger)
                        return FAIL(why, ERR_NOMEM, "a list of %zu of the platform's files", capacity);
                list->entries = larger;
                list->capacity = capacity;
        }
        struct owners_entry *entry = &list->entries[list->count++];
        *entry = (struct owners_entry){ 0 };
        path_key(path, entry->path);
        if (md5)
                memcpy(entry->md5, md5, sizeof(entry->md5));
        return OK;
}

static int by_bytes(const void *a, const void *b)
{
        return memcmp(a, b, sizeof(struct owners_entry));
}

/* Each once; and without a digest only what has none anywhere: a path stands in its package's list, too. */
static void thin(struct owners_list *list)
{
        size_t kept = 0;
        for (size_t i = 0; i < list->count; i++) {
                const struct owners_entry *entry = &list->entries[i], *next = i + 1 < list->count ? entry + 1 : NULL;
                bool is_same_path = next && memcmp(entry->path, next->path, sizeof(entry->path)) == 0;
                if (is_same_path && (!has_sum(entry) || memcmp(entry, next, sizeof(*entry)) == 0))
                        continue;
                list->entries[kept++] = *entry;
        }
        list->count = kept;
}

static enum err write_file(struct disk *disk, const char *name, const struct owners_head *head, const struct owners_list *list, struct why *why)
{
        int file = -1;
        enum err e = disk->ops->create(disk, name, 0600, &file, why);
        if (e)
                return e;
        e = disk->ops->file_write(disk, file, head, sizeof(*head), why);
        if (!e && list->count)
                e = disk->ops->file_write(disk, file, list->entries, list->count * sizeof(*list->entries), why);
        if (!e)
                e = disk->ops->file_sync(disk, file, why);
        disk->ops->file_close(disk, file);
        return e;
}

enum err owners_list_write(struct owners_list *list, struct disk *disk, const char *name, uint64_t mark, size_t *ret_count, struct why *why)
{
        char fresh[DISK_NAME_MAX];
        snprintf(fresh, sizeof(fresh), "%s.new", name);
        if (list->count)
                qsort(list->entries, list->count, sizeof(*list->entries), by_bytes);
        thin(list);
        struct owners_head head = { .version = OWNERS_VERSION, .count = list->count, .mark = mark };
        memcpy(head.magic, magic, sizeof(magic));
        sha256(list->entries, list->count * sizeof(*list->entries), head.digest);
        enum err e = disk->ops->remove_tree(disk, fresh, why);
        if (!e)
                e = write_file(disk, fresh, &head, list, why);
        if (!e)
                e = disk->ops->rename(disk, fresh, name, why);
        if (!e)
                *ret_count = list->count;
        return e ? DURING(why, e, "keeping the list of the platform's files") : OK;
}

static bool is_whole(int file, const struct owners_head *head)
{
        static struct owners_entry part[PART_ENTRIES];
        struct sha256 sha;
        uint8_t digest[SHA256_BYTES];
        sha256_init(&sha);
        for (uint64_t at = 0; at < head->count; at += PART_ENTRIES) {
                size_t count = head->count - at < PART_ENTRIES ? (size_t)(head->count - at) : PART_ENTRIES;
                if (!file_at_read(file, sizeof(*head) + at * sizeof(part[0]), part, count * sizeof(part[0])))
                        return false;
                sha256_update(&sha, part, count * sizeof(part[0]));
        }
        sha256_final(&sha, digest);
        return memcmp(digest, head->digest, sizeof(digest)) == 0;
}

enum err owners_open(const char *path, struct owners **ret_owners, struct why *why)
{
        int file = -1;
        uint64_t length = 0;
        struct owners_head head = { .version = 0 };
        enum err e = file_at_open(path, FILE_AT_NO_LINK, &file, &length, why);
        if (e)
                return e;
        bool is_sound = file_at_read(file, 0, &head, sizeof(head)) && memcmp(head.magic, magic, sizeof(magic)) == 0 && head.version == OWNERS_VERSION
                        && head.count <= LIMIT_OWNED_FILES && length == sizeof(head) + head.count * sizeof(struct owners_entry) && is_whole(file, &head);
        struct owners *owners = is_sound ? mem_new(1, sizeof(*owners)) : NULL;
        if (!owners) {
                channel_close(file);
                return is_sound ? FAIL(why, ERR_NOMEM, "opening %s", path) : FAIL(why, ERR_SYNTAX, "%s is damaged", path);
        }
        *owners = (struct owners){ file, head };
        *ret_owners = owners;
        return OK;
}

void owners_close(struct owners *owners)
{
        if (owners)
                channel_close(owners->file);
        mem_free(owners);
}

uint64_t owners_mark(const struct owners *owners)
{
        return owners->head.mark;
}

size_t owners_count(const struct owners *owners)
{
        return (size_t)owners->head.count;
}

static bool entry_at(const struct owners *owners, uint64_t at, struct owners_entry *ret_entry)
{
        return file_at_read(owners->file, sizeof(owners->head) + at * sizeof(*ret_entry), ret_entry, sizeof(*ret_entry));
}

/* The first entry that is not below `key`; `count` when there is none. */
static bool lower_bound(const struct owners *owners, const uint8_t key[static 16], uint64_t *ret_at)
{
        uint64_t low = 0, high = owners->head.count;
        while (low < high) {
                struct owners_entry entry;
                uint64_t middle = low + (high - low) / 2;
                if (!entry_at(owners, middle, &entry))
                        return false;
                if (memcmp(entry.path, key, sizeof(entry.path)) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        *ret_at = low;
        return true;
}

enum err owners_find(const struct owners *owners, const char *path, struct owners_found *ret_found, struct why *why)
{
        uint8_t key[16];
        uint64_t at = 0;
        *ret_found = (struct owners_found){ 0 };
        path_key(path, key);
        if (!lower_bound(owners, key, &at))
                return FAIL(why, ERR_IO, "the list of the platform's files cannot be read");
        for (; at < owners->head.count && ret_found->sum_count < OWNERS_SUMS_MAX; at++) {
                struct owners_entry entry;
                if (!entry_at(owners, at, &entry))
                        return FAIL(why, ERR_IO, "the list of the platform's files cannot be read");
                if (memcmp(entry.path, key, sizeof(key)) != 0)
                        return OK;
                ret_found->is_owned = true;
                if (has_sum(&entry))
                        memcpy(ret_found->sums[ret_found->sum_count++], entry.md5, sizeof(entry.md5));
        }
        return OK;
}
