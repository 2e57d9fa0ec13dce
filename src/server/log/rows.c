#include "server/log/rows.h"

#include "trust/sha.h"

#include <inttypes.h>
#include <string.h>

enum err rows_add(struct db *db, const struct logged *logged, int64_t at_ms, struct why *why)
{
        return db_run(db, "INSERT INTO log_entries SELECT coalesce(max(entry) + 1, 0), ?, ?, ?, ?, ? FROM log_entries WHERE true"
                          " ON CONFLICT (kind, name, number, digest) WHERE kind <> 'override' DO NOTHING",
                      VALUES(bind_int(at_ms), bind_text(logged_kind_name(logged->kind)), bind_text(logged->name), bind_int((int64_t)logged->number),
                             bind_blob(logged->digest, sizeof(logged->digest))), why);
}

enum err rows_add_override(struct db *db, const struct rows_override *override, int64_t at_ms, struct why *why)
{
        struct logged logged = { .kind = LOGGED_OVERRIDE, .number = (uint64_t)override->counter };
        const char *const parts[] = { override->first, "\n", override->second, "\n", override->reason };
        struct sha256 sha;
        sha256_init(&sha);
        for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
                sha256_update(&sha, parts[i], strlen(parts[i]));
        sha256_final(&sha, logged.digest);
        snprintf(logged.name, sizeof(logged.name), "%s", override->stream);
        return rows_add(db, &logged, at_ms, why);
}

/* ---- what was there before ---- */

/* Name, number and the bytes whose digest is logged; or, of releases, the digest itself. */
static const struct past { enum logged_kind kind; const char *sql; } roots =
        { LOGGED_ROOT, "SELECT repository || iif(role = 'root', '.root.json', '.anchor'), version, bytes FROM metadata WHERE role IN ('root', 'anchor') ORDER BY repository DESC, role DESC, version" };
static const struct past rest[] = {
        { LOGGED_RELEASE, "SELECT stream, counter, target FROM releases ORDER BY number" },
        { LOGGED_EVIDENCE, "SELECT r.stream, r.counter, e.envelope FROM evidence e JOIN releases r ON r.number = e.release ORDER BY e.number" },
};

static enum err add_past(struct db *db, const struct past *past, int64_t at_ms, struct why *why)
{
        OWN(query) struct query *q = NULL;
        bool has = false;
        enum err e = db_query(db, past->sql, NO_VALUES, &q, why);
        while (!e && !(e = query_next(q, &has, why)) && has) {
                struct logged logged = { .kind = past->kind, .number = (uint64_t)query_int(q, 1) };
                size_t length = 0;
                const void *bytes = query_blob(q, 2, &length);
                if (past->kind == LOGGED_RELEASE)
                        memcpy(logged.digest, bytes, sizeof(logged.digest));
                else
                        sha256(bytes, length, logged.digest);
                snprintf(logged.name, sizeof(logged.name), "%s", query_text(q, 0));
                e = rows_add(db, &logged, at_ms, why);
        }
        return e;
}

enum err rows_catch_up(struct db *db, int64_t at_ms, struct why *why)
{
        uint64_t count = 0;
        enum err e = rows_count(db, &count, why);
        if (!e)
                e = add_past(db, &roots, at_ms, why);
        for (size_t i = 0; !e && !count && i < sizeof(rest) / sizeof(rest[0]); i++)
                e = add_past(db, &rest[i], at_ms, why);
        return e ? DURING(why, e, "the log's entries") : OK;
}

/* ---- reading ---- */

enum err rows_count(struct db *db, uint64_t *ret_count, struct why *why)
{
        int64_t count = 0;
        enum err e = db_number(db, "SELECT max(entry) + 1 FROM log_entries", NO_VALUES, 0, &count, why);
        *ret_count = (uint64_t)count;
        return e;
}

/* Columns kind, name, number, digest. */
static enum err write_text(struct query *q, struct buf *into, struct why *why)
{
        struct logged logged = { .kind = LOGGED_RELEASE, .number = (uint64_t)query_int(q, 2) };
        size_t length = 0;
        while (logged.kind < LOGGED_KINDS && strcmp(logged_kind_name(logged.kind), query_text(q, 0)) != 0)
                logged.kind++;
        if (logged.kind == LOGGED_KINDS)
                return FAIL(why, ERR_IO, "the database has a log entry of the kind %.20s", query_text(q, 0));
        snprintf(logged.name, sizeof(logged.name), "%s", query_text(q, 1));
        memcpy(logged.digest, query_blob(q, 3, &length), sizeof(logged.digest));
        buf_clear(into);
        logged_write(&logged, into);
        return buf_check(into, why);
}

enum err rows_text(struct db *db, uint64_t entry, struct buf *into, struct why *why)
{
        OWN(query) struct query *q = NULL;
        bool has = false;
        enum err e = db_query(db, "SELECT kind, name, number, digest FROM log_entries WHERE entry = ?", VALUES(bind_int((int64_t)entry)), &q, why);
        if (!e)
                e = query_next(q, &has, why);
        if (!e && !has)
                e = FAIL(why, ERR_NOT_FOUND, "no log entry %" PRIu64, entry);
        return e ? e : write_text(q, into, why);
}

enum err rows_append(struct db *db, struct appender *appender, uint64_t end, struct why *why)
{
        OWN(query) struct query *q = NULL;
        OWN(buf) struct buf text;
        struct tree_head head;
        bool has = false;
        buf_init(&text, LOGGED_BYTES_MAX);
        appender_head(appender, &head);
        enum err e = db_query(db, "SELECT kind, name, number, digest FROM log_entries WHERE entry >= ? AND entry < ? ORDER BY entry",
                              VALUES(bind_int((int64_t)head.size), bind_int((int64_t)end)), &q, why);
        while (!e && !(e = query_next(q, &has, why)) && has) {
                e = write_text(q, &text, why);
                if (!e)
                        e = appender_add(appender, &(struct entry){ (const uint8_t *)buf_text(&text), text.length }, why);
        }
        if (e)
                return e;
        appender_head(appender, &head);
        return head.size == end ? OK : FAIL(why, ERR_CONTENT, "the database has %" PRIu64 " log entries where %" PRIu64 " were signed: it is older than the log", head.size, end);
}
