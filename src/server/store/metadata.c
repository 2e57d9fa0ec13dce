#include "server/store/metadata.h"

#include <inttypes.h>
#include <string.h>

struct row { const char *name, *role; };

static enum err put(struct db *db, const struct row *row, const struct metadata *metadata, const struct buf *file, struct why *why)
{
        return db_run(db, "INSERT INTO metadata VALUES (?,?,?,?,?,?,?) ON CONFLICT (repository, file) DO UPDATE"
                          " SET version = excluded.version, made_at = iif(bytes = excluded.bytes, made_at, excluded.made_at), expires_at = excluded.expires_at, bytes = excluded.bytes",
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

const char *metadata_health_name(enum metadata_health health)
{
        static const char *const names[] = { [METADATA_GOOD] = "good", [METADATA_LATE] = "late", [METADATA_RENEW] = "renew", [METADATA_EXPIRED] = "expired" };
        return names[health];
}

static bool is_online(const struct metadata *metadata)
{
        return metadata->role != TUF_ROOT && (metadata->role == TUF_TIMESTAMP || strcmp(metadata->repository, REPOSITORY_DIRECTOR) == 0);
}

enum metadata_health metadata_health(const struct metadata *metadata, int64_t now_s)
{
        const int64_t life = metadata->stamp.expires - metadata->made_at, left = metadata->stamp.expires - now_s;
        if (left <= 0)
                return METADATA_EXPIRED;
        if (is_online(metadata))
                return left < life / 2 ? METADATA_LATE : METADATA_GOOD;
        return left < life / 3 ? METADATA_RENEW : METADATA_GOOD;
}

static enum tuf_role role_of(const char *name)
{
        enum tuf_role role = TUF_ROOT;
        while (role < TUF_TIMESTAMP && strcmp(tuf_role_name(role), name) != 0)
                role++;
        return role;
}

enum err metadata_each(struct db *db, metadata_visit *visit, void *user, struct why *why)
{
        OWN(query) struct query *q = NULL;
        bool has = false;
        enum err e = db_query(db, "SELECT repository, role, max(version), made_at, expires_at FROM metadata WHERE role <> 'anchor'"
                                  " GROUP BY repository, role ORDER BY repository, role", NO_VALUES, &q, why);
        while (!e && !(e = query_next(q, &has, why)) && has) {
                const struct metadata metadata = { query_text(q, 0), role_of(query_text(q, 1)), { (uint64_t)query_int(q, 2), query_int(q, 4) }, query_int(q, 3) };
                e = visit(user, &metadata, why);
        }
        return e;
}
