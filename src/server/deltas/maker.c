#include "server/deltas/maker.h"

#include "base/limits.h"
#include "base/mem.h"
#include "delta/code.h"
#include "delta/window.h"
#include "format/hex.h"
#include "server/store/artifacts.h"
#include "trust/note.h"
#include "trust/sha.h"
#include "wire/device.h"

#include <string.h>

enum { TRIES = 16 };                     /* segments after which one that hardly compresses is given up */

/* The files of one release, as artifacts. */
struct reading { struct disk *disk; const struct release_note *note; int file; };

struct making {
        struct disk *disk;
        struct buf signed_note, older_text;
        struct release_note *older, *newer;
        struct delta_plan *plan;
        struct reading from, to;
        struct delta_files from_files, to_files;
        struct delta_window from_window, to_window;
        struct delta_form form;
        struct buf base, segment, packed;
};

static enum err open_file(void *user, size_t file, struct why *why)
{
        struct reading *reading = user;
        char path[ARTIFACT_PATH_MAX];
        uint64_t length;
        if (reading->file >= 0)
                reading->disk->ops->file_close(reading->disk, reading->file);
        reading->file = -1;
        artifact_path(reading->note->files[file].sha256, path);
        return reading->disk->ops->open(reading->disk, path, &reading->file, &length, why);
}

static enum err read_file(void *user, void *bytes, size_t bytes_max, size_t *ret_length, struct why *why)
{
        struct reading *reading = user;
        return reading->disk->ops->file_read(reading->disk, reading->file, bytes, bytes_max, ret_length, why);
}

static void making_init(struct making *making, struct disk *disk)
{
        *making = (struct making){ .disk = disk, .from = { .disk = disk, .file = -1 }, .to = { .disk = disk, .file = -1 } };
        making->from_files = (struct delta_files){ &making->from, open_file, read_file };
        making->to_files = (struct delta_files){ &making->to, open_file, read_file };
        delta_window_init(&making->from_window, &making->from_files);
        delta_window_init(&making->to_window, &making->to_files);
        buf_init(&making->signed_note, LIMIT_NOTE_BYTES);
        buf_init(&making->older_text, LIMIT_NOTE_BYTES);
        buf_init(&making->base, DELTA_BASE_BYTES);
        buf_init(&making->segment, DELTA_SEGMENT_BYTES);
        buf_init(&making->packed, LIMIT_DELTA_BYTES);
}

static void making_done(struct making *making)
{
        struct reading *const readings[] = { &making->from, &making->to };
        for (size_t i = 0; i < 2; i++)
                if (readings[i]->file >= 0)
                        making->disk->ops->file_close(making->disk, readings[i]->file);
        struct buf *const bufs[] = { &making->signed_note, &making->older_text, &making->base, &making->segment, &making->packed };
        for (size_t i = 0; i < sizeof(bufs) / sizeof(bufs[0]); i++)
                buf_done(bufs[i]);
        delta_window_done(&making->from_window);
        delta_window_done(&making->to_window);
        delta_plan_free(making->plan);
        release_note_free(making->older);
        release_note_free(making->newer);
}
static inline void making_release(struct making *making) { making_done(making); }

/* What the publisher signed was looked at when it was published; here it is read, and no more. */
static enum err read_note(struct disk *disk, const uint8_t target[32], struct buf *bytes, struct release_note **ret_note, struct why *why)
{
        struct note note;
        enum err e = artifact_read_note(disk, target, bytes, why);
        if (!e)
                e = note_parse(buf_text(bytes), bytes->length, &note, why);
        return e ? e : release_note_parse(note.text, note.text_length, ret_note, why);
}

static enum err open_notes(struct making *making, const struct delta_job *job, struct why *why)
{
        OWN(buf) struct buf signed_older;
        buf_init(&signed_older, LIMIT_NOTE_BYTES);
        enum err e = read_note(making->disk, job->newer, &making->signed_note, &making->newer, why);
        if (!e && !delta_job_is_whole(job))
                e = read_note(making->disk, job->older, &signed_older, &making->older, why);
        if (e)
                return e;
        /* The base is the text alone: who has signed what a device runs, it does not keep. */
        if (making->older)
                buf_add(&making->older_text, signed_older.bytes, note_signed_length(signed_older.bytes, signed_older.length));
        making->from.note = making->older;
        making->to.note = making->newer;
        e = buf_check(&making->older_text, why);
        return e ? e : delta_plan_make(making->older, making->newer, &making->plan, why);
}

