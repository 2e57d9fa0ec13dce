#include "agent/recheck.h"

#include "agent/content.h"
#include "base/mem.h"
#include "trust/sha.h"

#include <string.h>

enum {
        BLOCK_BYTES = 64 << 10, STEP_LOOKS = 16, FILE_BYTES = CONTENT_PATH_BYTES + LIMIT_PATH_BYTES + 1,
        FAILURES = 3,                    /* of one file, looked at from its beginning each time: a disk that failed once may not fail again */
};

struct recheck {
        struct disk *disk;
        char slot[CONTENT_PATH_BYTES];
        struct release_note *note;
        size_t next;                     /* file to open */
        unsigned failures;               /* of it, in a row */
        int file;                        /* -1: none */
        uint64_t left;
        struct sha256 sha;
        uint8_t block[BLOCK_BYTES];
};

struct note_path { char text[CONTENT_PATH_BYTES + sizeof(".note")]; };
static struct note_path note_path(const char *stream, enum slot_id slot)
{
        struct note_path path;
        snprintf(path.text, sizeof(path.text), "%s.note", content_slot(stream, slot).text);
        return path;
}

enum err recheck_keep(struct disk *disk, const char *stream, enum slot_id slot, const struct release_note *note, struct why *why)
{
        OWN(buf) struct buf text;
        buf_init(&text, LIMIT_NOTE_BYTES);
        enum err e = release_note_write(note, &text, why);
        if (!e)
                e = buf_check(&text, why);
        if (!e)
                e = disk->ops->replace(disk, note_path(stream, slot).text, text.bytes, text.length, why);
        return e ? DURING(why, e, "keeping the release note") : OK;
}

static void close_file(struct recheck *recheck)
{
        if (recheck->file >= 0)
                recheck->disk->ops->file_close(recheck->disk, recheck->file);
        recheck->file = -1;
}

void recheck_close(struct recheck *recheck)
{
        if (!recheck)
                return;
        close_file(recheck);
        release_note_free(recheck->note);
        mem_free(recheck);
}

enum err recheck_note(const struct recheck_of *of, struct release_note **ret_note, struct why *why)
{
        if (of->slot >= SLOT_FACTORY)
                return FAIL(why, ERR_NOT_FOUND, "slot %s has no release note", slot_name(of->slot));
        OWN(buf) struct buf text;
        uint8_t digest[32];
        buf_init(&text, LIMIT_NOTE_BYTES);
        enum err e = of->disk->ops->read(of->disk, note_path(of->stream, of->slot).text, &text, why);
        if (e)
                return e;
        sha256(text.bytes, text.length, digest);
        if (memcmp(digest, of->release->target, sizeof(digest)) != 0)
                return FAIL(why, ERR_SYNTAX, "the note beside slot %s is not that of its release", slot_name(of->slot));
        return release_note_parse(text.bytes, text.length, ret_note, why);
}

enum err recheck_open(const struct recheck_of *of, struct recheck **ret_recheck, struct why *why)
{
        OWN(recheck) struct recheck *recheck = mem_new(1, sizeof(*recheck));
        if (!recheck)
                return FAIL(why, ERR_NOMEM, "looking at slot %s", slot_name(of->slot));
        recheck->disk = of->disk;
        recheck->file = -1;
        snprintf(recheck->slot, sizeof(recheck->slot), "%s", content_slot(of->stream, of->slot).text);
        enum err e = recheck_note(of, &recheck->note, why);
        if (!e)
                *ret_recheck = GIVE(recheck);
        return e;
}

uint64_t recheck_bytes(const struct recheck *recheck)
{
        uint64_t bytes = 0;
        for (size_t i = 0; i < recheck->note->file_count; i++)
                bytes += recheck->note->files[i].length;
        return bytes;
}

static const struct release_file *file_of(const struct recheck *recheck)
{
        return &recheck->note->files[recheck->next];
}

/* What cannot be read by us cannot be read by the engine, unless it is we who lack something. */
static enum err judged(const struct recheck *recheck, enum err e, struct why *why)
{
        if (!e || e == ERR_CONTENT || e == ERR_LIMIT || e == ERR_NOMEM)
                return e;
        const char *path = file_of(recheck)->path;
        if (e == ERR_NOT_FOUND)
                return FAIL(why, ERR_CONTENT, "%s is gone", path);
        char text[WHY_TEXT_MAX];
        snprintf(text, sizeof(text), "%s", why ? why->text : "");
        return FAIL(why, ERR_CONTENT, "%s cannot be read: %.200s", path, text);
}

static enum err open_next(struct recheck *recheck, struct why *why)
{
        struct disk *disk = recheck->disk;
        const struct release_file *file = file_of(recheck);
        char path[FILE_BYTES];
        uint64_t length;
        snprintf(path, sizeof(path), "%s/%s", recheck->slot, file->path);
        enum err e = disk->ops->open(disk, path, &recheck->file, &length, why);
        if (!e && length != file->length)
                e = FAIL(why, ERR_CONTENT, "%s has %llu bytes, installed were %llu", file->path, (unsigned long long)length, (unsigned long long)file->length);
        recheck->left = file->length;
        sha256_init(&recheck->sha);
        return e;
}

static enum err read_block(struct recheck *recheck, struct why *why)
{
        struct disk *disk = recheck->disk;
        size_t most = recheck->left < BLOCK_BYTES ? (size_t)recheck->left : BLOCK_BYTES, length = 0;
        enum err e = disk->ops->file_read(disk, recheck->file, recheck->block, most, &length, why);
        if (!e && !length)
                e = FAIL(why, ERR_CONTENT, "%s ends early", file_of(recheck)->path);
        if (e)
                return e;
        sha256_update(&recheck->sha, recheck->block, length);
        recheck->left -= length;
        return OK;
}

static enum err finish_file(struct recheck *recheck, struct why *why)
{
        uint8_t digest[32];
        sha256_final(&recheck->sha, digest);
        if (memcmp(digest, file_of(recheck)->sha256, sizeof(digest)) != 0)
                return FAIL(why, ERR_CONTENT, "%s has other bytes than were installed", file_of(recheck)->path);
        close_file(recheck);
        recheck->next++;
        recheck->failures = 0;
        return OK;
}

static enum err look(struct recheck *recheck, struct why *why)
{
        enum err e = recheck->file < 0 ? open_next(recheck, why) : OK;
        if (!e && recheck->left)
                e = read_block(recheck, why);
        if (!e && !recheck->left)
                e = finish_file(recheck, why);
        e = judged(recheck, e, why);
        if (e)
                close_file(recheck);
        return e;
}

enum err recheck_step(struct recheck *recheck, bool *ret_is_done, struct why *why)
{
        for (unsigned looks = 0; looks < STEP_LOOKS && recheck->next < recheck->note->file_count; looks++) {
                enum err e = look(recheck, why);
                if (e && ++recheck->failures >= FAILURES)
                        return e;
                if (e)
                        break;
        }
        *ret_is_done = recheck->next == recheck->note->file_count;
        return OK;
}
