#include "trust/release_note.h"

#include "base/mem.h"
#include "format/hex.h"
#include "trust/anchor.h"
#include "trust/lines.h"
#include "trust/sha.h"
#include "trust/word.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char heading[] = "firebreak release v1";

void release_note_free(struct release_note *note)
{
        if (!note)
                return;
        mem_free(note->files);
        mem_free(note->text);
        mem_free(note);
}

void release_note_path(const struct release_note *note, char path[static RELEASE_PATH_MAX])
{
        snprintf(path, RELEASE_PATH_MAX, "%s/%" PRIu64, note->stream, note->counter);
}

uint64_t release_note_bytes(const struct release_note *note)
{
        uint64_t bytes = 0;
        for (size_t i = 0; i < note->file_count; i++)
                bytes += note->files[i].length;
        return bytes;
}

bool release_note_is_for(const struct release_note *note, const char *platform)
{
        for (size_t i = 0; i < note->platform_count; i++)
                if (strcmp(note->platforms[i], "any") == 0 || strcmp(note->platforms[i], platform) == 0)
                        return true;
        return false;
}

static void write_text(const struct release_note *note, struct buf *into)
{
        char hex[65];
        buf_addf(into, "%s\nstream %s\ncounter %" PRIu64 "\nfloor %" PRIu64 "\nversion %s\n", heading, note->stream, note->counter, note->floor, note->version);
        for (size_t i = 0; i < note->platform_count; i++)
                buf_addf(into, "platform %s\n", note->platforms[i]);
        buf_addf(into, "start %" PRId64 "\n", note->ceiling.start);
        lines_write_steps("ceiling", &note->ceiling, into);
        hex_encode(note->dossier, sizeof(note->dossier), hex);
        buf_addf(into, "dossier %s\nfiles %zu %" PRIu64 "\n", hex, note->file_count, release_note_bytes(note));
        for (size_t i = 0; i < note->file_count; i++) {
                hex_encode(note->files[i].sha256, sizeof(note->files[i].sha256), hex);
                buf_addf(into, "%s %" PRIu64 " %s %s\n", note->files[i].is_program ? "program" : "file", note->files[i].length, hex, note->files[i].path);
        }
}

enum err release_note_write(const struct release_note *note, struct buf *into, struct why *why)
{
        OWN(release_note) struct release_note *again = NULL;
        size_t before = into->length;
        if (note->platform_count > RELEASE_PLATFORMS_MAX || note->ceiling.count > CEILING_STEPS_MAX || note->file_count > LIMIT_RELEASE_FILES)
                return FAIL(why, ERR_LIMIT, "a release has at most %d files, %d platforms and %d steps of its ceiling", LIMIT_RELEASE_FILES, RELEASE_PLATFORMS_MAX,
                            CEILING_STEPS_MAX);
        write_text(note, into);
        enum err e = buf_check(into, why);
        if (!e && into->length - before > LIMIT_NOTE_BYTES - NOTE_SIGNATURES_BYTES_MAX)
                e = FAIL(why, ERR_LIMIT, "a release note has at most %d bytes before it is signed; shorter or fewer paths make it fit", LIMIT_NOTE_BYTES - NOTE_SIGNATURES_BYTES_MAX);
        return e ? e : release_note_parse(into->bytes + before, into->length - before, &again, why);
}

static enum err read_platforms(struct lines *lines, struct release_note *note, struct why *why)
{
        enum err e = OK;
        for (; !e && (!note->platform_count || lines_is_next(lines, "platform")); note->platform_count++) {
                if (note->platform_count == RELEASE_PLATFORMS_MAX)
                        return FAIL(why, ERR_LIMIT, "release note: at most %d platforms", RELEASE_PLATFORMS_MAX);
                e = lines_name(lines, "platform", note->platforms[note->platform_count], why);
        }
        return e;
}

static enum err read_ceiling(struct lines *lines, struct ceiling *ceiling, struct why *why)
{
        uint64_t start;
        enum err e = lines_number(lines, "start", &start, why);
        if (!e)
                e = lines_steps(lines, "ceiling", ceiling, why);
        if (e)
                return e;
        ceiling->start = (int64_t)start;
        return ceiling_is_valid(ceiling) ? OK : lines_fail(lines, "the steps of a ceiling ascend in time and share, up to 1000000", why);
}

static enum err read_head(struct lines *lines, struct release_note *note, struct why *why)
{
        enum err e = lines_first(lines, heading, why);
        if (!e)
                e = lines_name(lines, "stream", note->stream, why);
        if (!e)
                e = lines_number(lines, "counter", &note->counter, why);
        if (!e && !note->counter)
                e = lines_fail(lines, "counters begin at 1", why);
        if (!e)
                e = lines_number(lines, "floor", &note->floor, why);
        if (!e && note->floor > note->counter)
                e = lines_fail(lines, "the floor is above the release's own counter", why);
        if (!e)
                e = lines_name(lines, "version", note->version, why);
        if (!e)
                e = read_platforms(lines, note, why);
        if (!e)
                e = read_ceiling(lines, &note->ceiling, why);
        return e ? e : lines_digest(lines, "dossier", (struct lines_hex){ note->dossier, sizeof(note->dossier) }, why);
}