static enum err add_segment(struct making *making, const struct buf *base, const struct buf *segment, struct why *why)
{
        const size_t before = making->packed.length;
        const struct delta_bytes of = { buf_text(base), base->length }, bytes = { buf_text(segment), segment->length };
        enum err e = delta_compress(of, bytes, &making->packed, why);
        making->form.packed[making->form.count++] = (uint32_t)(making->packed.length - before);
        return e;
}

static enum err add_planned(struct making *making, const struct delta_segment *segment, struct why *why)
{
        buf_clear(&making->base);
        buf_clear(&making->segment);
        enum err e = delta_window_read(&making->from_window, &making->plan->sources[segment->first_source], segment->source_count, &making->base, why);
        if (!e)
                e = delta_window_read(&making->to_window, &making->plan->pieces[segment->first_piece], segment->piece_count, &making->segment, why);
        return e ? e : add_segment(making, &making->base, &making->segment, why);
}

/* Three quarters of what the files and the note are as they stand. */
static bool pays(const struct making *making, uint64_t plain)
{
        return making->packed.length <= plain / 4 * 3;
}

static enum err add_all(struct making *making, bool *ret_pays, struct why *why)
{
        uint64_t done = making->signed_note.length;
        making->form.note_length = (uint32_t)making->signed_note.length;
        enum err e = add_segment(making, &making->older_text, &making->signed_note, why);
        *ret_pays = true;
        for (size_t i = 0; !e && *ret_pays && i < making->plan->segment_count; i++) {
                e = add_planned(making, &making->plan->segments[i], why);
                done += making->plan->segments[i].length;
                *ret_pays = i % TRIES != TRIES - 1 || pays(making, done);
        }
        *ret_pays &= pays(making, done);
        return e;
}

/* As artifact_put(), where no folder may be made: artifact_make_folders() did. */
static enum err put(struct disk *disk, const struct buf *file, uint8_t digest[32], struct why *why)
{
        char path[ARTIFACT_PATH_MAX];
        sha256(file->bytes, file->length, digest);
        artifact_path(digest, path);
        return artifact_check(disk, digest, file->length, NULL) == OK ? OK : disk->ops->replace(disk, path, file->bytes, file->length, why);
}

static enum err keep(struct making *making, const struct delta_job *job, uint64_t *ret_bytes, struct why *why)
{
        OWN(buf) struct buf file, told;
        struct wire_delta delta;
        uint8_t digest[32];
        char path[DELTA_PATH_MAX];
        buf_init(&file, LIMIT_DELTA_BYTES + DELTA_FORM_BYTES_MAX);
        buf_init(&told, 1024);
        delta_form_write(&making->form, &file);
        buf_add(&file, making->packed.bytes, making->packed.length);
        enum err e = buf_check(&file, why);
        if (!e)
                e = put(making->disk, &file, digest, why);
        if (e)
                return e;
        hex_encode(digest, sizeof(digest), delta.sha256);
        delta.bytes = (int64_t)file.length;
        wire_delta_write(&delta, &told);
        delta_told_path(job, path);
        e = buf_check(&told, why);
        if (!e)
                e = making->disk->ops->replace(making->disk, path, told.bytes, told.length, why);
        if (!e)
                *ret_bytes = file.length;
        return e;
}

void delta_told_path(const struct delta_job *job, char path[static DELTA_PATH_MAX])
{
        char newer[65], older[65] = "whole";
        hex_encode(job->newer, sizeof(job->newer), newer);
        if (!delta_job_is_whole(job))
                hex_encode(job->older, sizeof(job->older), older);
        snprintf(path, DELTA_PATH_MAX, "%.2s/%s.%s.delta", newer, newer, older);
}

static bool is_told(struct disk *disk, const struct delta_job *job)
{
        char path[DELTA_PATH_MAX];
        int file;
        uint64_t length;
        delta_told_path(job, path);
        if (disk->ops->open(disk, path, &file, &length, NULL) != OK)
                return false;
        disk->ops->file_close(disk, file);
        return true;
}

enum err delta_make(struct disk *artifacts, const struct delta_job *job, uint64_t *ret_bytes, struct why *why)
{
        OWN(making) struct making making;
        bool is_worth_it = false;
        making_init(&making, artifacts);
        *ret_bytes = 0;
        if (is_told(artifacts, job))
                return OK;
        enum err e = open_notes(&making, job, why);
        if (!e)
                e = add_all(&making, &is_worth_it, why);
        return e || !is_worth_it ? e : keep(&making, job, ret_bytes, why);
}
