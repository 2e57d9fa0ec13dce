#include "server/log/heads.h"

#include "trust/sha.h"

#include <inttypes.h>
#include <string.h>

enum { TIME_BYTES = 8 };

void heads_policy_init(struct heads_policy *policy, const struct verifier *log, const struct anchor_witnesses *witnesses)
{
        char text[VERIFIER_TEXT_MAX];
        struct sha256 sha;
        *policy = (struct heads_policy){ .log = *log, .witnesses = *witnesses };
        verifier_text(log, policy->key);
        sha256_init(&sha);
        sha256_update(&sha, policy->key, strlen(policy->key));
        int length = snprintf(text, sizeof(text), "\n%zu\n", witnesses->threshold);
        sha256_update(&sha, text, (size_t)length);
        for (size_t i = 0; i < witnesses->count; i++) {
                verifier_text(&witnesses->keys[i], text);
                sha256_update(&sha, text, strlen(text));
                sha256_update(&sha, "\n", 1);
        }
        sha256_final(&sha, policy->digest);
}

/* ---- heads ---- */

static enum err read_head(struct query *q, struct signed_head *head, struct why *why)
{
        size_t length = 0;
        bool has = false;
        enum err e = query_next(q, &has, why);
        *head = (struct signed_head){ 0 };
        if (e || !has)
                return e;
        head->head.size = (uint64_t)query_int(q, 0);
        memcpy(head->head.root.bytes, query_blob(q, 1, &length), sizeof(head->head.root.bytes));
        memcpy(head->signature, query_blob(q, 2, &length), sizeof(head->signature));
        head->signed_at = query_int(q, 3);
        return OK;
}

enum err heads_newest(struct db *db, const struct heads_policy *policy, struct signed_head *ret_head, struct why *why)
{
        OWN(query) struct query *q = NULL;
        enum err e = db_query(db, "SELECT size, root, signature, signed_at FROM log_heads WHERE log = ? ORDER BY size DESC LIMIT 1", VALUES(bind_text(policy->key)), &q, why);
        return e ? e : read_head(q, ret_head, why);
}

enum err heads_find(struct db *db, const struct heads_policy *policy, uint64_t size, struct signed_head *ret_head, struct why *why)
{
        OWN(query) struct query *q = NULL;
        enum err e = db_query(db, "SELECT size, root, signature, signed_at FROM log_heads WHERE log = ? AND size = ?", VALUES(bind_text(policy->key), bind_int((int64_t)size)), &q, why);
        return e ? e : read_head(q, ret_head, why);
}

enum err heads_add(struct db *db, const struct heads_policy *policy, const struct signed_head *head, struct why *why)
{
        return db_run(db, "INSERT INTO log_heads VALUES (?,?,?,?,?)",
                      VALUES(bind_text(policy->key), bind_int((int64_t)head->head.size), bind_blob(head->head.root.bytes, sizeof(head->head.root.bytes)),
                             bind_blob(head->signature, sizeof(head->signature)), bind_int(head->signed_at)), why);
}

/* ---- notes ---- */

static enum err add_cosignature(struct db *db, const struct heads_policy *policy, uint64_t size, const struct verifier *witness, struct heads_note *note, struct why *why)
{
        OWN(query) struct query *q = NULL;
        char key[VERIFIER_TEXT_MAX];
        size_t length = 0;
        bool has = false;
        verifier_text(witness, key);
        enum err e = db_query(db, "SELECT signature FROM log_cosignatures WHERE log = ? AND size = ? AND witness = ?",
                              VALUES(bind_text(policy->key), bind_int((int64_t)size), bind_text(key)), &q, why);
        if (!e)
                e = query_next(q, &has, why);
        if (e || !has)
                return e;
        const void *bytes = query_blob(q, 0, &length);
        note->witnesses++;
        return checkpoint_add_signature(&note->note, witness, (struct line){ bytes, length }, why);
}