/* "a" and "a/b" cannot both be files. Sorted, they need not be neighbours: "a", "a+b", "a/b". */
static bool is_inside(const struct release_note *note, const char *path)
{
        for (size_t length = strlen(path); length; length--) {
                if (path[length] != '/')
                        continue;
                size_t low = 0, high = note->file_count;
                while (low < high) {
                        size_t middle = (low + high) / 2;
                        int order = strncmp(note->files[middle].path, path, length);
                        if (!order && !note->files[middle].path[length])
                                return true;
                        if (order < 0)
                                low = middle + 1;
                        else
                                high = middle;
                }
        }
        return false;
}

static enum err read_file(struct lines *lines, struct release_note *note, struct why *why)
{
        struct release_file *file = &note->files[note->file_count];
        char *value, *digest, *path;
        file->is_program = lines_is_next(lines, "program");
        enum err e = lines_next(lines, file->is_program ? "program" : "file", &value, why);
        if (e)
                return e;
        if (!lines_cut(value, &digest) || !lines_cut(digest, &path) || !word_number(value, &file->length) || hex_decode(digest, file->sha256, sizeof(file->sha256), NULL))
                return lines_fail(lines, "not `file LENGTH SHA256 PATH`, nor `program`", why);
        if (file->length > LIMIT_ARTIFACT_BYTES)
                return FAIL(why, ERR_LIMIT, "release note, line %u: a file has at most %d bytes", lines->number, LIMIT_ARTIFACT_BYTES);
        if (!word_is_path(path))
                return lines_fail(lines, "not a path that stays inside the release", why);
        file->path = path;
        if (note->file_count && strcmp(file[-1].path, path) >= 0)
                return lines_fail(lines, "files are sorted by path, each once", why);
        if (is_inside(note, path))
                return lines_fail(lines, "the path goes through another file", why);
        note->file_count++;
        return OK;
}

static enum err read_files(struct lines *lines, struct release_note *note, struct why *why)
{
        char *value, *bytes_text;
        uint64_t count, bytes;
        enum err e = lines_next(lines, "files", &value, why);
        if (e)
                return e;
        if (!lines_cut(value, &bytes_text) || !word_number(value, &count) || !word_number(bytes_text, &bytes) || !count)
                return lines_fail(lines, "not `files COUNT BYTES`, at least one", why);
        if (count > LIMIT_RELEASE_FILES)
                return FAIL(why, ERR_LIMIT, "a release has at most %d files", LIMIT_RELEASE_FILES);
        note->files = mem_new((size_t)count, sizeof(*note->files));
        if (!note->files)
                return FAIL(why, ERR_NOMEM, "no memory for %" PRIu64 " files", count);
        while (!e && note->file_count < count)
                e = read_file(lines, note, why);
        if (!e && release_note_bytes(note) != bytes)
                e = lines_fail(lines, "the files have other bytes together than their heading says", why);
        return e ? e : lines_end(lines, why);
}

enum err release_note_parse(const char *text, size_t length, struct release_note **ret_note, struct why *why)
{
        if (length > LIMIT_NOTE_BYTES)
                return FAIL(why, ERR_LIMIT, "a release note has at most %d bytes", LIMIT_NOTE_BYTES);
        OWN(release_note) struct release_note *note = mem_new(1, sizeof(*note));
        if (note)
                note->text = mem_new(length + 1, 1);
        if (!note || !note->text)
                return FAIL(why, ERR_NOMEM, "no memory for a release note");
        memcpy(note->text, text, length);
        sha256(text, length, note->target);
        note->text_length = length;
        struct lines lines = { .at = note->text, .end = note->text + length, .what = "release note" };
        enum err e = memchr(text, 0, length) ? FAIL(why, ERR_SYNTAX, "release note: a NUL byte") : read_head(&lines, note, why);
        if (!e)
                e = read_files(&lines, note, why);
        if (!e)
                *ret_note = GIVE(note);
        return e;
}

/* By any who may approve something: the text of nobody is not read. */
static enum err verify_by_any(const struct anchor *anchor, const struct note *note, struct why *why)
{
        const struct note_keys content = anchor_keys(&anchor->content), agent = anchor_keys(&anchor->agent);
        if (agent.count && note_verify(note, &agent, NULL) == OK)
                return OK;
        enum err e = note_verify(note, &content, why);
        return e ? DURING(why, e, agent.count ? "release note, by the content keys, or the agent's" : "release note, by the content keys") : OK;
}

static enum err verify_by_role(const struct anchor *anchor, const struct note *note, const char *stream, struct why *why)
{
        const struct anchor_role *role = anchor_role_for(anchor, stream);
        const struct note_keys keys = anchor_keys(role);
        enum err e = note_verify(note, &keys, why);
        return e ? DURING(why, e, "release note, by the %s keys, as it is of stream %s", role == &anchor->agent ? "agent" : "content", stream) : OK;
}

enum err release_note_open(const struct anchor *anchor, const struct buf *bytes, struct release_note **ret_note, struct why *why)
{
        OWN(release_note) struct release_note *read = NULL;
        struct note note;
        enum err e = note_parse(buf_text(bytes), bytes->length, &note, why);
        if (e)
                return DURING(why, e, "release note");
        e = verify_by_any(anchor, &note, why);
        if (!e)
                e = release_note_parse(note.text, note.text_length, &read, why);
        if (!e)
                e = verify_by_role(anchor, &note, read->stream, why);
        if (!e)
                *ret_note = GIVE(read);
        return e;
}
