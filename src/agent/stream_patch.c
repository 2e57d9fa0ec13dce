/* The candidate as a delta: asked for, fetched, expanded into the spool a segment at a time. */
#include "agent/content.h"
#include "agent/expand.h"
#include "agent/spool.h"
#include "agent/stream.h"
#include "base/mem.h"
#include "delta/window.h"
#include "format/hex.h"
#include "trust/sha.h"

#include <string.h>

enum {
        FAILURES_MAX = 3, ROUNDS_MAX = 2,        /* twice where a device is a control first; not at each retry of one that cannot be unpacked */
        ROOM_SPARE_BYTES = 16 << 20,
        WHOLE_LEAST_BYTES = 64 << 10,            /* below that, or less than half of the release: the files themselves */
        BLOCK_BYTES = 64 << 10,
        UNWEIGHED_BYTES = 1 << 20,               /* a delta that is longer is held against what its release lacks, for which its note has to be here */
};

struct patch {
        struct disk *disk;
        struct content_path slot;
        struct release_note *older;              /* NULL: against nothing */
        struct delta_plan *plan;                 /* NULL until the note is known */
        struct delta_form form;
        size_t next;                             /* segment of the delta's file */
        int file, base_file;                     /* the delta's, and that of a base; -1: none */
        struct delta_files files;
        struct delta_window window;
        struct buf question, segment;
        int into;                                /* what is being written, -1: none; of which file of the note, and its digest so far */
        size_t into_file;
        struct spool_path into_path;
        struct sha256 sha;
};

static void close_file(struct disk *disk, int *file)
{
        if (*file >= 0)
                disk->ops->file_close(disk, *file);
        *file = -1;
}

static void patch_free(struct patch *patch)
{
        if (!patch)
                return;
        close_file(patch->disk, &patch->file);
        close_file(patch->disk, &patch->base_file);
        close_file(patch->disk, &patch->into);
        delta_window_done(&patch->window);
        buf_done(&patch->question);
        buf_done(&patch->segment);
        delta_plan_free(patch->plan);
        release_note_free(patch->older);
        mem_free(patch);
}
OWN_DEFINE(patch, struct patch *, patch_free)

/* A part of a file is not left for a fetcher to go on with: it may be wrong from the start. */
void patching_end(struct stream *stream)
{
        struct patch *patch = stream->patching.patch;
        struct why why;
        if (patch && patch->into >= 0 && patch->disk->ops->remove_tree(patch->disk, patch->into_path.text, &why))
                agent_note(stream->agent, EVENT_DEVICE_TROUBLE, stream, why.text);
        patch_free(patch);
        stream->patching.patch = NULL;
}

void patching_begin(struct stream *stream)
{
        struct patching *patching = &stream->patching;
        const bool is_same = memcmp(patching->target, stream->release.target, sizeof(patching->target)) == 0;
        patching_end(stream);
        if (is_same && (patching->step != PATCHING_DONE || patching->rounds == 0 || patching->rounds >= ROUNDS_MAX))
                return;
        *patching = (struct patching){ .step = PATCHING_LOOKS, .rounds = is_same ? patching->rounds : 0 };
        memcpy(patching->target, stream->release.target, sizeof(patching->target));
}

const uint8_t *patching_needs(const struct stream *stream)
{
        const enum patching_step step = stream->patching.step;
        return step == PATCHING_FETCHES || step == PATCHING_EXPANDS ? stream->patching.sha256 : NULL;
}

bool patching_is_open(const struct stream *stream)
{
        return stream->patching.step < PATCHING_FETCHES;
}

/* It has given what it can, or is of no use. */
static void leave(struct stream *stream)
{
        struct patching *patching = &stream->patching;
        char hex[65];
        struct why why;
        patching_end(stream);
        hex_encode(patching->sha256, sizeof(patching->sha256), hex);
        if (patching_needs(stream) && spool_remove(stream->agent->disk, hex, &why))
                agent_note(stream->agent, EVENT_DEVICE_TROUBLE, stream, why.text);
        patching->step = PATCHING_DONE;
}

static void give_up(struct stream *stream, const struct why *why)
{
        char text[SLOT_DETAIL_BYTES];
        snprintf(text, sizeof(text), "no delta: %.70s", why->text);
        agent_note(stream->agent, EVENT_DEVICE_TROUBLE, stream, text);
        leave(stream);
}

