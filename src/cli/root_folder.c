#include "cli/root_folder.h"

#include "base/limits.h"
#include "base/mem.h"
#include "cli/journal.h"
#include "cli/key_file.h"
#include "platform/disk.h"
#include "trust/tuf_build.h"

#include <stdio.h>
#include <string.h>

enum { PATH_BYTES = 64 };

static const char *folder_of(enum paper paper)
{
        return paper_is_listing(paper) ? "metadata" : "public";
}

static enum err read_one(struct disk *disk, enum paper paper, struct buf *into, struct why *why)
{
        char path[PATH_BYTES];
        snprintf(path, sizeof(path), "%s/%s", folder_of(paper), paper_name(paper));
        enum err e = disk->ops->read(disk, path, into, why);
        return e ? DURING(why, e, "%s of the publisher's folder", path) : OK;
}

enum err root_folder_read(struct disk *disk, struct proposal *proposal, struct why *why)
{
        enum err e = OK;
        for (size_t i = 0; !e && i < PAPERS_IN_FORCE; i++)
                e = read_one(disk, (enum paper)i, &proposal->papers[i].before, why);
        return e;
}

enum err root_folder_check(struct disk *disk, const struct proposal *proposal, struct why *why)
{
        enum err e = OK;
        for (size_t i = 0; !e && i < PAPERS_IN_FORCE; i++) {
                OWN(buf) struct buf file;
                buf_init(&file, LIMIT_METADATA_BYTES);
                if (paper_is_listing((enum paper)i) && !proposal->papers[i].text.length)       /* releases may go on being signed meanwhile */
                        continue;
                e = read_one(disk, (enum paper)i, &file, why);
                if (!e && !buf_equal(&file, &proposal->papers[i].before))
                        e = FAIL(why, ERR_REFUSED, "%s is not the one that the proposal follows: another was made since, or it is of another publisher; propose again", paper_name((enum paper)i));
        }
        return e;
}

/* ---- online keys ---- */

const char *online_key_name(enum online_key which)
{
        static const char *const names[ONLINE_KEYS] = { [ONLINE_TIMESTAMP] = "timestamp", [ONLINE_DIRECTOR] = "director", [ONLINE_LOG] = "log" };
        return names[which];
}

/* Named by the key, so that no proposal takes away what another one needs. */
static void aside(enum online_key which, const struct public_key *key, char path[static PATH_BYTES])
{
        char id[65];
        tuf_key_id(key, id);
        snprintf(path, PATH_BYTES, "metadata/next.%s.%.16s.pem", online_key_name(which), id);
}

enum err root_folder_keep(struct disk *disk, enum online_key which, const struct secret_key *key, struct why *why)
{
        char path[PATH_BYTES];
        OWN(key_text) struct buf pem;
        key_text_init(&pem);
        aside(which, &key->public, path);
        enum err e = key_pem_write(key, NULL, &pem, why);
        return e ? e : disk->ops->replace(disk, path, pem.bytes, pem.length, why);
}

/* ---- the step ---- */

struct root_key { enum online_key which; struct public_key key; };

struct step {
        struct disk *disk;
        size_t count;
        struct journal_file files[JOURNAL_FILES_MAX];
        char paths[JOURNAL_FILES_MAX][PATH_BYTES];
        struct buf before[PAPERS_IN_FORCE], keys[ONLINE_KEYS], log;
};

static void step_release(struct step **step)
{
        if (!*step)
                return;
        for (size_t i = 0; i < PAPERS_IN_FORCE; i++)
                buf_done(&(*step)->before[i]);
        buf_done(&(*step)->log);
        for (size_t i = 0; i < ONLINE_KEYS; i++) {
                if ((*step)->keys[i].bytes)
                        explicit_bzero((*step)->keys[i].bytes, (*step)->keys[i].capacity);
                buf_done(&(*step)->keys[i]);
        }
        mem_free(*step);
}

