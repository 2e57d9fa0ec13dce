/* tuf_client.h - the client workflow of TUF 1.0 (section 5) as a conversation: it says what to load, fetch and store next.
 *
 *      tuf_client_open(&trusted_root, now, &client, why);           pinned, or the newest that was stored
 *      while (!(e = tuf_client_next(client, &task, why)) && task.kind != TUF_DONE)
 *              TUF_LOAD:  read the local file task.name             tuf_client_give(client, &file, why) or tuf_client_lacks(client)
 *              TUF_FETCH: get task.name from the repository, never more than task.bytes_max; the same, `lacks` for: there is no such file
 *              TUF_STORE: make task.file the local file task.name, durably, all of it or nothing; then tuf_client_stored(client)
 *      tuf_client_seek(client, "rules/4", why), and the same loop for what it takes; then tuf_client_found(client)
 *
 * No clock, disk or network: all of it is in the loop. An error ends the conversation (a call out of turn, ERR_USAGE, does not), and
 * whatever was stored until then is trusted and stays. The names of local files are root.json, timestamp.json, snapshot.json, targets.json and ROLE.json;
 * a role's name is percent-encoded, so that none of them leaves its folder. */
#pragma once

#include "trust/tuf.h"
#include "trust/tuf_search.h"

struct tuf_client;

enum tuf_task_kind { TUF_DONE, TUF_LOAD, TUF_FETCH, TUF_STORE };

struct tuf_task {
        enum tuf_task_kind kind;
        enum tuf_role role;              /* a delegated one's is TUF_ROLES */
        char name[TUF_FILE_NAME_BYTES];
        uint64_t version, bytes_max;     /* of FETCH; version 0: the newest */
        struct tuf_digest digest;        /* of FETCH; may want nothing */
        const struct buf *file;          /* of STORE; borrowed */
};

MUST_CHECK enum err tuf_client_open(const struct buf *root, int64_t now, struct tuf_client **ret_client, struct why *why);
void tuf_client_close(struct tuf_client *client);
OWN_DEFINE(tuf_client, struct tuf_client *, tuf_client_close)

MUST_CHECK enum err tuf_client_next(const struct tuf_client *client, struct tuf_task *ret_task, struct why *why);
MUST_CHECK enum err tuf_client_give(struct tuf_client *client, const struct buf *file, struct why *why);
/* ERR_NOT_FOUND: a file that must be there. */
MUST_CHECK enum err tuf_client_lacks(struct tuf_client *client, struct why *why);
void tuf_client_stored(struct tuf_client *client);

/* Once all is done. ERR_SYNTAX, ERR_LIMIT: what is said of the target, or by how many. */
MUST_CHECK enum err tuf_client_seek(struct tuf_client *client, const char *path, struct why *why);
/* NULL: no role that speaks for the path lists it. Borrowed until the next seek. */
const struct tuf_found *tuf_client_found(const struct tuf_client *client);

const struct tuf *tuf_client_trusted(const struct tuf_client *client);
