#include "agent/reuse.h"

#include "agent/content.h"
#include "agent/recheck.h"
#include "base/arena.h"
#include "base/mem.h"
#include "trust/sha.h"

#include <stdlib.h>
#include <string.h>

enum {
        BLOCK_BYTES = 64 << 10, STEP_BYTES = 1 << 20, STEP_FILES = 64, PATH_BYTES = CONTENT_PATH_BYTES + LIMIT_PATH_BYTES + 1,
        FACTORY_BYTES = 1 << 20,         /* paths of its files: as many as a release's note has room for */
};

struct found {
        const char *path;                /* in that slot; NULL: nowhere */
        enum slot_id slot;
};

struct factory_file {
        const char *path;
        uint64_t length;
        struct factory_file *next;
};

struct reuse {
        struct disk *disk;
        char stream[SLOT_NAME_BYTES];
        const struct release_note *wanted;
        const struct reuse_doubts *doubts;
        enum slot_id current, next;              /* what runs, and what is emptied next */
        struct release_note *notes[SLOT_FACTORY];
        struct found *found;                     /* as many as the note has files */
        const struct release_file **sorted;      /* these, by digest */
        struct arena *arena;                     /* what is below; NULL: nothing is to be looked at */
        struct factory_file *looking;            /* at this one, and those behind it */
        int file;                                /* -1: none */
        uint64_t left;
        struct sha256 sha;
        char path[PATH_BYTES];
        uint8_t block[BLOCK_BYTES];
};

void reuse_doubt(struct reuse_doubts *doubts, uint64_t counter, const uint8_t sha256[32])
{
        if (doubts->counter != counter)
                *doubts = (struct reuse_doubts){ .counter = counter };
        if (doubts->count < REUSE_DOUBTS_MAX)
                memcpy(doubts->sha256[doubts->count], sha256, 32);
        doubts->count += doubts->count <= REUSE_DOUBTS_MAX;
}

static bool is_doubted(const struct reuse *reuse, const uint8_t digest[32])
{
        const struct reuse_doubts *doubts = reuse->doubts;
        if (doubts->counter != reuse->wanted->counter)
                return false;
        for (size_t i = 0; i < doubts->count && i < REUSE_DOUBTS_MAX; i++)
                if (memcmp(doubts->sha256[i], digest, 32) == 0)
                        return true;
        return doubts->count > REUSE_DOUBTS_MAX;
}

static void close_file(struct reuse *reuse)
{
        if (reuse->file >= 0)
                reuse->disk->ops->file_close(reuse->disk, reuse->file);
        reuse->file = -1;
}

void reuse_close(struct reuse *reuse)
{
        if (!reuse)
                return;
        close_file(reuse);
        for (size_t slot = 0; slot < SLOT_FACTORY; slot++)
                release_note_free(reuse->notes[slot]);
        arena_free(reuse->arena);
        mem_free(reuse->sorted);
        mem_free(reuse->found);
        mem_free(reuse);
}

static int by_digest(const void *a, const void *b)
{
        return memcmp((*(const struct release_file *const *)a)->sha256, (*(const struct release_file *const *)b)->sha256, 32);
}

static size_t first_of(const struct reuse *reuse, const uint8_t digest[32])
{
        size_t from = 0, to = reuse->wanted->file_count;
        while (from < to) {
                size_t middle = from + (to - from) / 2;
                if (memcmp(reuse->sorted[middle]->sha256, digest, 32) < 0)
                        from = middle + 1;
                else
                        to = middle;
        }
        return from;
}

static bool is_as_made(const struct reuse *reuse, enum slot_id slot, const struct release_file *here)
{
        char path[PATH_BYTES];
        snprintf(path, sizeof(path), "%s%s%s", content_slot(reuse->stream, slot).text, here ? "/" : "", here ? here->path : "");
        return reuse->disk->ops->is_as_made(reuse->disk, path, !here || here->is_program ? 0755 : 0644);
}

/* One that stands where it is to be is better than one to be copied; the rest of that slot is gone by then. */
static void match(struct reuse *reuse, enum slot_id slot, const struct release_file *here)
{
        for (size_t i = first_of(reuse, here->sha256); i < reuse->wanted->file_count && memcmp(reuse->sorted[i]->sha256, here->sha256, 32) == 0; i++) {
                const struct release_file *wanted = reuse->sorted[i];
                struct found *found = &reuse->found[wanted - reuse->wanted->files];
                bool is_there = slot == reuse->next && here->is_program == wanted->is_program && strcmp(here->path, wanted->path) == 0 && is_as_made(reuse, slot, here);
                bool is_better = slot == reuse->next ? is_there : !found->path;
                if (here->length == wanted->length && is_better)
                        *found = (struct found){ here->path, slot };
        }
}

