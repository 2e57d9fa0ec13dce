#include "server/rollouts/leases.h"

#include "base/limits.h"
#include "format/hex.h"
#include "server/signer/signer.h"
#include "trust/anchor.h"
#include "trust/note.h"

#include <string.h>

static void read_row(struct query *q, struct lease_row *row)
{
        size_t length = 0;
        *row = (struct lease_row){
                .number = query_int(q, 0), .device = query_int(q, 1), .rollout = query_int(q, 2), .handle = query_int(q, 3),
                .is_shadow = strcmp(query_text(q, 4), "shadow") == 0, .is_counted = query_int(q, 5), .is_signed = query_int(q, 6),
                .counter = query_int(q, 7), .granted_ms = query_int(q, 9), .deadline_ms = query_int(q, 10),
        };
        memcpy(row->target, query_blob(q, 8, &length), sizeof(row->target));
        snprintf(row->outcome, sizeof(row->outcome), "%s", query_text(q, 11));
}

enum err lease_find(struct db *db, const uint8_t nonce[16], struct lease_row *ret_row, struct why *why)
{
        OWN(query) struct query *q = NULL;
        bool has = false;
        enum err e = db_query(db, "SELECT number, device, rollout, handle, kind, is_counted, note IS NOT NULL, counter, target, granted_ms, deadline_ms,"
                                  " outcome FROM leases WHERE nonce = ?", VALUES(bind_blob(nonce, 16)), &q, why);
        if (!e)
                e = query_next(q, &has, why);
        if (e)
                return e;
        if (!has)
                return FAIL(why, ERR_NOT_FOUND, "no lease has this nonce");
        read_row(q, ret_row);
        memcpy(ret_row->nonce, nonce, sizeof(ret_row->nonce));
        return OK;
}

enum err lease_reserve(struct db *db, const struct lease_row *row, struct why *why)
{
        return db_run(db, "INSERT INTO leases (nonce, device, rollout, handle, kind, is_counted, counter, target, granted_ms, deadline_ms)"
                          " VALUES (?,?,?,?,?,?,?,?,?,?) ON CONFLICT (nonce) DO NOTHING",
                      VALUES(bind_blob(row->nonce, 16), bind_int(row->device), bind_int(row->rollout), bind_int(row->handle),
                             bind_text(row->is_shadow ? "shadow" : "exposure"), bind_int(row->is_counted), bind_int(row->counter),
                             bind_blob(row->target, 32), bind_int(row->granted_ms), bind_int(row->deadline_ms)), why);
}

enum err lease_has_open(struct db *db, int64_t device, int64_t now_ms, bool *ret_has, struct why *why)
{
        int64_t count = 0;
        enum err e = db_number(db, "SELECT count(*) FROM leases WHERE device = ? AND outcome IS NULL AND deadline_ms > ?",
                               VALUES(bind_int(device), bind_int(now_ms)), 0, &count, why);
        if (!e)
                *ret_has = count > 0;
        return e;
}

enum err lease_last_outcome(struct db *db, int64_t rollout, int64_t device, char outcome[24], struct why *why)
{
        OWN(query) struct query *q = NULL;
        bool has = false;
        enum err e = db_query(db, "SELECT outcome FROM leases WHERE device = ? AND rollout = ? AND kind = 'exposure' ORDER BY number DESC LIMIT 1",
                              VALUES(bind_int(device), bind_int(rollout)), &q, why);
        if (!e)
                e = query_next(q, &has, why);
        if (e)
                return e;
        if (!has)
                return FAIL(why, ERR_NOT_FOUND, "never exposed");
        snprintf(outcome, 24, "%s", query_text(q, 0));
        return OK;
}

enum err lease_label(struct db *db, int64_t number, const char *outcome, const char *harm, int64_t now_ms, struct why *why)
{
        return db_run(db, "UPDATE leases SET outcome = ?1, harm = iif(harm = 'dark' AND ?2 = '', harm, ?2), outcome_ms = ?3 WHERE number = ?4",
                      VALUES(bind_text(outcome), bind_text(harm), bind_int(now_ms), bind_int(number)), why);
}

static enum err kept_note(struct db *db, int64_t number, struct buf *into, struct why *why)
{
        OWN(query) struct query *q = NULL;
        bool has = false;
        enum err e = db_query(db, "SELECT note FROM leases WHERE number = ?", VALUES(bind_int(number)), &q, why);
        if (!e)
                e = query_next(q, &has, why);
        if (!e && has)
                buf_add_text(into, query_text(q, 0));
        return e ? e : buf_check(into, why);
}

static void write_text(const struct lease_row *row, const struct lease_signing *signing, struct buf *into)
{
        struct lease lease = { .is_shadow = row->is_shadow, .counter = (uint64_t)row->counter,
                               .granted = row->granted_ms / 1000, .deadline = row->ends_ms / 1000, .bake_s = row->bake_s };
        memcpy(lease.target, row->target, sizeof(lease.target));
        memcpy(lease.nonce, row->nonce, sizeof(lease.nonce));
        snprintf(lease.device, sizeof(lease.device), "%s", signing->device_hex);
        snprintf(lease.stream, sizeof(lease.stream), "%s", signing->stream);
        lease_write(&lease, into);
}

static enum err sign(const struct lease_signing *signing, struct buf *note, struct why *why)
{
        uint8_t signature[64];
        enum err e = buf_check(note, why);
        if (!e)
                e = signing->signer->ops->sign(signing->signer, SIGNER_LEASE, note->bytes, note->length, signature, why);
        return e ? e : note_add_signature(note, &signing->director->key, signature, why);
}

enum err lease_note(struct db *db, const struct lease_row *row, const struct lease_signing *signing, struct buf *into, struct why *why)
{
        if (row->is_signed)
                return kept_note(db, row->number, into, why);
        OWN(buf) struct buf note;
        buf_init(&note, LEASE_BYTES_MAX);
        write_text(row, signing, &note);
        enum err e = sign(signing, &note, why);
        if (!e)
                e = db_run(db, "UPDATE leases SET note = ?, granted_ms = ?, deadline_ms = ? WHERE number = ? AND note IS NULL",
                           VALUES(bind_text(buf_text(&note)), bind_int(row->granted_ms), bind_int(row->deadline_ms), bind_int(row->number)), why);
        if (e)
                return e;
        buf_add(into, note.bytes, note.length);
        return buf_check(into, why);
}
