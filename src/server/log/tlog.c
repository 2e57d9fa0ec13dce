#include "server/log/tlog.h"

#include "base/mem.h"
#include "server/log/files.h"
#include "server/log/rows.h"

#include <inttypes.h>
#include <string.h>

static const char checkpoint_file[] = "checkpoint";

struct tlog {
        struct tlog_config config;
        struct heads_policy policy;
        struct tile_store tiles;
        struct signed_head newest, sufficient;   /* as the database has them, unless is_stale */
        uint64_t proofs_from;
        bool is_checked;                         /* the files, against the database */
        bool is_stale;                           /* heads or cosignatures may be others than we remember: what follows has not been done */
        bool is_checkpoint_out, are_proofs_made, are_proofs_out;
        bool has_rebuilt;                        /* once in a life: what is wrong again is not only lost */
};

static struct proofs proofs_of(const struct tlog *tlog)
{
        return (struct proofs){ tlog->config.db, tlog->config.disk, &tlog->tiles, &tlog->policy };
}

enum err tlog_open(const struct tlog_config *config, struct tlog **ret_tlog, struct why *why)
{
        OWN(tlog) struct tlog *tlog = mem_new(1, sizeof(*tlog));
        if (!tlog)
                return FAIL(why, ERR_NOMEM, "out of memory");
        tlog->config = *config;
        tlog->tiles = files_tiles(config->disk);
        tlog->is_stale = true;
        heads_policy_init(&tlog->policy, config->log, config->witnesses);
        const struct proofs proofs = proofs_of(tlog);
        enum err e = proofs_check_files(&proofs, why);
        if (e)
                return DURING(why, e, "the transparency log");
        *ret_tlog = GIVE(tlog);
        return OK;
}

void tlog_close(struct tlog *tlog)
{
        mem_free(tlog);
}

/* ---- what is known ---- */

static enum err refresh(struct tlog *tlog, struct why *why)
{
        struct signed_head newest, sufficient;
        if (!tlog->is_stale)
                return OK;
        enum err e = heads_newest(tlog->config.db, &tlog->policy, &newest, why);
        if (!e)
                e = heads_sufficient(tlog->config.db, &tlog->policy, &sufficient, why);
        if (e)
                return e;
        tlog->newest = newest;
        tlog->sufficient = sufficient;
        tlog->proofs_from = 0;
        tlog->is_stale = tlog->is_checkpoint_out = tlog->are_proofs_made = tlog->are_proofs_out = false;
        return OK;
}

static enum err compare(const struct tlog *tlog, const struct buf *file, struct why *why)
{
        struct checkpoint out;
        const struct tree_head *known = &tlog->newest.head;
        enum err e = checkpoint_parse(buf_text(file), file->length, &out, why);
        if (!e)
                e = checkpoint_verify(&out, &tlog->policy.log, why);
        if (e)
                return e == ERR_NOMEM ? e : OK;  /* of another log, or damaged: it will be written anew */
        if (out.head.size > known->size || (out.head.size == known->size && !tree_hash_equal(&out.head.root, &known->root)))
                return FAIL(why, ERR_CONTENT, "the database is older than the checkpoint of %" PRIu64 " entries that this log has let out, and would fork it: put back the newest firebreak.db, "
                                              "or begin a log with another name and key", out.head.size);
        return OK;
}

/* ---- a new head ---- */

/* Files that are gone, or damaged, are made anew: the rows say what stood in them. */
static enum err rebuild(struct tlog *tlog, struct appender **ret_appender, struct why *why)
{
        OWN(appender) struct appender *appender = NULL;
        struct tree_head head = { 0 };
        enum err e = appender_open(&tlog->tiles, &head, &appender, why);
        if (!e)
                e = rows_append(tlog->config.db, appender, tlog->newest.head.size, why);
        if (!e)
                e = appender_publish(appender, &head, why);
        if (e)
                return e;
        if (!tree_hash_equal(&head.root, &tlog->newest.head.root))
                return FAIL(why, ERR_CONTENT, "the log's entries in the database are not those that were signed: put back the newest firebreak.db");
        *ret_appender = GIVE(appender);
        return OK;
}