static void add(struct step *step, const char *folder, const char *name, const struct buf *text)
{
        snprintf(step->paths[step->count], PATH_BYTES, "%s/%s", folder, name);
        step->files[step->count] = (struct journal_file){ step->paths[step->count], text };
        step->count++;
}

/* "release.2.root.json" */
static void add_numbered(struct step *step, enum paper paper, uint64_t version, const struct buf *text)
{
        char name[PATH_BYTES - 8];
        const char *whole = paper_name(paper), *rest = strchr(whole, '.');
        snprintf(name, sizeof(name), "%.*s.%llu%s", (int)(rest - whole), whole, (unsigned long long)version, rest);
        add(step, "online", name, text);
}

static enum err add_paper(struct step *step, const struct root_taking *taking, enum paper paper, struct why *why)
{
        enum err e = OK;
        if (!paper_is_listing(paper) && holders_version(taking->before, paper) == 1) {         /* that of the beginning is not numbered yet */
                e = read_one(step->disk, paper, &step->before[paper], why);
                add_numbered(step, paper, 1, &step->before[paper]);
        }
        if (!paper_is_listing(paper))
                add_numbered(step, paper, holders_version(taking->after, paper), &taking->files[paper]);
        add(step, "online", paper_name(paper), &taking->files[paper]);
        add(step, folder_of(paper), paper_name(paper), &taking->files[paper]);
        return e;
}

/* The online keys that are new. */
static size_t new_keys(const struct root_taking *taking, struct root_key keys[static ONLINE_KEYS])
{
        const struct holders *old = taking->before, *new = taking->after;
        const struct { struct root_key key; bool is_new; } all[ONLINE_KEYS] = {
                { { ONLINE_TIMESTAMP, new->timestamp.key }, !key_equal(&old->timestamp.key, &new->timestamp.key) },
                { { ONLINE_DIRECTOR, new->director.key.key }, !key_equal(&old->director.key.key, &new->director.key.key) },
                { { ONLINE_LOG, new->anchor.log.key }, new->anchor.has_log && !(old->anchor.has_log && key_equal(&old->anchor.log.key, &new->anchor.log.key)) },
        };
        size_t count = 0;
        for (size_t i = 0; i < ONLINE_KEYS; i++)
                if (all[i].is_new)
                        keys[count++] = all[i].key;
        return count;
}

/* Somebody put it there already. */
static bool is_online(struct disk *disk, const struct root_key *key)
{
        char path[PATH_BYTES];
        OWN(secret_key) struct secret_key there = { 0 };
        OWN(key_text) struct buf pem;
        key_text_init(&pem);
        snprintf(path, sizeof(path), "online/%s.pem", online_key_name(key->which));
        return disk->ops->read(disk, path, &pem, NULL) == OK && key_pem_read(&pem, NULL, &there, NULL) == OK && key_equal(&there.public, &key->key);
}

static enum err add_key(struct step *step, const struct root_taking *taking, const struct root_key *key, struct buf *pem, struct why *why)
{
        char path[PATH_BYTES], name[PATH_BYTES - 8];
        OWN(secret_key) struct secret_key kept = { 0 };
        aside(key->which, &key->key, path);
        enum err e = step->disk->ops->read(step->disk, path, pem, why);
        if (e == ERR_NOT_FOUND && (taking->is_elsewhere || is_online(step->disk, key)))
                return OK;
        if (e == ERR_NOT_FOUND)
                return FAIL(why, e, "the new %s key is not here, as %s; without it the server cannot go on. If it is held elsewhere, say --elsewhere and put it into online/ yourself",
                            online_key_name(key->which), path);
        if (!e)
                e = key_pem_read(pem, NULL, &kept, why);
        if (!e && !key_equal(&kept.public, &key->key))
                e = FAIL(why, ERR_SYNTAX, "it is another key than its name says");
        if (e)
                return DURING(why, e, "%s", path);
        snprintf(name, sizeof(name), "%s.pem", online_key_name(key->which));
        add(step, "online", name, pem);
        return OK;
}

