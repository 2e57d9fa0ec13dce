#include "server/store/metadata.h"

#include <inttypes.h>

struct row { const char *name, *role; };

static enum err put(struct db *db, const struct row *row, const struct metadata *metadata, const struct buf *file, struct why *why)
{
        return db_run(db, "INSERT INTO metadata VALUES (?,?,?,?,?,?,?) ON CONFLICT (repository, file) DO UPDATE"
                          " SET version = excluded.version, made_at = excluded.made_at, expires_at = excluded.expires_at, bytes = excluded.bytes",
                      VALUES(bind_text(metadata->repository), bind_text(row->name), bind_text(row->role), bind_int((int64_t)metadata->stamp.version),
                             bind_int(metadata->made_at), bind_int(metadata->stamp.expires), bind_blob(file->bytes, file->length)), why);
}

enum err metadata_put(struct db *db, const struct metadata *metadata, const struct buf *file, struct why *why)
{
        char name[40];
        struct row row = { name, tuf_role_name(metadata->role) };
        tuf_file_name(metadata->role, metadata->stamp.version, name);
        enum err e = put(db, &row, metadata, file, why);
        if (e || metadata->role == TUF_ROOT)
                return e;
        return db_run(db, "DELETE FROM metadata WHERE repository = ? AND role = ? AND version <= ?",
                      VALUES(bind_text(metadata->repository), bind_text(row.role), bind_int((int64_t)metadata->stamp.version - METADATA_KEPT)), why);
}

enum err metadata_put_anchor(struct db *db, const struct metadata *metadata, const struct buf *file, struct why *why)
{
        char name[40];
        snprintf(name, sizeof(name), "%" PRIu64 ".anchor", metadata->stamp.version);
        return put(db, &(struct row){ name, "anchor" }, metadata, file, why);
}

enum err metadata_renew(struct db *db, const char *repository, struct why *why)
{
        return db_run(db, "UPDATE metadata SET expires_at = made_at WHERE repository = ? AND (role = 'timestamp' OR (role IN ('targets','snapshot') AND repository = 'director'))",
                      VALUES(bind_text(repository)), why);
}

enum err metadata_newest(struct db *db, struct metadata *metadata, struct buf *into, struct why *why)
{
        OWN(query) struct query *q = NULL;
        bool has = false;
        size_t length = 0;
        enum err e = db_query(db, "SELECT version, expires_at, made_at, bytes FROM metadata WHERE repository = ? AND role = ? ORDER BY version DESC LIMIT 1",
                              VALUES(bind_text(metadata->repository), bind_text(tuf_role_name(metadata->role))), &q, why);
        if (!e)
                e = query_next(q, &has, why);
        if (e)
                return e;
        metadata->stamp = (struct tuf_stamp){ 0 };
        metadata->made_at = 0;
        if (!has)
                return OK;
        metadata->stamp = (struct tuf_stamp){ (uint64_t)query_int(q, 0), query_int(q, 1) };
        metadata->made_at = query_int(q, 2);
        if (!into)
                return OK;
        const void *bytes = query_blob(q, 3, &length);
        buf_add(into, bytes, length);
        return buf_check(into, why);
}