static enum err open_edge(struct tlog *tlog, struct appender **ret_appender, struct why *why)
{
        enum err e = appender_open(&tlog->tiles, &tlog->newest.head, ret_appender, why);
        return e == ERR_NOT_FOUND || e == ERR_CONTENT ? rebuild(tlog, ret_appender, why) : e;
}

/* Once, before anything is signed or let out: was the database put back from a backup, and the log has told more since? Are the tiles there that
 * go with it? */
static enum err check_files(struct tlog *tlog, struct why *why)
{
        OWN(buf) struct buf file;
        OWN(appender) struct appender *appender = NULL;
        buf_init(&file, LIMIT_CHECKPOINT_BYTES);
        if (tlog->is_checked)
                return OK;
        enum err e = tlog->config.disk->ops->read(tlog->config.disk, checkpoint_file, &file, why);
        if (!e)
                e = compare(tlog, &file, why);
        if (!e || e == ERR_NOT_FOUND)
                e = files_check_tiles(tlog->config.disk, tlog->newest.head.size, why);
        if (!e)
                e = open_edge(tlog, &appender, why);
        else if (e == ERR_NOT_FOUND)
                e = rebuild(tlog, &appender, why);
        tlog->is_checked = !e;
        return e;
}

static enum err sign(const struct tlog *tlog, struct signed_head *head, struct why *why)
{
        OWN(buf) struct buf text;
        struct signer *signer = tlog->config.signer;
        buf_init(&text, LIMIT_CHECKPOINT_BYTES);
        checkpoint_write(tlog->policy.log.name, &head->head, &text);
        enum err e = buf_check(&text, why);
        if (!e)
                e = signer->ops->sign(signer, SIGNER_CHECKPOINT, text.bytes, text.length, head->signature, why);
        if (!e && !key_verify(&tlog->policy.log.key, text.bytes, text.length, head->signature))
                e = FAIL(why, ERR_UNTRUSTED, "log.pem is not the key of log.vkey");
        return e;
}

static enum err keep_head(struct tlog *tlog, const struct signed_head *head, struct why *why)
{
        struct db *db = tlog->config.db;
        tlog->is_stale = true;                   /* also when the commit fails: who knows what is on the disk */
        enum err e = db_begin(db, why);
        if (!e)
                e = heads_add(db, &tlog->policy, head, why);
        return db_end(db, e, why);
}

static enum err grow(struct tlog *tlog, uint64_t end, int64_t now_ms, struct why *why)
{
        OWN(appender) struct appender *appender = NULL;
        struct signed_head head = { .signed_at = now_ms / 1000 };
        enum err e = open_edge(tlog, &appender, why);
        if (!e)
                e = rows_append(tlog->config.db, appender, end, why);
        if (!e)
                e = appender_publish(appender, &head.head, why);
        if (!e)
                e = sign(tlog, &head, why);
        return e ? e : keep_head(tlog, &head, why);
}

static enum err tick(struct tlog *tlog, int64_t now_ms, struct why *why)
{
        uint64_t count = 0;
        enum err e = refresh(tlog, why);
        if (!e)
                e = check_files(tlog, why);
        if (!e)
                e = rows_count(tlog->config.db, &count, why);
        if (!e && count < tlog->newest.head.size)
                e = FAIL(why, ERR_CONTENT, "the database has fewer log entries than were signed");
        if (e || count == tlog->newest.head.size)
                return e;
        const uint64_t most = tlog->newest.head.size + LIMIT_LOG_BATCH;
        return grow(tlog, count < most ? count : most, now_ms, why);
}

enum err tlog_tick(struct tlog *tlog, int64_t now_ms, struct why *why)
{
        enum err e = tick(tlog, now_ms, why);
        if (!e)
                e = tlog_let_out(tlog, why);
        return e ? DURING(why, e, "the transparency log") : OK;
}

/* ---- what others see ---- */

static enum err let_checkpoint_out(struct tlog *tlog, struct why *why)
{
        OWN(heads_note) struct heads_note note = { .witnesses = 0 };
        buf_init(&note.note, LIMIT_CHECKPOINT_BYTES);
        if (tlog->is_checkpoint_out || !tlog->newest.head.size)
                return OK;
        enum err e = heads_write(tlog->config.db, &tlog->policy, &tlog->newest, &note, why);
        if (!e)
                e = files_put(tlog->config.disk, checkpoint_file, &note.note, why);
        tlog->is_checkpoint_out = !e;
        return e;
}