/* A file of a name that is never listed could not be told from what must not stay; see unpack.h. */
static bool has_hidden(const struct release_note *note)
{
        for (size_t i = 0; i < note->file_count; i++) {
                const char *at = strstr(note->files[i].path, DISK_PENDING);
                for (; at; at = strstr(at + 1, DISK_PENDING))
                        if (at == note->files[i].path || at[-1] == '/')
                                return true;
        }
        return false;
}

/* A slot that the record calls empty may hold anything. */
static enum err look_at_slot(struct reuse *reuse, const struct reuse_of *of, enum slot_id slot, struct why *why)
{
        if (slots_stream(of->slots, of->stream)->state[slot] == SLOT_EMPTY)
                return OK;
        enum err e = recheck_note(&(struct recheck_of){ of->disk, reuse->stream, slot, slots_in(of->slots, of->stream, slot) }, &reuse->notes[slot], why);
        if (e)
                return e == ERR_NOMEM ? e : OK;          /* then nothing of it is known */
        const struct release_note *note = reuse->notes[slot];
        if (slot == reuse->next && (has_hidden(note) || !is_as_made(reuse, slot, NULL)))
                return OK;
        for (size_t i = 0; i < note->file_count; i++)
                match(reuse, slot, &note->files[i]);
        return OK;
}

static bool is_length_missing(const struct reuse *reuse, uint64_t length)
{
        for (size_t i = 0; i < reuse->wanted->file_count; i++)
                if (!reuse->found[i].path && reuse->wanted->files[i].length == length)
                        return true;
        return false;
}

struct walk {
        struct reuse *reuse;
        char path[LIMIT_PATH_BYTES + 1];         /* below the factory copy; "": itself */
};

static enum err walk_folder(const struct walk *walk, struct why *why);

/* What does not fit is not looked at: it is fetched. */
static enum err visit(void *user, const char *name, enum disk_kind kind, uint64_t length, struct why *why)
{
        const struct walk *walk = user;
        struct reuse *reuse = walk->reuse;
        struct walk below = { .reuse = reuse };
        int used = snprintf(below.path, sizeof(below.path), "%s%s%s", walk->path, walk->path[0] ? "/" : "", name);
        if (used >= (int)sizeof(below.path))
                return OK;
        if (kind == DISK_FOLDER)
                return walk_folder(&below, why);
        if (kind != DISK_FILE || !is_length_missing(reuse, length))
                return OK;
        struct factory_file *file = arena_alloc(reuse->arena, 1, sizeof(*file));
        const char *path = arena_strdup(reuse->arena, below.path);
        if (!file || !path)
                return FAIL(why, ERR_LIMIT, "the factory copy has too many files to look at");
        *file = (struct factory_file){ path, length, reuse->looking };
        reuse->looking = file;
        return OK;
}

static enum err walk_folder(const struct walk *walk, struct why *why)
{
        struct disk *disk = walk->reuse->disk;
        char path[PATH_BYTES];
        snprintf(path, sizeof(path), "%s%s%s", content_slot(walk->reuse->stream, SLOT_FACTORY).text, walk->path[0] ? "/" : "", walk->path);
        return disk->ops->list(disk, path, visit, (void *)walk, why);
}

/* Those that cannot be listed are not used. */
static enum err list_factory(struct reuse *reuse, struct why *why)
{
        const struct walk walk = { .reuse = reuse };
        bool is_missing = false;
        for (size_t i = 0; i < reuse->wanted->file_count; i++)
                is_missing |= !reuse->found[i].path && !is_doubted(reuse, reuse->wanted->files[i].sha256);
        if (!is_missing)
                return OK;
        reuse->arena = arena_new(FACTORY_BYTES);
        if (!reuse->arena)
                return FAIL(why, ERR_NOMEM, "looking at what is here already");
        struct why unheard;
        (void)!walk_folder(&walk, &unheard);
        return OK;
}