static const struct slot_release *running(const struct stream *stream, enum slot_id *ret_slot)
{
        const struct slot_stream *now = slots_stream(stream->agent->slots, stream->index);
        *ret_slot = (enum slot_id)now->current;
        return slots_in(stream->agent->slots, stream->index, *ret_slot);
}

static enum err read_older(const struct stream *stream, struct release_note **ret_note, struct why *why)
{
        enum slot_id slot;
        const struct slot_release *release = running(stream, &slot);
        return recheck_note(&(struct recheck_of){ stream->agent->disk, stream->config->name, slot, release }, ret_note, why);
}

/* Later: that there is no network says nothing of the delta. One that is begun again and again and does not come is given up. */
static void failed(struct stream *stream, enum err e, const struct fetch_answer *answer)
{
        char text[SLOT_DETAIL_BYTES];
        const bool has_grown = answer && answer->spool_length > answer->spool_from;
        stream->patching.failures = has_grown ? 0 : stream->patching.failures + (e != ERR_UNAVAILABLE && e != ERR_UNTRUSTED);
        if (stream->patching.failures >= FAILURES_MAX)
                leave(stream);
        else if (e == ERR_TIMEOUT && has_grown)
                return;                  /* cut in the middle is no failure: the next ask resumes */
        snprintf(text, sizeof(text), "fetching: %.80s", fetch_reason(answer));
        stream_event(stream, LIFE_FAILED, text);
}

static bool is_passing(enum err e)
{
        return e == ERR_UNAVAILABLE || e == ERR_UNTRUSTED || e == ERR_TIMEOUT || e == ERR_IO || e == ERR_NOMEM;
}

/* Of a release whose note is known. */
static uint64_t lacking_bytes(const struct stream *stream)
{
        uint64_t lacking = 0;
        for (size_t i = 0; i < stream->note->file_count; i++)
                lacking += reusing_brings(stream, i) ? 0 : stream->note->files[i].length;
        return lacking;
}

static bool has_it(const struct stream *stream, const uint8_t sha256[32], uint64_t length)
{
        struct release_file file = { .length = length };
        memcpy(file.sha256, sha256, sizeof(file.sha256));
        return spool_has(stream->agent->disk, &file);
}

/* What there is no room for is perhaps not needed: the rest of the road says so, file by file. */
static bool is_worth(const struct stream *stream, const struct fetch_answer *answer)
{
        struct disk *disk = stream->agent->disk;
        uint64_t free_bytes = 0;
        if (has_it(stream, answer->delta_sha256, answer->delta_bytes))
                return true;
        if (disk->ops->free_bytes(disk, &free_bytes, NULL) || free_bytes < ROOM_SPARE_BYTES || free_bytes - ROOM_SPARE_BYTES < answer->delta_bytes)
                return false;
        return !stream->note || answer->delta_bytes < lacking_bytes(stream);
}

/* Nobody signs how long a delta is: whoever stands for the server could have a device fetch more than the release is. */
static bool is_to_be_weighed(const struct stream *stream, const struct fetch_answer *answer)
{
        return !stream->note && answer->delta_bytes > UNWEIGHED_BYTES && !has_it(stream, answer->delta_sha256, answer->delta_bytes);
}

static void told(void *user, enum err e, const struct fetch_answer *answer)
{
        struct stream *stream = user;
        struct patching *patching = &stream->patching;
        stream->is_calling = false;
        if (is_passing(e)) {
                failed(stream, e, answer);
                return;
        }
        const bool is_there = !e && answer->status == 200;
        patching->wants_note = is_there && is_to_be_weighed(stream, answer);
        patching->step = patching->wants_note ? PATCHING_LOOKS : PATCHING_DONE;
        if (is_there && !patching->wants_note && is_worth(stream, answer)) {
                memcpy(patching->sha256, answer->delta_sha256, sizeof(patching->sha256));
                patching->length = answer->delta_bytes;
                patching->failures = 0;
                patching->step = PATCHING_FETCHES;
        }
        if (stream->note)
                candidate_tidy(stream);
}

