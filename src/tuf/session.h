/* session.h - the conversation of trust/tuf_client.h, held with a folder and a server. */
#pragma once

#include "base/own.h"
#include "platform/disk_folder.h"
#include "platform/net.h"
#include "trust/tuf_client.h"
#include "tuf/options.h"

struct session {
        const struct tuf_options *options;
        struct disk *metadata;           /* the folder, ours alone until the end */
        struct net *net;
        struct tuf_client *client;
};

/* The root is checked by its own keys, and stored as it is. ERR_REFUSED: the folder has one. */
MUST_CHECK enum err session_init(const struct tuf_options *options, struct why *why);

/* Borrows the options. `now`: unix seconds. ERR_NOT_FOUND: no init came before. */
MUST_CHECK enum err session_open(const struct tuf_options *options, int64_t now, struct session *ret_session, struct why *why);
void session_done(struct session *session);
static inline void session_release(struct session *session) { session_done(session); }

/* Until there is nothing more to load, fetch or store. */
MUST_CHECK enum err session_follow(struct session *session, struct why *why);

/* A body of at most into's ceiling; ERR_NOT_FOUND: the server has no such file. */
MUST_CHECK enum err session_get(struct session *session, const char *url, const struct net_download *download, struct buf *into, struct why *why);