enum err heads_write(struct db *db, const struct heads_policy *policy, const struct signed_head *head, struct heads_note *ret_note, struct why *why)
{
        const struct anchor_witnesses *witnesses = &policy->witnesses;
        ret_note->witnesses = 0;
        buf_clear(&ret_note->note);
        checkpoint_write(policy->log.name, &head->head, &ret_note->note);
        enum err e = checkpoint_add_signature(&ret_note->note, &policy->log, (struct line){ (const char *)head->signature, sizeof(head->signature) }, why);
        for (size_t i = 0; i < witnesses->count && !e; i++)
                e = add_cosignature(db, policy, head->head.size, &witnesses->keys[i], ret_note, why);
        return e;
}

bool heads_is_enough(const struct heads_policy *policy, const struct heads_note *note)
{
        return note->witnesses >= policy->witnesses.threshold;
}

static enum err search(struct db *db, const struct heads_policy *policy, struct query *sizes, struct signed_head *head, struct why *why)
{
        OWN(heads_note) struct heads_note note = { .witnesses = 0 };
        bool has = false;
        enum err e = OK;
        buf_init(&note.note, LIMIT_CHECKPOINT_BYTES);
        while (!e && !(e = query_next(sizes, &has, why)) && has) {
                e = heads_find(db, policy, (uint64_t)query_int(sizes, 0), head, why);
                if (!e)
                        e = heads_write(db, policy, head, &note, why);
                if (!e && heads_is_enough(policy, &note))
                        return OK;
        }
        *head = (struct signed_head){ 0 };
        return e;
}

enum err heads_sufficient(struct db *db, const struct heads_policy *policy, struct signed_head *ret_head, struct why *why)
{
        OWN(query) struct query *q = NULL;
        if (!policy->witnesses.threshold)
                return heads_newest(db, policy, ret_head, why);
        enum err e = db_query(db, "SELECT DISTINCT size FROM log_cosignatures WHERE log = ? ORDER BY size DESC LIMIT ?", VALUES(bind_text(policy->key), bind_int(LIMIT_LOG_HEADS)), &q, why);
        return e ? e : search(db, policy, q, ret_head, why);
}

/* ---- cosignatures ---- */

static int64_t time_of(const struct checkpoint_signature *signature)
{
        uint64_t time = 0;
        for (int i = 0; i < TIME_BYTES; i++)
                time = time << 8 | signature->bytes[i];
        return (int64_t)time;
}

/* The one that was made at that time, which was checked. */
static const struct checkpoint_signature *find_signature(const struct checkpoint *checkpoint, const struct verifier *witness, int64_t time)
{
        const struct checkpoint_signature *found = NULL;
        for (size_t i = 0; i < checkpoint->signature_count && !found; i++)
                if (checkpoint_is_of(&checkpoint->signatures[i], witness) && time_of(&checkpoint->signatures[i]) == time)
                        found = &checkpoint->signatures[i];
        return found;
}

static enum err keep(struct db *db, const struct heads_policy *policy, struct heads_cosigned *cosigned, const struct verifier *witness, struct why *why)
{
        char key[VERIFIER_TEXT_MAX];
        int64_t time = 0;
        const struct checkpoint *checkpoint = cosigned->checkpoint;
        enum err e = cosignature_time(checkpoint, witness, &time, why);
        if (e)
                return e == ERR_NOT_FOUND ? OK : e;
        if (time > cosigned->now_s + LIMIT_WITNESS_AHEAD_S)
                return OK;
        const struct checkpoint_signature *signature = find_signature(checkpoint, witness, time);
        verifier_text(witness, key);
        e = db_run(db, "INSERT INTO log_cosignatures VALUES (?,?,?,?,?) ON CONFLICT (log, size, witness) DO NOTHING",
                   VALUES(bind_text(policy->key), bind_int((int64_t)checkpoint->head.size), bind_text(key), bind_int(time), bind_blob(signature->bytes, signature->length)), why);
        if (!e)
                cosigned->has_changed |= db_changed(db) > 0;
        return e;
}

enum err heads_cosign(struct db *db, const struct heads_policy *policy, struct heads_cosigned *cosigned, struct why *why)
{
        enum err e = OK;
        cosigned->has_changed = false;
        for (size_t i = 0; i < policy->witnesses.count && !e; i++)
                e = keep(db, policy, cosigned, &policy->witnesses.keys[i], why);
        return e;
}