static void ask(struct stream *stream)
{
        struct patching *patching = &stream->patching;
        char path[FETCH_PATH_BYTES], to[65], from[65] = "whole";
        enum slot_id slot;
        OWN(release_note) struct release_note *older = NULL;
        patching->is_whole = patching->is_whole || read_older(stream, &older, NULL) != OK;
        patching->has_weighed |= patching->is_whole;
        hex_encode(stream->release.target, sizeof(stream->release.target), to);
        if (!patching->is_whole)
                hex_encode(running(stream, &slot)->target, 32, from);
        snprintf(path, sizeof(path), "/v1/deltas/%s/%s", to, from);
        stream->is_calling = true;
        caller_look(stream->agent->caller, path, FETCH_DELTA, told, stream);
}

static void fetched(void *user, enum err e, const struct fetch_answer *answer)
{
        struct stream *stream = user;
        stream->is_calling = false;
        if (is_passing(e))
                failed(stream, e, answer);
        else if (e || (answer->status != 200 && answer->status != 206))
                leave(stream);
        else
                stream->patching.step = PATCHING_EXPANDS;
}

static bool fetch(struct stream *stream)
{
        struct patching *patching = &stream->patching;
        struct agent *agent = stream->agent;
        char path[FETCH_PATH_BYTES], hex[65];
        struct why why;
        stream->fetch_at_ms = caller_ready_ms(agent->caller, patching->length);
        if (stream->fetch_at_ms > agent_steady_ms(agent))
                return false;
        hex_encode(patching->sha256, sizeof(patching->sha256), hex);
        snprintf(path, sizeof(path), "/v1/artifacts/%s", hex);
        if (spool_make_way(agent->disk, hex, &why))
                agent_note(agent, EVENT_DEVICE_TROUBLE, stream, why.text);
        stream->is_calling = true;
        caller_get(agent->caller, &(struct caller_get){ path, hex, patching->length, true }, fetched, stream);
        return true;
}

/* Most of the release is still to come, although the server has nothing that leads from what runs here to it. */
static bool wants_whole(struct stream *stream)
{
        if (!stream->note || !stream->is_looked || stream->patching.has_weighed)
                return false;
        stream->patching.has_weighed = true;
        const uint64_t lacking = lacking_bytes(stream);
        return lacking >= WHOLE_LEAST_BYTES && lacking >= release_note_bytes(stream->note) / 2;
}

/* Whoever was killed on the road has left a note, and files, that need not come again. A note that does not do is fetched. */
static void look(struct stream *stream)
{
        struct agent *agent = stream->agent;
        char hex[65];
        struct why why;
        const enum err e = stream->note ? OK : candidate_take_note(stream, &why);
        if (e && e != ERR_NOT_FOUND && e != ERR_NOMEM) {
                hex_encode(stream->release.target, 32, hex);
                if (spool_remove(agent->disk, hex, &why))
                        agent_note(agent, EVENT_DEVICE_TROUBLE, stream, why.text);
        }
        if (stream->note ? !stream->is_looked : stream->patching.wants_note)
                return;
        stream->patching.step = !stream->note || lacking_bytes(stream) ? PATCHING_ASKS : PATCHING_DONE;
        if (stream->note)
                candidate_tidy(stream);
}

bool patching_call(struct stream *stream)
{
        struct patching *patching = &stream->patching;
        if (patching->step == PATCHING_LOOKS)
                look(stream);
        if (patching->step == PATCHING_DONE && wants_whole(stream)) {
                patching->is_whole = true;
                patching->step = PATCHING_ASKS;
        }
        if (patching->step == PATCHING_FETCHES && has_it(stream, patching->sha256, patching->length))
                patching->step = PATCHING_EXPANDS;
        if (patching->step == PATCHING_FETCHES)
                return fetch(stream);
        if (patching->step != PATCHING_ASKS)
                return false;
        ask(stream);
        return true;
}

bool patching_works(const struct stream *stream)
{
        return stream->life == LIFE_FETCHING && stream->patching.step == PATCHING_EXPANDS && !stream->is_calling && (!stream->note || stream->is_looked);
}

static enum err open_base(void *user, size_t file, struct why *why)
{
        struct patch *patch = user;
        char path[CONTENT_PATH_BYTES + LIMIT_PATH_BYTES + 2];
        uint64_t length;
        close_file(patch->disk, &patch->base_file);
        snprintf(path, sizeof(path), "%s/%s", patch->slot.text, patch->older->files[file].path);
        return patch->disk->ops->open(patch->disk, path, &patch->base_file, &length, why);
}

static enum err read_base(void *user, void *bytes, size_t bytes_max, size_t *ret_length, struct why *why)
{
        struct patch *patch = user;
        return patch->disk->ops->file_read(patch->disk, patch->base_file, bytes, bytes_max, ret_length, why);
}

