#include "trust/tuf_client.h"

#include "base/mem.h"
#include "trust/tuf_set.h"

#include <string.h>

/* Each role goes through LOAD (not root), FETCH (unless what was loaded is what is wanted) and STORE (if what came is new). */
enum stage { STAGE_LOAD, STAGE_FETCH, STAGE_STORE, STAGE_DONE, STAGE_FAILED };

struct tuf_client {
        struct tuf *tuf;
        enum tuf_role role;              /* whose turn it is; TUF_ROLES: the search's, or nobody's */
        enum stage stage;
        struct tuf_search *search;
        struct buf file;                 /* to be stored */
        char file_role[LIMIT_ROLE_NAME_BYTES + 1];
        unsigned roots;
};

void tuf_client_close(struct tuf_client *client)
{
        if (!client)
                return;
        tuf_search_close(client->search);
        tuf_close(client->tuf);
        buf_done(&client->file);
        mem_free(client);
}

enum err tuf_client_open(const struct buf *root, int64_t now, struct tuf_client **ret_client, struct why *why)
{
        OWN(tuf_client) struct tuf_client *client = mem_new(1, sizeof(*client));
        if (!client)
                return FAIL(why, ERR_NOMEM, "no memory for a client");
        buf_init(&client->file, LIMIT_METADATA_BYTES);
        client->role = TUF_ROOT;
        client->stage = STAGE_FETCH;
        enum err e = tuf_open(root, now, &client->tuf, why);
        if (!e)
                *ret_client = GIVE(client);
        return e;
}

static const char *role_name(const struct tuf_client *client)
{
        return client->role == TUF_ROLES ? tuf_search_role(client->search) : tuf_role_name(client->role);
}

static bool has_versions(const struct tuf_client *client)
{
        return client->role == TUF_ROOT || (client->role != TUF_TIMESTAMP && tuf_is_consistent(client->tuf));
}

static enum err fetch_task(const struct tuf_client *client, struct tuf_task *task, struct why *why)
{
        struct tuf_want want = { 0 };
        enum err e = client->role == TUF_ROLES ? tuf_search_wanted(client->search, &want, why) : tuf_wanted(client->tuf, client->role, &want, why);
        if (e)
                return e;
        task->version = want.version;
        task->bytes_max = want.bytes_max;
        task->digest = want.digest;
        tuf_file_name_of(role_name(client), has_versions(client) ? want.version : 0, task->name);
        return OK;
}

static enum err failed(struct why *why)
{
        return FAIL(why, ERR_USAGE, "this conversation ended with an error; begin another one");
}

enum err tuf_client_next(const struct tuf_client *client, struct tuf_task *ret_task, struct why *why)
{
        static const enum tuf_task_kind kinds[] = { [STAGE_LOAD] = TUF_LOAD, [STAGE_FETCH] = TUF_FETCH, [STAGE_STORE] = TUF_STORE, [STAGE_DONE] = TUF_DONE };
        if (client->stage == STAGE_FAILED)
                return failed(why);
        *ret_task = (struct tuf_task){ .kind = kinds[client->stage], .role = client->role, .bytes_max = LIMIT_METADATA_BYTES };
        switch (client->stage) {
        case STAGE_LOAD: tuf_file_name_of(role_name(client), 0, ret_task->name); break;
        case STAGE_FETCH: return fetch_task(client, ret_task, why);
        case STAGE_STORE:
                tuf_file_name_of(client->file_role, 0, ret_task->name);
                ret_task->file = &client->file;
                break;
        case STAGE_DONE:
        case STAGE_FAILED: break;
        }
        return OK;
}

/* The next role's turn, or the next one of the search's. */
static void go_on(struct tuf_client *client)
{
        if (client->role != TUF_ROLES)
                client->role = client->role == TUF_ROOT ? TUF_TIMESTAMP : client->role == TUF_TIMESTAMP ? TUF_SNAPSHOT : client->role == TUF_SNAPSHOT ? TUF_TARGETS : TUF_ROLES;
        bool is_over = client->role == TUF_ROLES && (!client->search || tuf_search_state(client->search) != TUF_SEARCH_WANTS);
        client->stage = is_over ? STAGE_DONE : STAGE_LOAD;
}

static enum err remember(struct tuf_client *client, const char *role, const struct buf *file, struct why *why)
{
        buf_clear(&client->file);
        buf_add(&client->file, buf_text(file), file->length);
        snprintf(client->file_role, sizeof(client->file_role), "%s", role);
        enum err e = buf_check(&client->file, why);
        if (!e)
                client->stage = STAGE_STORE;
        return e;
}