static void forget_doubted(struct reuse *reuse)
{
        for (size_t i = 0; i < reuse->wanted->file_count; i++)
                if (is_doubted(reuse, reuse->wanted->files[i].sha256))
                        reuse->found[i].path = NULL;
}

enum err reuse_open(const struct reuse_of *of, struct reuse **ret_reuse, struct why *why)
{
        const struct slot_stream *now = slots_stream(of->slots, of->stream);
        OWN(reuse) struct reuse *reuse = mem_new(1, sizeof(*reuse));
        if (!reuse)
                return FAIL(why, ERR_NOMEM, "looking at what is here already");
        reuse->disk = of->disk;
        reuse->file = -1;
        reuse->wanted = of->note;
        reuse->doubts = of->doubts;
        reuse->current = (enum slot_id)now->current;
        reuse->next = slots_next(of->slots, of->stream);
        snprintf(reuse->stream, sizeof(reuse->stream), "%s", now->name);
        reuse->found = mem_new(of->note->file_count + 1, sizeof(*reuse->found));
        reuse->sorted = mem_new(of->note->file_count + 1, sizeof(*reuse->sorted));
        if (!reuse->found || !reuse->sorted)
                return FAIL(why, ERR_NOMEM, "looking at what is here already");
        for (size_t i = 0; i < of->note->file_count; i++)
                reuse->sorted[i] = &of->note->files[i];
        qsort(reuse->sorted, of->note->file_count, sizeof(*reuse->sorted), by_digest);
        enum err e = OK;
        for (unsigned slot = 0; !e && slot < SLOT_FACTORY; slot++)
                e = look_at_slot(reuse, of, (enum slot_id)slot, why);
        if (!e)
                e = list_factory(reuse, why);
        if (e)
                return e;
        forget_doubted(reuse);
        *ret_reuse = GIVE(reuse);
        return OK;
}

static bool open_factory_file(struct reuse *reuse)
{
        struct why why;
        uint64_t length;
        char path[PATH_BYTES];
        snprintf(path, sizeof(path), "%s/%s", content_slot(reuse->stream, SLOT_FACTORY).text, reuse->looking->path);
        reuse->left = reuse->looking->length;
        sha256_init(&reuse->sha);
        return reuse->disk->ops->open(reuse->disk, path, &reuse->file, &length, &why) == OK && length == reuse->left;
}

/* False: it cannot be read. */
static bool read_block(struct reuse *reuse, size_t *bytes)
{
        struct why why;
        size_t length = 0;
        if (!reuse->left)
                return true;
        enum err e = reuse->disk->ops->file_read(reuse->disk, reuse->file, reuse->block, reuse->left < BLOCK_BYTES ? (size_t)reuse->left : BLOCK_BYTES, &length, &why);
        sha256_update(&reuse->sha, reuse->block, length);
        reuse->left -= length;
        *bytes += length;
        return !e && length;
}

static void take_factory_file(struct reuse *reuse)
{
        struct release_file here = { .length = reuse->looking->length, .path = reuse->looking->path };
        sha256_final(&reuse->sha, here.sha256);
        if (!is_doubted(reuse, here.sha256))
                match(reuse, SLOT_FACTORY, &here);
}

bool reuse_step(struct reuse *reuse)
{
        size_t bytes = 0;
        for (size_t files = 0; reuse->looking && files < STEP_FILES && bytes < STEP_BYTES;) {
                bool is_read = (reuse->file >= 0 || open_factory_file(reuse)) && read_block(reuse, &bytes);
                if (is_read && reuse->left)
                        continue;
                if (is_read)
                        take_factory_file(reuse);
                close_file(reuse);
                reuse->looking = reuse->looking->next;
                files++;
        }
        return !reuse->looking;
}

const char *reuse_path(struct reuse *reuse, size_t file)
{
        const struct found *found = &reuse->found[file];
        if (!found->path)
                return NULL;
        snprintf(reuse->path, sizeof(reuse->path), "%s/%s", content_slot(reuse->stream, found->slot).text, found->path);
        return reuse->path;
}

bool reuse_stands(const struct reuse *reuse, size_t file)
{
        return reuse->found[file].path && reuse->found[file].slot == reuse->next;
}

enum slot_id reuse_next(const struct reuse *reuse)
{
        return reuse->next;
}

bool reuse_is_current(const struct reuse *reuse, size_t file)
{
        return reuse->found[file].path && reuse->found[file].slot == reuse->current;
}
