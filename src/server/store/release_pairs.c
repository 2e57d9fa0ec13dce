/* Between which releases a delta is worth making. */
#include "server/deltas/maker.h"
#include "server/store/inside.h"

#include <string.h>

enum {
        RELEASES_MAX = 64,                     /* in one go */
        JOBS_MAX = 4,                          /* of one release: from three before it, and the whole of it for everybody else */
};

/* The whole comes last: it takes longest, and is for those who are not waited for. */
static const char newest_sql[] =
        "SELECT newer.number, newer.target, older.target, older.number = newer.number"
        " FROM (SELECT number, stream, counter, target FROM releases WHERE number > ?"
        "       AND counter = (SELECT max(counter) FROM releases same WHERE same.stream = releases.stream) ORDER BY number LIMIT ?) newer"
        " JOIN releases older ON older.stream = newer.stream AND older.counter IN"
        "      (SELECT counter FROM releases same WHERE same.stream = newer.stream ORDER BY counter DESC LIMIT ?)"
        " ORDER BY newer.number, older.number = newer.number, older.counter DESC";

static void add_job(struct query *q, struct buf *into)
{
        struct delta_job job = { 0 };
        size_t newer_length = 0, older_length = 0;
        const void *newer = query_blob(q, 1, &newer_length), *older = query_blob(q, 2, &older_length);
        if (newer_length != sizeof(job.newer) || older_length != sizeof(job.older))
                return;
        memcpy(job.newer, newer, sizeof(job.newer));
        if (!query_int(q, 3))
                memcpy(job.older, older, sizeof(job.older));
        buf_add(into, &job, sizeof(job));
}

enum err store_delta_jobs(struct store *store, struct buf *into, struct why *why)
{
        OWN(query) struct query *q = NULL;
        bool has = false;
        const size_t room = (into->length_max - into->length) / (JOBS_MAX * sizeof(struct delta_job)), before = into->length;
        if (!store->has_new_releases || !room)
                return OK;
        enum err e = db_query(store->db, newest_sql, VALUES(bind_int(store->told_release), bind_int(room < RELEASES_MAX ? (int64_t)room : RELEASES_MAX), bind_int(JOBS_MAX)), &q, why);
        while (!e && !(e = query_next(q, &has, why)) && has) {
                add_job(q, into);
                store->told_release = query_int(q, 0);
        }
        if (e)
                return e;
        store->has_new_releases = into->length > before;
        return buf_check(into, why);
}