/* `length` further bytes of the delta; `into` NULL: passed over. */
static enum err read_delta(struct patch *patch, size_t length, struct buf *into, struct why *why)
{
        char block[BLOCK_BYTES];
        enum err e = OK;
        while (!e && length) {
                size_t got = 0;
                e = patch->disk->ops->file_read(patch->disk, patch->file, block, length < sizeof(block) ? length : sizeof(block), &got, why);
                if (!e && !got)
                        e = FAIL(why, ERR_CONTENT, "the delta is cut off");
                length -= got;
                if (!e && into)
                        buf_add(into, block, got);
        }
        return e || !into ? e : buf_check(into, why);
}

static enum err read_form(struct patch *patch, uint64_t file_length, struct why *why)
{
        OWN(buf) struct buf head;
        size_t length = 0;
        buf_init(&head, DELTA_FORM_BYTES_MAX);
        enum err e = read_delta(patch, DELTA_HEAD_BYTES, &head, why);
        if (!e)
                e = delta_form_length(head.bytes, &length, why);
        if (!e)
                e = read_delta(patch, length - DELTA_HEAD_BYTES, &head, why);
        return e ? e : delta_form_read(head.bytes, head.length, file_length, &patch->form, why);
}

static enum err open_patch(struct stream *stream, struct patch **ret_patch, struct why *why)
{
        OWN(patch) struct patch *patch = mem_new(1, sizeof(*patch));
        enum slot_id slot;
        uint64_t length = 0;
        if (!patch)
                return FAIL(why, ERR_NOMEM, "expanding a delta");
        (void)running(stream, &slot);
        patch->disk = stream->agent->disk;
        patch->file = patch->base_file = patch->into = -1;
        patch->slot = content_slot(stream->config->name, slot);
        patch->files = (struct delta_files){ patch, open_base, read_base };
        delta_window_init(&patch->window, &patch->files);
        buf_init(&patch->question, EXPAND_INPUT_MAX);
        buf_init(&patch->segment, DELTA_EXPANDED_MAX);
        enum err e = stream->patching.is_whole ? OK : read_older(stream, &patch->older, why);
        if (!e)
                e = patch->disk->ops->open(patch->disk, spool_artifact(stream->patching.sha256).text, &patch->file, &length, why);
        if (!e)
                e = read_form(patch, length, why);
        if (!e)
                *ret_patch = GIVE(patch);
        return e;
}

/* The next segment of the file: the question, to which its base is added next, and then expand() the packed bytes. */
static void begin_question(struct patch *patch, size_t base_length, size_t length)
{
        buf_clear(&patch->question);
        expand_ask_begin(base_length, patch->form.packed[patch->next], length, &patch->question);
}

static enum err expand(const struct stream *stream, size_t length, struct why *why)
{
        struct patch *patch = stream->patching.patch;
        buf_clear(&patch->segment);
        enum err e = read_delta(patch, patch->form.packed[patch->next++], &patch->question, why);
        return e ? e : expand_run(&stream->agent->workers, &patch->question, length, &patch->segment, why);
}

static enum err begin_file(struct patch *patch, const uint8_t digest[32], struct why *why)
{
        struct disk *disk = patch->disk;
        patch->into_path = spool_artifact(digest);
        sha256_init(&patch->sha);
        enum err e = disk->ops->remove_tree(disk, patch->into_path.text, why);
        return e ? e : disk->ops->create(disk, patch->into_path.text, 0600, &patch->into, why);
}

static enum err expand_note(struct stream *stream, struct why *why)
{
        struct patch *patch = stream->patching.patch;
        OWN(buf) struct buf base;
        buf_init(&base, LIMIT_NOTE_BYTES);
        enum err e = patch->older ? release_note_write(patch->older, &base, why) : OK;
        if (e)
                return e;
        begin_question(patch, base.length, patch->form.note_length);
        buf_add(&patch->question, base.bytes, base.length);
        e = expand(stream, patch->form.note_length, why);
        if (!e)
                e = begin_file(patch, stream->release.target, why);
        if (!e)
                e = patch->disk->ops->file_write(patch->disk, patch->into, patch->segment.bytes, patch->segment.length, why);
        close_file(patch->disk, &patch->into);
        return e ? e : candidate_take_note(stream, why);
}