static enum err add_keys(struct step *step, const struct root_taking *taking, struct why *why)
{
        struct root_key keys[ONLINE_KEYS];
        const size_t count = new_keys(taking, keys);
        enum err e = OK;
        for (size_t i = 0; !e && i < count; i++)
                e = add_key(step, taking, &keys[i], &step->keys[i], why);
        return e;
}

/* For the server, and for witnesses. */
static void add_log(struct step *step, const struct root_taking *taking)
{
        const struct anchor *old = &taking->before->anchor, *new = &taking->after->anchor;
        char text[VERIFIER_TEXT_MAX];
        if (!new->has_log || (old->has_log && key_equal(&old->log.key, &new->log.key) && strcmp(old->log.name, new->log.name) == 0))
                return;
        verifier_text(&new->log, text);
        buf_addf(&step->log, "%s\n", text);
        add(step, "online", "log.vkey", &step->log);
        add(step, "public", "log.vkey", &step->log);
}

enum err root_folder_clear(struct disk *disk, const struct root_taking *taking, struct why *why)
{
        struct root_key keys[ONLINE_KEYS];
        const size_t count = new_keys(taking, keys);
        enum err e = OK;
        for (size_t i = 0; !e && i < count; i++) {
                char path[PATH_BYTES];
                aside(keys[i].which, &keys[i].key, path);
                e = disk->ops->remove_tree(disk, path, why);
        }
        return e;
}

/* Is this file that text, signed by whomever? */
static bool is_signed_text(enum paper paper, const struct buf *file, const struct buf *text)
{
        static const char before[] = "],\"signed\":";
        if (paper_is_note(paper))
                return note_signed_length(buf_text(file), file->length) == text->length && memcmp(buf_text(file), buf_text(text), text->length) == 0;
        const char *at = memmem(buf_text(file), file->length, before, strlen(before));
        const size_t length = at ? (size_t)(buf_text(file) + file->length - at) : 0;
        return length == strlen(before) + text->length + 1 && memcmp(at + strlen(before), buf_text(text), text->length) == 0;
}

enum err root_folder_is_taken(struct disk *disk, const struct proposal *proposal, bool *ret_is, struct why *why)
{
        enum err e = OK;
        bool is_any = false;
        *ret_is = true;
        for (size_t i = 0; !e && i < PAPERS_IN_FORCE; i++) {
                const struct proposed *paper = &proposal->papers[i];
                OWN(buf) struct buf file;
                buf_init(&file, LIMIT_METADATA_BYTES);
                e = read_one(disk, (enum paper)i, &file, why);
                is_any |= paper->text.length > 0;
                if (!e && paper->text.length)
                        *ret_is &= is_signed_text((enum paper)i, &file, &paper->text);
                else if (!e && !paper_is_listing((enum paper)i))
                        *ret_is &= buf_equal(&file, &paper->before);
        }
        *ret_is &= is_any;
        return e;
}

enum err root_folder_take(struct disk *disk, const struct root_taking *taking, struct why *why)
{
        OWN(step) struct step *step = mem_new(1, sizeof(*step));
        if (!step)
                return FAIL(why, ERR_NOMEM, "no memory for the ceremony");
        step->disk = disk;
        for (size_t i = 0; i < PAPERS_IN_FORCE; i++)
                buf_init(&step->before[i], LIMIT_METADATA_BYTES);
        for (size_t i = 0; i < ONLINE_KEYS; i++)
                buf_init(&step->keys[i], KEY_PEM_MAX);
        buf_init(&step->log, VERIFIER_TEXT_MAX + 1);
        enum err e = OK;
        for (size_t i = 0; !e && i < PAPERS_IN_FORCE; i++)
                if (taking->files[i].length)
                        e = add_paper(step, taking, (enum paper)i, why);
        if (!e)
                e = add_keys(step, taking, why);
        if (!e)
                add_log(step, taking);
        if (!e)
                e = buf_check(&step->log, why);
        if (!e)
                e = journal_commit(disk, step->files, step->count, why);
        return e ? e : root_folder_clear(disk, taking, why);
}
