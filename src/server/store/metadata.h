/* metadata.h - the files of both TUF repositories, as they are served. */
#pragma once

#include "base/buf.h"
#include "server/store/db.h"
#include "trust/tuf_build.h"

#define REPOSITORY_RELEASE "release"
#define REPOSITORY_DIRECTOR "director"

struct metadata {
        const char *repository;
        enum tuf_role role;
        struct tuf_stamp stamp;
        int64_t made_at;
};

/* What is to be done about a file. What the server signs it signs anew at a quarter of its life: at half of it, LATE, something is wrong. What people sign
 * they have to sign again: RENEW, when a third is left. */
enum metadata_health { METADATA_GOOD, METADATA_LATE, METADATA_RENEW, METADATA_EXPIRED };
const char *metadata_health_name(enum metadata_health health);
enum metadata_health metadata_health(const struct metadata *metadata, int64_t now_s);

/* A file becomes the newest of its role; a timestamp replaces the one before. Of the others, those that a device may be in the
 * middle of fetching stay (METADATA_KEPT versions), and all roots. */
enum { METADATA_KEPT = 8 };
MUST_CHECK enum err metadata_put(struct db *db, const struct metadata *metadata, const struct buf *file, struct why *why);

/* The same for the anchor of a repository, "2.anchor". */
MUST_CHECK enum err metadata_put_anchor(struct db *db, const struct metadata *metadata, const struct buf *file, struct why *why);

/* What the server signs for this repository is due again at once, with the keys that its root names now. */
MUST_CHECK enum err metadata_renew(struct db *db, const char *repository, struct why *why);

/* The newest of every role of both repositories, in order. */
typedef enum err metadata_visit(void *user, const struct metadata *metadata, struct why *why);
MUST_CHECK enum err metadata_each(struct db *db, metadata_visit *visit, void *user, struct why *why);

/* The newest of a role: its bytes are added to `into` (NULL: not wanted). Version 0: there is none. */
MUST_CHECK enum err metadata_newest(struct db *db, struct metadata *metadata, struct buf *into, struct why *why);