/* All of it is there: is it what the note says? */
static enum err end_file(struct patch *patch, const struct release_file *file, struct why *why)
{
        uint8_t digest[32];
        close_file(patch->disk, &patch->into);
        sha256_final(&patch->sha, digest);
        if (memcmp(digest, file->sha256, sizeof(digest)) == 0)
                return OK;
        struct why other;
        (void)!patch->disk->ops->remove_tree(patch->disk, spool_artifact(file->sha256).text, &other);
        return FAIL(why, ERR_CONTENT, "it does not lead to %.60s", file->path);
}

static bool is_needed(const struct stream *stream, const struct delta_range *piece)
{
        const struct patch *patch = stream->patching.patch;
        return (patch->into >= 0 && patch->into_file == piece->file) || (piece->from == 0 && !reusing_brings(stream, piece->file));
}

static enum err write_piece(struct stream *stream, const struct delta_range *piece, const char *bytes, struct why *why)
{
        struct patch *patch = stream->patching.patch;
        const struct release_file *file = &stream->note->files[piece->file];
        enum err e = patch->into < 0 ? begin_file(patch, file->sha256, why) : OK;
        patch->into_file = piece->file;
        if (!e)
                e = patch->disk->ops->file_write(patch->disk, patch->into, bytes, piece->length, why);
        if (e)
                return e;
        sha256_update(&patch->sha, bytes, piece->length);
        return piece->from + piece->length == file->length ? end_file(patch, file, why) : OK;
}

static enum err write_segment(struct stream *stream, const struct delta_segment *segment, struct why *why)
{
        const struct patch *patch = stream->patching.patch;
        const char *at = buf_text(&patch->segment);
        enum err e = OK;
        for (size_t i = 0; !e && i < segment->piece_count; i++) {
                const struct delta_range *piece = &patch->plan->pieces[segment->first_piece + i];
                if (is_needed(stream, piece))
                        e = write_piece(stream, piece, at, why);
                at += piece->length;
        }
        return e;
}

static bool is_segment_needed(const struct stream *stream, const struct delta_segment *segment)
{
        const struct patch *patch = stream->patching.patch;
        for (size_t i = 0; i < segment->piece_count; i++)
                if (is_needed(stream, &patch->plan->pieces[segment->first_piece + i]))
                        return true;
        return false;
}

static enum err expand_segment(struct stream *stream, const struct delta_segment *segment, struct why *why)
{
        struct patch *patch = stream->patching.patch;
        begin_question(patch, segment->base_length, segment->length);
        enum err e = delta_window_read(&patch->window, &patch->plan->sources[segment->first_source], segment->source_count, &patch->question, why);
        if (!e)
                e = expand(stream, segment->length, why);
        return e ? e : write_segment(stream, segment, why);
}

static enum err make_plan(struct stream *stream, struct why *why)
{
        struct patch *patch = stream->patching.patch;
        enum err e = delta_plan_make(patch->older, stream->note, &patch->plan, why);
        if (!e && patch->plan->segment_count + 1 != patch->form.count)
                e = FAIL(why, ERR_CONTENT, "it has %zu segments, the notes say %zu", patch->form.count, patch->plan->segment_count + 1);
        return e;
}

/* One segment that has something for us. */
static enum err go_on(struct stream *stream, bool *ret_is_done, struct why *why)
{
        struct patch *patch = stream->patching.patch;
        enum err e = patch->next ? OK : read_delta(patch, patch->form.packed[patch->next++], NULL, why);
        if (!e && !patch->plan)
                e = make_plan(stream, why);
        while (!e && patch->next < patch->form.count) {
                const struct delta_segment *segment = &patch->plan->segments[patch->next - 1];
                if (is_segment_needed(stream, segment))
                        return expand_segment(stream, segment, why);
                e = read_delta(patch, patch->form.packed[patch->next++], NULL, why);
        }
        *ret_is_done = true;
        return e;
}

void patching_tick(struct stream *stream)
{
        struct patching *patching = &stream->patching;
        struct why why = { 0 };
        bool is_done = false;
        enum err e = patching->patch ? OK : open_patch(stream, &patching->patch, &why);
        if (!e && !stream->note)
                e = expand_note(stream, &why);
        else if (!e)
                e = go_on(stream, &is_done, &why);
        if (!e && !is_done)
                return;
        if (e) {
                give_up(stream, &why);
                return;
        }
        patching->rounds++;
        leave(stream);
}