/* A copy that is no longer trusted is as good as none. */
static enum err give_local(struct tuf_client *client, const struct buf *file, struct why *why)
{
        if (client->role == TUF_ROLES) {
                enum err e = tuf_search_give(client->search, file, why);
                if (e && (e == ERR_NOMEM || tuf_search_state(client->search) != TUF_SEARCH_WANTS))
                        return e;                /* trusted, and what it says of the target cannot be read */
                if (e)
                        client->stage = STAGE_FETCH;
                else
                        go_on(client);
                return OK;
        }
        enum err e = tuf_keep(client->tuf, client->role, file, NULL);
        if (e == ERR_NOMEM)
                return FAIL(why, e, "no memory for a file that was kept");
        /* Of the timestamp nothing above says whether there is a newer one. */
        if (client->role != TUF_TIMESTAMP && tuf_is_current(client->tuf, client->role))
                go_on(client);
        else
                client->stage = STAGE_FETCH;
        return OK;
}

static enum err give_fetched(struct tuf_client *client, const struct buf *file, struct why *why)
{
        if (client->role == TUF_ROLES) {
                char role[LIMIT_ROLE_NAME_BYTES + 1];
                snprintf(role, sizeof(role), "%s", tuf_search_role(client->search));
                enum err e = tuf_search_give(client->search, file, why);
                return e ? e : remember(client, role, file, why);
        }
        if (client->role == TUF_ROOT && ++client->roots > LIMIT_ROOTS)
                return FAIL(why, ERR_LIMIT, "more than %d new roots", LIMIT_ROOTS);
        uint64_t before = tuf_version(client->tuf, client->role);
        enum err e = tuf_update(client->tuf, client->role, file, why);
        if (e)
                return e;
        if (client->role == TUF_TIMESTAMP && tuf_version(client->tuf, TUF_TIMESTAMP) == before) {
                go_on(client);                   /* what we have is the newest */
                return OK;
        }
        return remember(client, tuf_role_name(client->role), file, why);
}

enum err tuf_client_give(struct tuf_client *client, const struct buf *file, struct why *why)
{
        if (client->stage == STAGE_FAILED)
                return failed(why);
        if (client->stage != STAGE_LOAD && client->stage != STAGE_FETCH)
                return FAIL(why, ERR_USAGE, "a file that was not asked for");
        enum err e = client->stage == STAGE_LOAD ? give_local(client, file, why) : give_fetched(client, file, why);
        if (e)
                client->stage = STAGE_FAILED;
        return e;
}

enum err tuf_client_lacks(struct tuf_client *client, struct why *why)
{
        if (client->stage == STAGE_LOAD) {
                client->stage = STAGE_FETCH;
                return OK;
        }
        if (client->stage == STAGE_FAILED)
                return failed(why);
        if (client->stage != STAGE_FETCH)
                return FAIL(why, ERR_USAGE, "nothing was asked for");
        if (client->role != TUF_ROOT) {
                enum err e = FAIL(why, ERR_NOT_FOUND, client->role == TUF_TIMESTAMP ? "there is no repository here: no timestamp.json" : "the repository has no file of role %s of the version that it announces", role_name(client));
                client->stage = STAGE_FAILED;
                return e;
        }
        go_on(client);                           /* there is no newer root */
        return OK;
}

void tuf_client_stored(struct tuf_client *client)
{
        if (client->stage != STAGE_STORE)
                return;
        if (client->role == TUF_ROOT)
                client->stage = STAGE_FETCH;
        else
                go_on(client);
}

enum err tuf_client_seek(struct tuf_client *client, const char *path, struct why *why)
{
        if (client->stage == STAGE_FAILED)
                return failed(why);
        if (client->stage != STAGE_DONE)
                return FAIL(why, ERR_USAGE, "a search before the refresh is over");
        tuf_search_close(GIVE(client->search));
        enum err e = tuf_search_open(client->tuf, path, &client->search, why);
        if (e)
                client->stage = STAGE_FAILED;
        else
                go_on(client);
        return e;
}

const struct tuf_found *tuf_client_found(const struct tuf_client *client)
{
        return client->search && tuf_search_state(client->search) == TUF_SEARCH_FOUND ? tuf_search_found(client->search) : NULL;
}

const struct tuf *tuf_client_trusted(const struct tuf_client *client)
{
        return client->tuf;
}
