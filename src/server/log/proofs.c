#include "server/log/proofs.h"

#include "log/entry_proof.h"
#include "log/prover.h"
#include "server/log/files.h"
#include "server/log/rows.h"

#include <inttypes.h>
#include <string.h>

/* A release, and the proof that it has; empty: none. */
struct candidate { bool is_there; uint64_t entry; struct buf proof; };
static void candidate_release(struct candidate *candidate) { buf_done(&candidate->proof); }

static enum err find_next(const struct proofs *proofs, uint64_t from, struct candidate *candidate, struct why *why)
{
        OWN(query) struct query *q = NULL;
        size_t length = 0;
        buf_clear(&candidate->proof);
        enum err e = db_query(proofs->db, "SELECT e.entry, p.proof FROM log_entries e LEFT JOIN log_proofs p ON p.entry = e.entry WHERE e.kind = 'release' AND e.entry >= ?"
                                          " AND (p.policy IS NULL OR p.policy <> ?) ORDER BY e.entry LIMIT 1",
                              VALUES(bind_int((int64_t)from), bind_blob(proofs->policy->digest, sizeof(proofs->policy->digest))), &q, why);
        if (!e)
                e = query_next(q, &candidate->is_there, why);
        if (e || !candidate->is_there)
                return e;
        candidate->entry = (uint64_t)query_int(q, 0);
        const void *bytes = query_blob(q, 1, &length);
        buf_add(&candidate->proof, bytes, length);
        return buf_check(&candidate->proof, why);
}

static enum err verify(const struct proofs *proofs, uint64_t entry, const struct buf *proof, struct why *why)
{
        OWN(buf) struct buf text;
        struct entry_proof parsed;
        int64_t seen;
        const struct anchor_witnesses *witnesses = &proofs->policy->witnesses;
        const struct witnesses wanted = { witnesses->keys, witnesses->count, witnesses->threshold, 0, INT64_MAX };
        const struct entry_policy policy = { &proofs->policy->log, witnesses->threshold ? &wanted : NULL };
        buf_init(&text, LOGGED_BYTES_MAX);
        enum err e = rows_text(proofs->db, entry, &text, why);
        if (!e)
                e = entry_proof_parse(buf_text(proof), proof->length, &parsed, why);
        return e ? e : entry_proof_verify(&parsed, &(struct entry_claim){ buf_text(&text), text.length }, &policy, &seen, why);
}

static enum err write_proof(const struct proofs *proofs, const struct signed_head *head, uint64_t entry, struct buf *into, struct why *why)
{
        OWN(heads_note) struct heads_note note = { .witnesses = 0 };
        struct entry_proof proof = { .index = entry };
        buf_init(&note.note, LIMIT_CHECKPOINT_BYTES);
        enum err e = prover_inclusion(proofs->tiles, &head->head, entry, &proof.path, why);
        if (!e)
                e = heads_write(proofs->db, proofs->policy, head, &note, why);
        if (e)
                return e;
        proof.checkpoint = (struct line){ buf_text(&note.note), note.note.length };
        buf_clear(into);
        entry_proof_write(&proof, into);
        e = buf_check(into, why);
        return e ? e : verify(proofs, entry, into, why);
}

static enum err keep(const struct proofs *proofs, uint64_t entry, const struct buf *proof, struct why *why)
{
        return db_run(proofs->db, "INSERT INTO log_proofs VALUES (?,?,?,0) ON CONFLICT (entry) DO UPDATE SET policy = excluded.policy, proof = excluded.proof, is_out = 0",
                      VALUES(bind_int((int64_t)entry), bind_blob(proofs->policy->digest, sizeof(proofs->policy->digest)), bind_blob(proof->bytes, proof->length)), why);
}

static enum err still_holds(const struct proofs *proofs, uint64_t entry, struct why *why)
{
        return db_run(proofs->db, "UPDATE log_proofs SET policy = ? WHERE entry = ?",
                      VALUES(bind_blob(proofs->policy->digest, sizeof(proofs->policy->digest)), bind_int((int64_t)entry)), why);
}

static enum err make_one(const struct proofs *proofs, const struct signed_head *head, struct candidate *candidate, struct why *why)
{
        enum err held = candidate->proof.length ? verify(proofs, candidate->entry, &candidate->proof, why) : ERR_UNTRUSTED;
        if (!held)
                return still_holds(proofs, candidate->entry, why);
        if (held != ERR_UNTRUSTED)
                return held;
        if (candidate->entry >= head->head.size)
                return OK;
        enum err e = write_proof(proofs, head, candidate->entry, &candidate->proof, why);
        return e ? DURING(why, e, "the proof of log entry %" PRIu64, candidate->entry) : keep(proofs, candidate->entry, &candidate->proof, why);
}

