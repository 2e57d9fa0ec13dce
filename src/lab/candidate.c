#include "lab/candidate.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"
#include "format/hex.h"
#include "lab/dossier_canary.h"
#include "lab/rulescan.h"
#include "platform/disk_folder.h"
#include "platform/file.h"
#include "platform/paths.h"

#include <stdarg.h>

enum { ARENA_BYTES = 64 << 20, DEPTH_MAX = 32, RULES_MAX = 200000 };   /* 8,192 paths and 200,000 rules; facts: 20,000 rules are 8 MB */

struct walk {
        struct candidate *candidate;
        const char *folder;              /* "" at the top */
        unsigned depth;
};

/* Room for one more in an array that lives in the arena; NULL when there is none. */
static void *grow(struct arena *arena, void *items, size_t count, size_t *room, size_t size)
{
        if (count < *room)
                return items;
        size_t more = *room ? 2 * *room : 64;
        void *larger = arena_alloc(arena, more, size);
        if (larger && count)
                memcpy(larger, items, count * size);
        if (larger)
                *room = more;
        return larger;
}

static bool ends_with(const char *text, const char *end)
{
        size_t length = strlen(text), end_length = strlen(end);
        return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

static enum err add_file(struct candidate *candidate, const struct candidate_file *file, struct why *why)
{
        if (candidate->file_count == LIMIT_RELEASE_FILES)
                return FAIL(why, ERR_LIMIT, "more than %d files", LIMIT_RELEASE_FILES);
        struct candidate_file *files = grow(candidate->arena, candidate->files, candidate->file_count, &candidate->file_room, sizeof(*files));
        if (!files)
                return FAIL(why, ERR_NOMEM, "the list of files");
        candidate->files = files;
        files[candidate->file_count++] = *file;
        return OK;
}

static enum err walk_folder(struct walk *walk, const char *folder, struct why *why);

static enum err visit(void *user, const char *name, enum disk_kind kind, uint64_t length, struct why *why)
{
        struct walk *walk = user;
        char path[DISK_PATH_MAX + 1];
        if ((size_t)snprintf(path, sizeof(path), "%s%s%s", walk->folder, walk->folder[0] ? "/" : "", name) >= sizeof(path))
                return FAIL(why, ERR_LIMIT, "%.100s...: a path of over %d bytes", path, DISK_PATH_MAX);
        bool is_description = !walk->candidate->note && (strcmp(path, "dossier.yaml") == 0 || strcmp(path, "release.yaml") == 0);
        if (is_description && kind == DISK_FILE)
                return OK;
        char *kept = arena_strdup(walk->candidate->arena, path);
        if (!kept)
                return FAIL(why, ERR_NOMEM, "the list of files");
        if (kind == DISK_FOLDER)
                return walk_folder(walk, kept, why);
        return add_file(walk->candidate, &(struct candidate_file){ .path = kept, .kind = kind, .length = length,
                                                                   .is_rules = kind == DISK_FILE && ends_with(kept, ".yar") }, why);
}

static enum err walk_folder(struct walk *walk, const char *folder, struct why *why)
{
        const char *above = walk->folder;
        if (walk->depth == DEPTH_MAX)
                return FAIL(why, ERR_LIMIT, "%.120s: folders more than %d deep", folder, DEPTH_MAX);
        walk->folder = folder;
        walk->depth++;
        struct disk *disk = walk->candidate->disk;
        enum err e = disk->ops->list(disk, folder, visit, walk, why);
        walk->depth--;
        walk->folder = above;
        return e;
}

struct scanning {
        struct candidate *candidate;
        struct candidate_file *file;
        bool is_full;                    /* the arena, or RULES_MAX */
};

static void add_finding(struct scanning *scanning, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add_finding(struct scanning *scanning, const char *format, ...)
{
        struct candidate *candidate = scanning->candidate;
        char text[512];
        va_list list;
        va_start(list, format);
        vsnprintf(text, sizeof(text), format, list);
        va_end(list);
        struct candidate_finding *findings = grow(candidate->arena, candidate->findings, candidate->finding_count, &candidate->finding_room, sizeof(*findings));
        char *kept = arena_strdup(candidate->arena, text);
        scanning->is_full |= !findings || !kept;
        if (scanning->is_full)
                return;
        candidate->findings = findings;
        findings[candidate->finding_count++].text = kept;
}

static void add_name(struct scanning *scanning, const struct rulescan_event *event)
{
        struct candidate *candidate = scanning->candidate;
        struct candidate_name *names = grow(candidate->arena, candidate->names, candidate->name_count, &candidate->name_room, sizeof(*names));
        char *rule = arena_alloc(candidate->arena, event->name_length + 1, 1);
        scanning->is_full |= !names || !rule || candidate->name_count == RULES_MAX;
        if (scanning->is_full)
                return;
        memcpy(rule, event->name, event->name_length);
        candidate->names = names;
        names[candidate->name_count++] = (struct candidate_name){ rule, scanning->file->path, event->line };
        scanning->file->rules++;
}

static void on_event(void *user, const struct rulescan_event *event)
{
        struct scanning *scanning = user;
        const char *path = scanning->file->path;
        int length = event->name_length > 128 ? 128 : (int)event->name_length;
        if (scanning->is_full)
                return;
        if (event->kind == RULESCAN_RULE)
                add_name(scanning, event);
        else if (event->kind == RULESCAN_INCLUDE)
                add_finding(scanning, "%s:%u: includes %.*s; a release reads no other file", path, event->line, length, event->name);
        else if (event->kind == RULESCAN_MATCH_ALL)
                add_finding(scanning, "%s:%u: rule %.*s matches every file", path, event->line, length, event->name);
        else
                add_finding(scanning, "%s:%u: rule %.*s has a loop of more than %d rounds", path, event->line, length, event->name, RULESCAN_LOOP_MAX);
}

static enum err scan_rules(struct candidate *candidate, struct candidate_file *file, struct why *why)
{
        OWN(buf) struct buf text;
        buf_init(&text, LIMIT_RULE_FILE_BYTES);
        enum err e = candidate->disk->ops->read(candidate->disk, file->path, &text, why);
        if (e)
                return e;
        struct scanning scanning = { candidate, file, false };
        file->is_text = text_is_utf8(buf_text(&text), text.length);
        rulescan(buf_text(&text), text.length, on_event, &scanning);
        return scanning.is_full ? FAIL(why, ERR_LIMIT, "%s: more rules than the lab has room for (%d)", file->path, RULES_MAX) : OK;
}

static int by_name(const void *a, const void *b)
{
        const struct candidate_name *left = a, *right = b;
        int order = strcmp(left->rule, right->rule);
        order = order ? order : strcmp(left->path, right->path);
        return order ? order : (left->line > right->line) - (left->line < right->line);
}

static enum err read_content(struct candidate *candidate, struct why *why)
{
        struct walk walk = { candidate, "", 0 };
        enum err e = walk_folder(&walk, "", why);
        for (size_t i = 0; !e && i < candidate->file_count; i++)
                if (candidate->files[i].is_rules)
                        e = scan_rules(candidate, &candidate->files[i], why);
        if (!e && candidate->name_count)
                qsort(candidate->names, candidate->name_count, sizeof(candidate->names[0]), by_name);
        return e;
}

static enum err read_note(struct disk *top, struct candidate *candidate, struct why *why)
{
        OWN(buf) struct buf bytes;
        buf_init(&bytes, LIMIT_NOTE_BYTES);
        enum err e = top->ops->read(top, "note", &bytes, why);
        if (e == ERR_NOT_FOUND)
                return OK;
        if (!e)
                e = release_note_parse(buf_text(&bytes), note_signed_length(buf_text(&bytes), bytes.length), &candidate->note, why);
        if (!e)
                hex_encode(candidate->note->target, sizeof(candidate->note->target), candidate->target);
        return e ? DURING(why, e, "note") : OK;
}

/* A dossier that is missing or does not read is a fault of the content, not ours. */
static enum err read_dossier(struct disk *top, struct candidate *candidate, struct why *why)
{
        OWN(buf) struct buf text;
        struct why fault;
        const char *name = candidate->note ? "dossier.json" : "dossier.yaml";
        buf_init(&text, LIMIT_YAML_BYTES);
        enum err e = top->ops->read(top, name, &text, &fault);
        if (!e && candidate->note)
                digest_bytes(buf_text(&text), text.length, candidate->dossier_sha256);
        if (!e)
                e = (candidate->note ? dossier_canary_json : dossier_canary_yaml)(&text, candidate->arena, &candidate->canary, &fault);
        if (e == ERR_NOMEM)
                return FAIL(why, e, "reading the dossier");
        candidate->dossier_fault = e ? arena_strdup(candidate->arena, fault.text) : NULL;
        return e && !candidate->dossier_fault ? FAIL(why, ERR_NOMEM, "reading the dossier") : OK;
}

static enum err open_content(struct candidate *candidate, const char *real, struct why *why)
{
        char folder[PATH_MAX + 8];
        snprintf(folder, sizeof(folder), "%s%s", real, candidate->note ? "/files" : "");
        candidate->folder = arena_strdup(candidate->arena, folder);
        if (!candidate->folder)
                return FAIL(why, ERR_NOMEM, "the content");
        if (file_kind(folder) != FILE_FOLDER)
                return FAIL(why, ERR_NOT_FOUND, "%.180s: no such folder", folder);
        return disk_folder_open(folder, &candidate->disk, why);
}

enum err candidate_open(const char *folder, struct candidate **ret_candidate, struct why *why)
{
        OWN(candidate) struct candidate *candidate = mem_new(1, sizeof(*candidate));
        OWN(disk_folder) struct disk *top = NULL;
        char real[PATH_MAX];
        if (file_kind(folder) != FILE_FOLDER)
                return FAIL(why, ERR_NOT_FOUND, "%.180s is no folder; give a content folder, or a release below the publisher's `releases`", folder);
        if (!candidate || !(candidate->arena = arena_new(ARENA_BYTES)))
                return FAIL(why, ERR_NOMEM, "the content");
        enum err e = paths_real(folder, real, why);
        if (!e)
                e = disk_folder_open(real, &top, why);
        if (!e)
                e = read_note(top, candidate, why);
        if (!e)
                e = read_dossier(top, candidate, why);
        if (!e)
                e = open_content(candidate, real, why);
        if (!e)
                e = read_content(candidate, why);
        if (e)
                return DURING(why, e, "reading the release");
        *ret_candidate = GIVE(candidate);
        return OK;
}

void candidate_close(struct candidate *candidate)
{
        if (!candidate)
                return;
        release_note_free(candidate->note);
        disk_folder_close(candidate->disk);
        arena_free(candidate->arena);
        mem_free(candidate);
}
