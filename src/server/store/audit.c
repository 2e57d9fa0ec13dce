#include "server/store/audit.h"

#include "base/buf.h"
#include "trust/sha.h"

#include <inttypes.h>
#include <string.h>

enum { DIGEST = 32, LINE_BYTES_MAX = 1 << 16 };

static void add_field(struct buf *into, const char *text)
{
        buf_addf(into, "%zu:%s", strlen(text), text);
}

static void add_number(struct buf *into, int64_t number)
{
        char text[24];
        snprintf(text, sizeof(text), "%" PRId64, number);
        add_field(into, text);
}

static enum err chain(uint8_t hash[DIGEST], int64_t number, const struct audit_line *line, struct why *why)
{
        OWN(buf) struct buf bytes;
        buf_init(&bytes, LINE_BYTES_MAX);
        buf_add(&bytes, hash, DIGEST);
        add_number(&bytes, number);
        add_number(&bytes, line->at_ms);
        add_field(&bytes, line->who);
        add_field(&bytes, line->what);
        add_field(&bytes, line->subject);
        add_field(&bytes, line->detail);
        enum err e = buf_check(&bytes, why);
        if (!e)
                sha256(bytes.bytes, bytes.length, hash);
        return e;
}

static enum err last_line(struct db *db, int64_t *ret_number, uint8_t ret_hash[DIGEST], struct why *why)
{
        OWN(query) struct query *q = NULL;
        bool has = false;
        enum err e = db_query(db, "SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1", NO_VALUES, &q, why);
        if (!e)
                e = query_next(q, &has, why);
        if (e)
                return e;
        *ret_number = 0;
        memset(ret_hash, 0, DIGEST);
        if (has) {
                size_t length = 0;
                *ret_number = query_int(q, 0);
                memcpy(ret_hash, query_blob(q, 1, &length), DIGEST);
        }
        return OK;
}

enum err audit_add(struct db *db, const struct audit_line *line, struct why *why)
{
        int64_t number = 0;
        uint8_t hash[DIGEST];
        enum err e = last_line(db, &number, hash, why);
        if (!e)
                e = chain(hash, ++number, line, why);
        if (e)
                return e;
        return db_run(db, "INSERT INTO audit VALUES (?,?,?,?,?,?,?)",
                      VALUES(bind_int(number), bind_int(line->at_ms), bind_text(line->who), bind_text(line->what), bind_text(line->subject),
                             bind_text(line->detail), bind_blob(hash, sizeof(hash))), why);
}

static enum err check_line(struct query *q, int64_t number, uint8_t hash[DIGEST], struct why *why)
{
        struct audit_line line = { query_int(q, 1), query_text(q, 2), query_text(q, 3), query_text(q, 4), query_text(q, 5) };
        size_t length = 0;
        enum err e = chain(hash, number, &line, why);
        if (e)
                return e;
        if (query_int(q, 0) != number || memcmp(hash, query_blob(q, 6, &length), DIGEST) != 0)
                return FAIL(why, ERR_UNTRUSTED, "audit line %" PRId64 " was changed, or one before it was taken out", number);
        return OK;
}

enum err audit_verify(struct db *db, int64_t *ret_lines, struct why *why)
{
        OWN(query) struct query *q = NULL;
        uint8_t hash[DIGEST] = { 0 };
        int64_t lines = 0;
        bool has = false;
        enum err e = db_query(db, "SELECT number, at_ms, who, what, subject, detail, hash FROM audit ORDER BY number", NO_VALUES, &q, why);
        while (!e && !(e = query_next(q, &has, why)) && has)
                e = check_line(q, ++lines, hash, why);
        if (e)
                return e;
        *ret_lines = lines;
        return OK;
}
