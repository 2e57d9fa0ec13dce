/* S1: what can be said of content without running anything on it. */
#include "lab/stage.h"

#include "format/hex.h"

static void check_kind(const struct candidate_file *file, struct found *found)
{
        if (file->kind == DISK_LINK)
                found_fault(found, "%s is a symbolic link", file->path);
        else if (file->kind != DISK_FILE)
                found_fault(found, "%s is no file", file->path);
}

/* Compiled rules cannot be read before they are run, and one flipped bit of them kills the engine (facts: 10 of 100). */
static void check_name(const struct candidate_file *file, struct found *found)
{
        size_t length = strlen(file->path);
        if (length > 4 && strcmp(file->path + length - 4, ".yac") == 0)
                found_fault(found, "%s holds compiled rules; ship their source", file->path);
}

static void check_rules(const struct candidate_file *file, struct found *found)
{
        if (!file->length)
                found_fault(found, "%s is empty", file->path);
        else if (!file->is_text)
                found_fault(found, "%s is not text: it has a NUL, or is not UTF-8", file->path);
        else if (!file->rules)
                found_fault(found, "%s has no rule in it", file->path);
}

static void check_names(const struct candidate *candidate, struct found *found)
{
        for (size_t i = 1; i < candidate->name_count; i++) {
                const struct candidate_name *a = &candidate->names[i - 1], *b = &candidate->names[i];
                if (strcmp(a->rule, b->rule) == 0)
                        found_fault(found, "two rules are named %s: %s:%u and %s:%u", a->rule, a->path, a->line, b->path, b->line);
        }
}

static const struct candidate_file *find_file(const struct candidate *candidate, const char *path)
{
        for (size_t i = 0; i < candidate->file_count; i++)
                if (strcmp(candidate->files[i].path, path) == 0)
                        return &candidate->files[i];
        return NULL;
}

static enum err check_digest(const struct candidate *candidate, const struct release_file *declared, struct found *found, struct why *why)
{
        char hex[DIGEST_TEXT_MAX], wanted[DIGEST_TEXT_MAX];
        uint64_t length;
        enum err e = digest_file(candidate->disk, declared->path, hex, &length, why);
        hex_encode(declared->sha256, sizeof(declared->sha256), wanted);
        if (!e && (length != declared->length || strcmp(hex, wanted) != 0))
                found_fault(found, "%s is not the file that the release note names", declared->path);
        return e;
}

/* The note is what devices are given; the lab must have looked at exactly that. */
static enum err check_note(const struct candidate *candidate, struct found *found, struct why *why)
{
        const struct release_note *note = candidate->note;
        char wanted[DIGEST_TEXT_MAX];
        enum err e = OK;
        hex_encode(note->dossier, sizeof(note->dossier), wanted);
        if (strcmp(wanted, candidate->dossier_sha256) != 0)
                found_fault(found, "the dossier is not the one that the release note names");
        if (note->file_count != candidate->file_count)
                found_fault(found, "the release note names %zu files, and %zu are here", note->file_count, candidate->file_count);
        for (size_t i = 0; !e && i < note->file_count; i++) {
                const struct candidate_file *file = find_file(candidate, note->files[i].path);
                if (!file || file->kind != DISK_FILE)
                        found_fault(found, "%s is in the release note and not here", note->files[i].path);
                else
                        e = check_digest(candidate, &note->files[i], found, why);
        }
        return e;
}

/* More than half of the protection gone at once is a mistake until somebody says otherwise. */
static void check_floor(const struct trial *trial, struct found *found)
{
        size_t now = trial->candidate->name_count, before = trial->baseline ? trial->baseline->name_count : 0;
        if (2 * now < before)
                found_fault(found, "%zu rules, and devices run %zu now: more than half would be gone", now, before);
}

enum err stage_static(const struct trial *trial, struct found *found, struct why *why)
{
        const struct candidate *candidate = trial->candidate;
        for (size_t i = 0; i < candidate->file_count; i++) {
                const struct candidate_file *file = &candidate->files[i];
                check_kind(file, found);
                check_name(file, found);
                if (file->is_rules)
                        check_rules(file, found);
                found->saw.bytes += (int64_t)file->length;
        }
        found->cases = (int64_t)candidate->file_count;
        found->saw.files = (int64_t)candidate->file_count;
        found->saw.rules = (int64_t)candidate->name_count;
        if (!candidate->name_count)
                found_fault(found, "there is no rule in it");
        if (candidate->dossier_fault)
                found_fault(found, "%s", candidate->dossier_fault);
        for (size_t i = 0; i < candidate->finding_count; i++)
                found_fault(found, "%s", candidate->findings[i].text);
        check_names(candidate, found);
        check_floor(trial, found);
        return candidate->note ? check_note(candidate, found, why) : OK;
}
