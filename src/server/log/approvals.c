#include "server/log/approvals.h"

#include "base/limits.h"
#include "format/hex.h"
#include "server/log/files.h"

#include <string.h>

enum { FILES_AT_ONCE = 32 };

static enum err check_room(struct db *db, const struct approvals_given *given, struct why *why)
{
        int64_t count = 0;
        enum err e = db_number(db, "SELECT count(*) FROM approvals WHERE release = ?", VALUES(bind_int(given->release)), 0, &count, why);
        if (!e && (size_t)count + given->note->signature_count > LIMIT_APPROVALS)
                e = FAIL(why, ERR_LIMIT, "a release takes at most %d signatures of approvals", LIMIT_APPROVALS);
        return e;
}

enum err approvals_add(struct db *db, struct approvals_given *given, struct why *why)
{
        enum err e = check_room(db, given, why);
        given->has_changed = false;
        for (size_t i = 0; i < given->note->signature_count && !e; i++) {
                const struct note_signature *by = &given->note->signatures[i];
                char id[9];
                hex_encode(by->id, sizeof(by->id), id);
                e = db_run(db, "INSERT INTO approvals VALUES (?,?,?,?,?,?,?,0) ON CONFLICT DO UPDATE SET signature = excluded.signature, given_at = excluded.given_at, is_out = 0"
                               " WHERE signature <> excluded.signature",
                           VALUES(bind_int(given->release), bind_text(approval_kind_name(given->kind)), bind_text(by->name), bind_blob(by->id, sizeof(by->id)),
                                  bind_blob(by->signature, sizeof(by->signature)), bind_text(given->kind == APPROVAL_EMERGENCY ? approval_kind_name(given->kind) : id),
                                  bind_int(given->now_s)), why);
                if (!e)
                        given->has_changed |= db_changed(db) > 0;
        }
        return e;
}

/* ---- files ---- */

/* A file that is to be written: of which release, and what it is called there. */
struct waiting { bool is_there; int64_t release; struct approval approval; char file[16]; };

static enum err find_waiting(struct db *db, struct waiting *waiting, struct why *why)
{
        OWN(query) struct query *q = NULL;
        size_t length = 0;
        enum err e = db_query(db, "SELECT a.release, a.file, a.kind, r.target FROM approvals a JOIN releases r ON r.number = a.release WHERE NOT a.is_out LIMIT 1", NO_VALUES, &q, why);
        if (!e)
                e = query_next(q, &waiting->is_there, why);
        if (e || !waiting->is_there)
                return e;
        waiting->release = query_int(q, 0);
        snprintf(waiting->file, sizeof(waiting->file), "%s", query_text(q, 1));
        memcpy(waiting->approval.release, query_blob(q, 3, &length), sizeof(waiting->approval.release));
        return approval_kind_find(query_text(q, 2), &waiting->approval.kind) ? OK : FAIL(why, ERR_IO, "an approval of an unknown kind; restore firebreak.db from a backup");
}

static void read_signature(struct query *q, struct note_signature *by)
{
        size_t length = 0;
        snprintf(by->name, sizeof(by->name), "%s", query_text(q, 0));
        memcpy(by->id, query_blob(q, 1, &length), sizeof(by->id));
        memcpy(by->signature, query_blob(q, 2, &length), sizeof(by->signature));
}

/* As many as a note takes; more of one file nobody has, but somebody who makes keys for their ids. */
static enum err write_note(struct db *db, const struct waiting *waiting, struct buf *note, struct why *why)
{
        OWN(query) struct query *q = NULL;
        struct note_signature by;
        bool has = false;
        approval_write(&waiting->approval, note);
        enum err e = db_query(db, "SELECT signer, id, signature FROM approvals WHERE release = ? AND file = ? ORDER BY given_at DESC, signer LIMIT ?",
                              VALUES(bind_int(waiting->release), bind_text(waiting->file), bind_int(LIMIT_SIGNATURES)), &q, why);
        while (!e && !(e = query_next(q, &has, why)) && has) {
                read_signature(q, &by);
                e = note_add_line(note, &by, why);
        }
        return e;
}

static enum err give_out_next(struct db *db, struct disk *disk, bool *ret_has, struct why *why)
{
        struct waiting waiting = { .is_there = false };
        char hex[65], path[FILES_PATH_MAX];
        OWN(buf) struct buf note;
        buf_init(&note, LIMIT_APPROVAL_BYTES);
        enum err e = find_waiting(db, &waiting, why);
        *ret_has = waiting.is_there;
        if (e || !waiting.is_there)
                return e;
        hex_encode(waiting.approval.release, sizeof(waiting.approval.release), hex);
        snprintf(path, sizeof(path), "approval/%s/%s", hex, waiting.file);
        e = write_note(db, &waiting, &note, why);
        if (!e)
                e = files_put(disk, path, &note, why);
        return e ? e : db_run(db, "UPDATE approvals SET is_out = 1 WHERE release = ? AND file = ?", VALUES(bind_int(waiting.release), bind_text(waiting.file)), why);
}

static enum err has_waiting(struct db *db, bool *ret_has, struct why *why)
{
        int64_t count = 0;
        enum err e = db_number(db, "SELECT EXISTS (SELECT 1 FROM approvals WHERE NOT is_out)", NO_VALUES, 0, &count, why);
        *ret_has = count > 0;
        return e;
}

enum err approvals_give_out(struct db *db, struct disk *disk, struct why *why)
{
        bool has = false;
        enum err e = has_waiting(db, &has, why);
        if (e || !has)
                return e;
        e = db_begin(db, why);
        for (int i = 0; i < FILES_AT_ONCE && has && !e; i++)
                e = give_out_next(db, disk, &has, why);
        if (!e)
                e = db_commit(db, why);
        if (e)
                db_rollback(db);
        return e;
}

enum err approvals_check_files(struct db *db, struct why *why)
{
        return db_run(db, "UPDATE approvals SET is_out = 0", NO_VALUES, why);
}

enum err approvals_list(struct db *db, int64_t release, struct json *into, struct why *why)
{
        OWN(query) struct query *q = NULL;
        bool has = false;
        enum err e = db_query(db, "SELECT DISTINCT iif(kind = 'emergency', kind, signer) FROM approvals WHERE release = ? ORDER BY 1", VALUES(bind_int(release)), &q, why);
        while (!e && !(e = query_next(q, &has, why)) && has)
                json_add(into, json_new_text(query_text(q, 0)));
        return e;
}
