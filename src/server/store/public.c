#include "server/store/public.h"

#include "base/arena.h"
#include "base/limits.h"
#include "base/mem.h"
#include "format/hex.h"

#include <string.h>

/* Two repositories of a few versions of three files each, and a root now and then. */
enum { FILES_MAX = 4096, BYTES_MAX = 256 << 20 };

struct public_state {
        struct store_public view;
        struct arena *arena;
};

static void *copy(struct arena *arena, const void *bytes, size_t length)
{
        char *memory = arena_alloc(arena, 1, length + 1);
        if (memory)
                memcpy(memory, bytes, length);
        return memory;
}

static enum err read_file(struct arena *arena, struct query *q, struct store_file *ret_file, struct why *why)
{
        size_t length = 0;
        const void *bytes = query_blob(q, 2, &length);
        *ret_file = (struct store_file){ arena_strdup(arena, query_text(q, 0)), arena_strdup(arena, query_text(q, 1)), copy(arena, bytes, length), length };
        if (!ret_file->repository || !ret_file->name || !ret_file->bytes)
                return FAIL(why, ERR_NOMEM, "out of memory for metadata");
        return OK;
}

static enum err read_files(struct db *db, struct public_state *state, struct why *why)
{
        OWN(query) struct query *q = NULL;
        int64_t most = 0;
        enum err e = db_number(db, "SELECT count(*) FROM metadata", NO_VALUES, 0, &most, why);
        if (e)
                return e;
        if (most > FILES_MAX)
                return FAIL(why, ERR_LIMIT, "more than %d files of metadata", FILES_MAX);
        struct store_file *files = arena_alloc(state->arena, (size_t)most + 1, sizeof(*files));
        if (!files)
                return FAIL(why, ERR_NOMEM, "out of memory for metadata");
        size_t count = 0;
        bool has = false;
        e = db_query(db, "SELECT repository, file, bytes FROM metadata ORDER BY repository, file", NO_VALUES, &q, why);
        while (!e && !(e = query_next(q, &has, why)) && has)
                e = read_file(state->arena, q, &files[count++], why);
        state->view.files = files;
        state->view.file_count = count;
        return e;
}

static enum err read_revoked(struct db *db, struct public_state *state, struct why *why)
{
        OWN(query) struct query *q = NULL;
        int64_t most = 0;
        enum err e = db_number(db, "SELECT count(*) FROM devices WHERE revoked_at IS NOT NULL", NO_VALUES, 0, &most, why);
        if (e)
                return e;
        char(*revoked)[33] = arena_alloc(state->arena, (size_t)most + 1, sizeof(*revoked));
        if (!revoked)
                return FAIL(why, ERR_NOMEM, "out of memory for revoked devices");
        size_t count = 0, length = 0;
        bool has = false;
        e = db_query(db, "SELECT id FROM devices WHERE revoked_at IS NOT NULL ORDER BY id", NO_VALUES, &q, why);
        while (!e && !(e = query_next(q, &has, why)) && has)
                hex_encode(query_blob(q, 0, &length), 16, revoked[count++]);
        state->view.revoked = (const char(*)[33])revoked;
        state->view.revoked_count = count;
        return e;
}

enum err public_open(struct db *db, const struct public_state *before, int64_t pace_ms, struct public_state **ret_state, struct why *why)
{
        OWN(public) struct public_state *state = mem_new(1, sizeof(*state));
        if (!state || !(state->arena = arena_new(BYTES_MAX)))
                return FAIL(why, ERR_NOMEM, "out of memory");
        state->view.changes = before ? before->view.changes + 1 : 1;
        state->view.pace_ms = pace_ms;
        enum err e = db_number(db, "SELECT value FROM numbers WHERE name = 'epoch'", NO_VALUES, 0, &state->view.epoch, why);
        if (!e)
                e = read_files(db, state, why);
        if (!e)
                e = read_revoked(db, state, why);
        if (e)
                return e;
        *ret_state = GIVE(state);
        return OK;
}

void public_close(struct public_state *state)
{
        if (!state)
                return;
        arena_free(state->arena);
        mem_free(state);
}

const struct store_public *public_view(const struct public_state *state)
{
        return &state->view;
}