static enum err make_proofs(struct tlog *tlog, const struct proofs *proofs, struct why *why)
{
        struct proofs_round round = { &tlog->sufficient, tlog->proofs_from, false };
        enum err e = proofs_make(proofs, &round, why);
        if ((e == ERR_NOT_FOUND || e == ERR_CONTENT) && !tlog->has_rebuilt) {
                OWN(appender) struct appender *appender = NULL;
                tlog->has_rebuilt = true;
                e = rebuild(tlog, &appender, why);
                if (!e)
                        e = proofs_make(proofs, &round, why);
        }
        if (e)
                return e;
        tlog->proofs_from = round.from;
        tlog->are_proofs_made = round.is_done;
        tlog->are_proofs_out = false;
        return OK;
}

static enum err let_proofs_out(struct tlog *tlog, struct why *why)
{
        const struct proofs proofs = proofs_of(tlog);
        enum err e = tlog->are_proofs_made ? OK : make_proofs(tlog, &proofs, why);
        return e || tlog->are_proofs_out ? e : proofs_give_out(&proofs, &tlog->are_proofs_out, why);
}

enum err tlog_let_out(struct tlog *tlog, struct why *why)
{
        enum err e = refresh(tlog, why);
        if (!e)
                e = check_files(tlog, why);
        if (!e)
                e = let_checkpoint_out(tlog, why);
        return e ? e : let_proofs_out(tlog, why);
}

bool tlog_has_news(const struct tlog *tlog)
{
        return tlog->is_stale;
}

/* ---- cosignatures ---- */

static enum err count_proofs(const struct tlog *tlog, const struct signed_head *head, struct tlog_cosigned *cosigned, struct why *why)
{
        OWN(heads_note) struct heads_note note = { .witnesses = 0 };
        buf_init(&note.note, LIMIT_CHECKPOINT_BYTES);
        enum err e = heads_write(tlog->config.db, &tlog->policy, head, &note, why);
        cosigned->witnesses = note.witnesses;
        return e || !heads_is_enough(&tlog->policy, &note) ? e : proofs_missing(tlog->config.db, &tlog->policy, head->head.size, &cosigned->proofs, why);
}

enum err tlog_cosign(struct tlog *tlog, struct line note, int64_t now_s, struct tlog_cosigned *ret_cosigned, struct why *why)
{
        struct checkpoint checkpoint;
        struct signed_head head = { .signed_at = 0 };
        struct heads_cosigned cosigned = { &checkpoint, now_s, false };
        enum err e = checkpoint_parse(note.text, note.length, &checkpoint, why);
        if (!e)
                e = checkpoint_verify(&checkpoint, &tlog->policy.log, why);
        if (!e)
                e = heads_find(tlog->config.db, &tlog->policy, checkpoint.head.size, &head, why);
        if (!e && (!head.head.size || !tree_hash_equal(&head.head.root, &checkpoint.head.root) || checkpoint.extensions.length))
                e = FAIL(why, ERR_REFUSED, "this server signed no such checkpoint of %" PRIu64 " entries", checkpoint.head.size);
        if (!e)
                e = heads_cosign(tlog->config.db, &tlog->policy, &cosigned, why);
        if (e)
                return e;
        tlog->is_stale |= cosigned.has_changed;  /* also when the transaction fails: looking again does no harm */
        *ret_cosigned = (struct tlog_cosigned){ .size = head.head.size, .threshold = tlog->policy.witnesses.threshold, .has_changed = cosigned.has_changed };
        return count_proofs(tlog, &head, ret_cosigned, why);
}

enum err tlog_facts(const struct tlog *tlog, struct tlog_facts *ret_facts, struct why *why)
{
        uint64_t count = 0;
        struct tlog_facts facts = { .origin = tlog->policy.log.name, .size = tlog->newest.head.size, .sufficient_size = tlog->sufficient.head.size,
                                    .sufficient_at = tlog->sufficient.signed_at, .threshold = tlog->policy.witnesses.threshold };
        enum err e = rows_count(tlog->config.db, &count, why);
        if (!e)
                e = proofs_missing(tlog->config.db, &tlog->policy, count, &facts.unproven, why);
        facts.waiting = count > facts.size ? count - facts.size : 0;
        if (!e)
                *ret_facts = facts;
        return e;
}
