#include "server/store/metadata.h"

enum err metadata_put(struct db *db, const struct metadata *metadata, const struct buf *file, struct why *why)
{
        char name[40];
        const char *role = tuf_role_name(metadata->role);
        int64_t version = (int64_t)metadata->stamp.version;
        tuf_file_name(metadata->role, metadata->stamp.version, name);
        enum err e = db_run(db, "INSERT INTO metadata VALUES (?,?,?,?,?,?,?) ON CONFLICT (repository, file) DO UPDATE"
                                " SET version = excluded.version, made_at = excluded.made_at, expires_at = excluded.expires_at, bytes = excluded.bytes",
                            VALUES(bind_text(metadata->repository), bind_text(name), bind_text(role), bind_int(version), bind_int(metadata->made_at),
                                   bind_int(metadata->stamp.expires), bind_blob(file->bytes, file->length)), why);
        if (e || metadata->role == TUF_ROOT)
                return e;
        return db_run(db, "DELETE FROM metadata WHERE repository = ? AND role = ? AND version <= ?",
                      VALUES(bind_text(metadata->repository), bind_text(role), bind_int(version - METADATA_KEPT)), why);
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
