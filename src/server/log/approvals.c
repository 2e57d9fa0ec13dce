#include "server/log/approvals.h"

#include "base/limits.h"
#include "format/hex.h"
#include "server/log/files.h"

#include <string.h>

enum { FILES_AT_ONCE = 32, NAME_BYTES = 65 };

/* `emergency`, or the customer's key. */
static void file_name(const struct approval *approval, char name[static NAME_BYTES])
{
        if (approval->kind == APPROVAL_CUSTOMER)
                hex_encode(approval->by.key.bytes, sizeof(approval->by.key.bytes), name);
        else
                snprintf(name, NAME_BYTES, "%s", approval_kind_name(approval->kind));
}

/* The first line of the key that fits: one before it that does not was written by somebody else. */
static const struct note_signature *find_signature(const struct note *note, const struct vkey *key)
{
        uint8_t id[4];
        vkey_id(key, id);
        for (size_t i = 0; i < note->signature_count; i++) {
                const struct note_signature *by = &note->signatures[i];
                if (memcmp(by->id, id, sizeof(id)) == 0 && strcmp(by->name, key->name) == 0 && key_verify(&key->key, note->text, note->text_length, by->signature))
                        return by;
        }
        return NULL;
}

static enum err write_note(const struct approvals_given *given, struct buf *into, struct why *why)
{
        size_t count = 0;
        enum err e = OK;
        approval_write(given->approval, into);
        for (size_t i = 0; i < given->keys->count && !e; i++) {
                const struct note_signature *by = find_signature(given->note, &given->keys->keys[i]);
                count += by != NULL;
                if (by)
                        e = note_add_line(into, by, why);
        }
        if (!e && count < given->keys->threshold)
                return FAIL(why, ERR_UNTRUSTED, "the approval has %zu of the %zu signatures that it takes", count, given->keys->threshold);
        return e ? e : approval_verify(into, given->approval, given->keys, why);
}

static enum err check_room(struct db *db, const struct approvals_given *given, const char *file, struct why *why)
{
        int64_t others = 0;
        enum err e = db_number(db, "SELECT count(*) FROM approvals WHERE release = ? AND file <> ? AND by <> ''", VALUES(bind_int(given->release), bind_text(file)), 0, &others, why);
        if (!e && given->approval->kind == APPROVAL_CUSTOMER && others >= LIMIT_APPROVALS)
                e = FAIL(why, ERR_LIMIT, "a release takes the approvals of at most %d customers", LIMIT_APPROVALS);
        return e;
}

enum err approvals_add(struct db *db, struct approvals_given *given, struct why *why)
{
        char file[NAME_BYTES];
        OWN(buf) struct buf note;
        buf_init(&note, LIMIT_APPROVAL_BYTES);
        file_name(given->approval, file);
        enum err e = write_note(given, &note, why);
        if (!e)
                e = check_room(db, given, file, why);
        if (!e)
                e = db_run(db, "INSERT INTO approvals VALUES (?,?,?,?,?,0) ON CONFLICT DO UPDATE SET by = excluded.by, note = excluded.note, given_at = excluded.given_at, is_out = 0"
                               " WHERE note <> excluded.note",
                           VALUES(bind_int(given->release), bind_text(file), bind_text(given->approval->kind == APPROVAL_CUSTOMER ? given->approval->by.name : ""),
                                  bind_blob(note.bytes, note.length), bind_int(given->now_s)), why);
        if (!e)
                given->has_changed = db_changed(db) > 0;
        return e;
}

/* ---- files ---- */

static enum err give_out_next(struct db *db, struct disk *disk, bool *ret_has, struct why *why)
{
        OWN(query) struct query *q = NULL;
        OWN(buf) struct buf note;
        char path[FILES_PATH_MAX];
        size_t length = 0;
        buf_init(&note, LIMIT_APPROVAL_BYTES);
        enum err e = db_query(db, "SELECT a.release, a.file, r.target, a.note FROM approvals a JOIN releases r ON r.number = a.release WHERE NOT a.is_out ORDER BY a.given_at DESC LIMIT 1",
                              NO_VALUES, &q, why);
        if (!e)
                e = query_next(q, ret_has, why);
        if (e || !*ret_has)
                return e;
        files_approval_path(query_blob(q, 2, &length), query_text(q, 1), path);
        const void *bytes = query_blob(q, 3, &length);
        buf_add(&note, bytes, length);
        e = buf_check(&note, why);
        if (!e)
                e = files_put(disk, path, &note, why);
        return e ? e : db_run(db, "UPDATE approvals SET is_out = 1 WHERE release = ? AND file = ?", VALUES(bind_int(query_int(q, 0)), bind_text(query_text(q, 1))), why);
}

static enum err give_out(struct db *db, struct disk *disk, struct why *why)
{
        bool has = true;
        enum err e = db_begin(db, why);
        for (int i = 0; i < FILES_AT_ONCE && has && !e; i++)
                e = give_out_next(db, disk, &has, why);
        return db_end(db, e, why);
}

enum err approvals_give_out(struct db *db, struct disk *disk, struct why *why)
{
        int64_t waiting = 0;
        enum err e = db_number(db, "SELECT EXISTS (SELECT 1 FROM approvals WHERE NOT is_out)", NO_VALUES, 0, &waiting, why);
        if (!e && waiting)
                e = give_out(db, disk, why);
        return e ? DURING(why, e, "giving out approvals") : OK;
}

static enum err check_file(struct db *db, struct disk *disk, struct query *q, struct why *why)
{
        char path[FILES_PATH_MAX];
        size_t length = 0;
        files_approval_path(query_blob(q, 2, &length), query_text(q, 1), path);
        enum err e = files_check(disk, path, why);
        return e == ERR_NOT_FOUND ? db_run(db, "UPDATE approvals SET is_out = 0 WHERE release = ? AND file = ?", VALUES(bind_int(query_int(q, 0)), bind_text(query_text(q, 1))), why) : e;
}

enum err approvals_check_files(struct db *db, struct disk *disk, struct why *why)
{
        OWN(query) struct query *q = NULL;
        bool has = false;
        enum err e = db_query(db, "SELECT a.release, a.file, r.target FROM approvals a JOIN releases r ON r.number = a.release WHERE a.is_out ORDER BY a.release, a.file", NO_VALUES, &q, why);
        while (!e && !(e = query_next(q, &has, why)) && has)
                e = check_file(db, disk, q, why);
        return e;
}

enum err approvals_list(struct db *db, int64_t release, struct json *into, struct why *why)
{
        OWN(query) struct query *q = NULL;
        bool has = false;
        enum err e = db_query(db, "SELECT by FROM approvals WHERE release = ? ORDER BY by, file", VALUES(bind_int(release)), &q, why);
        while (!e && !(e = query_next(q, &has, why)) && has) {
                struct json *one = json_new_object();
                const char *by = query_text(q, 0);
                json_set_text(one, "kind", approval_kind_name(by[0] ? APPROVAL_CUSTOMER : APPROVAL_EMERGENCY));
                if (by[0])
                        json_set_text(one, "by", by);
                json_add(into, one);
        }
        return e;
}
