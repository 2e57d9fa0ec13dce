/* tuf.h - one TUF 1.0 repository as a client trusts it: fed with files, in order, it takes them or says why not.
 *
 *      tuf_open(&pinned_root, &tuf, why);
 *      tuf_update(tuf, TUF_ROOT, &next, why);           N+1, N+2, ... as long as there are any
 *      tuf_keep(tuf, TUF_TIMESTAMP, &kept)              what was trusted before: snapshot and targets too
 *      tuf_update(tuf, TUF_TIMESTAMP, &file, why);      then the snapshot and the targets that tuf_wanted() asks for
 *      tuf_find(tuf, "edr-rules/4", &target, why);
 *
 * Invariant: a file is trusted only when the threshold of different keys that the newest root names signed it, it is no
 * older than what the trusted timestamp and snapshot named before, it has not expired, and what stands above names its
 * version, length and digest.
 * A file that fails changes nothing. What top-level targets delegate to others: tuf_search.h. The whole workflow, with what
 * to fetch and to store next: tuf_client.h. */
#pragma once

#include "trust/tuf_role.h"

struct tuf;

/* A pinned root: checked against its own keys only. `now` is the time for everything after. */
MUST_CHECK enum err tuf_open(const struct buf *root, int64_t now, struct tuf **ret_tuf, struct why *why);
void tuf_close(struct tuf *tuf);
OWN_DEFINE(tuf, struct tuf *, tuf_close)

/* What was trusted before, for the roll-back rules; it may have expired by now. A file that the newest root's keys no longer
 * vouch for is refused and counts for nothing, which is how a fast-forwarded version is forgotten. Call it before the role's
 * update, and after those of the root. */
MUST_CHECK enum err tuf_keep(struct tuf *tuf, enum tuf_role role, const struct buf *file, struct why *why);

/* ERR_UNTRUSTED, ERR_ROLLBACK, ERR_EXPIRED, ERR_SYNTAX, ERR_LIMIT. A timestamp of the version that is trusted already is
 * no error and changes nothing. */
MUST_CHECK enum err tuf_update(struct tuf *tuf, enum tuf_role role, const struct buf *file, struct why *why);

/* Is this role trusted, not expired, and what stands above names it? If not, tuf_wanted() says what to bring. */
bool tuf_is_current(const struct tuf *tuf, enum tuf_role role);
struct tuf_want {
        uint64_t version, bytes_max;         /* version 0: the newest (timestamp) */
        struct tuf_digest digest;
};
/* Root: the next version. Snapshot and targets: needs the file above; ERR_SYNTAX when that does not name them. */
MUST_CHECK enum err tuf_wanted(const struct tuf *tuf, enum tuf_role role, struct tuf_want *ret_want, struct why *why);

/* Do the names of this repository's files carry their versions, and those of targets their digests? */
bool tuf_is_consistent(const struct tuf *tuf);

/* 0 when there is none. */
uint64_t tuf_version(const struct tuf *tuf, enum tuf_role role);
int64_t tuf_expires(const struct tuf *tuf, enum tuf_role role);

/* A file's signatures, form and expiry alone, as a publisher brings them before there is a timestamp. */
MUST_CHECK enum err tuf_check(const struct tuf *tuf, enum tuf_role role, const struct buf *file, struct tuf_stamp *ret_stamp, struct why *why);

/* A target of the trusted targets. ERR_NOT_FOUND. Borrowed until the next update of targets. */
MUST_CHECK enum err tuf_find(const struct tuf *tuf, const char *path, struct tuf_target *ret_target, struct why *why);
size_t tuf_target_count(const struct tuf *tuf);
const char *tuf_target_path(const struct tuf *tuf, size_t index);