static enum err make_some(const struct proofs *proofs, struct proofs_round *round, struct why *why)
{
        OWN(candidate) struct candidate candidate = { .is_there = true };
        enum err e = OK;
        buf_init(&candidate.proof, LIMIT_PROOF_BYTES);
        for (int i = 0; i < LIMIT_LOG_PROOFS && candidate.is_there && !e; i++) {
                e = find_next(proofs, round->from, &candidate, why);
                if (!e && candidate.is_there)
                        e = make_one(proofs, round->head, &candidate, why);
                if (!e && candidate.is_there)
                        round->from = candidate.entry + 1;
        }
        round->is_done = !candidate.is_there;
        return e;
}

enum err proofs_make(const struct proofs *proofs, struct proofs_round *round, struct why *why)
{
        struct proofs_round next = *round;
        enum err e = db_begin(proofs->db, why);
        if (!e)
                e = make_some(proofs, &next, why);
        e = db_end(proofs->db, e, why);
        if (!e)
                *round = next;
        return e;
}

/* ---- files ---- */

static enum err give_out_next(const struct proofs *proofs, bool *ret_has, struct why *why)
{
        OWN(query) struct query *q = NULL;
        OWN(buf) struct buf file;
        char path[FILES_PATH_MAX];
        size_t length = 0;
        buf_init(&file, LIMIT_PROOF_BYTES);
        enum err e = db_query(proofs->db, "SELECT p.entry, e.digest, p.proof FROM log_proofs p JOIN log_entries e ON e.entry = p.entry WHERE NOT p.is_out LIMIT 1", NO_VALUES, &q, why);
        if (!e)
                e = query_next(q, ret_has, why);
        if (e || !*ret_has)
                return e;
        const int64_t entry = query_int(q, 0);
        files_proof_path(query_blob(q, 1, &length), path);
        const void *bytes = query_blob(q, 2, &length);
        buf_add(&file, bytes, length);
        e = buf_check(&file, why);
        if (!e)
                e = files_put(proofs->disk, path, &file, why);
        return e ? e : db_run(proofs->db, "UPDATE log_proofs SET is_out = 1 WHERE entry = ?", VALUES(bind_int(entry)), why);
}

enum err proofs_give_out(const struct proofs *proofs, bool *ret_is_done, struct why *why)
{
        bool has = true;
        enum err e = db_begin(proofs->db, why);
        for (int i = 0; i < LIMIT_LOG_PROOFS && has && !e; i++)
                e = give_out_next(proofs, &has, why);
        e = db_end(proofs->db, e, why);
        if (!e)
                *ret_is_done = !has;
        return e;
}

static enum err check_file(const struct proofs *proofs, struct query *q, struct why *why)
{
        char path[FILES_PATH_MAX];
        size_t length = 0;
        files_proof_path(query_blob(q, 1, &length), path);
        enum err e = files_check(proofs->disk, path, why);
        return e == ERR_NOT_FOUND ? db_run(proofs->db, "UPDATE log_proofs SET is_out = 0 WHERE entry = ?", VALUES(bind_int(query_int(q, 0))), why) : e;
}

static enum err check_files(const struct proofs *proofs, struct why *why)
{
        OWN(query) struct query *q = NULL;
        bool has = false;
        enum err e = db_query(proofs->db, "SELECT p.entry, e.digest FROM log_proofs p JOIN log_entries e ON e.entry = p.entry ORDER BY p.entry", NO_VALUES, &q, why);
        while (!e && !(e = query_next(q, &has, why)) && has)
                e = check_file(proofs, q, why);
        return e;
}

enum err proofs_check_files(const struct proofs *proofs, struct why *why)
{
        enum err e = db_begin(proofs->db, why);
        if (!e)
                e = check_files(proofs, why);
        return db_end(proofs->db, e, why);
}

enum err proofs_find(struct db *db, const uint8_t target[32], bool *ret_is_out, struct why *why)
{
        int64_t is_out = 0;
        enum err e = db_number(db, "SELECT EXISTS (SELECT 1 FROM log_entries e JOIN log_proofs p ON p.entry = e.entry WHERE e.kind = 'release' AND e.digest = ? AND p.is_out)",
                               VALUES(bind_blob(target, 32)), 0, &is_out, why);
        *ret_is_out = is_out;
        return e;
}

enum err proofs_missing(struct db *db, const struct heads_policy *policy, uint64_t end, int64_t *ret_count, struct why *why)
{
        return db_number(db, "SELECT count(*) FROM log_entries e WHERE kind = 'release' AND entry < ? AND NOT EXISTS (SELECT 1 FROM log_proofs p WHERE p.entry = e.entry AND p.policy = ?)",
                         VALUES(bind_int((int64_t)end), bind_blob(policy->digest, sizeof(policy->digest))), 0, ret_count, why);
}
