#include "server/operators/listing.h"

#include "base/limits.h"
#include "server/rollouts/director.h"
#include "server/store/inside.h"
#include "server/store/metadata.h"
#include "trust/tuf_build.h"

#include <inttypes.h>
#include <string.h>

void listing_init(struct listing *listing)
{
        *listing = (struct listing){ 0 };
        buf_init(&listing->targets, LIMIT_METADATA_BYTES);
        buf_init(&listing->snapshot, LIMIT_METADATA_BYTES);
        buf_init(&listing->timestamp, LIMIT_METADATA_BYTES);
}

void listing_done(struct listing *listing)
{
        buf_done(&listing->targets);
        buf_done(&listing->snapshot);
        buf_done(&listing->timestamp);
        tuf_close(listing->tuf);
}

static enum err newest(struct store *store, enum tuf_role role, struct metadata *metadata, struct buf *into, struct why *why)
{
        *metadata = (struct metadata){ .repository = REPOSITORY_RELEASE, .role = role };
        buf_init(into, LIMIT_METADATA_BYTES);
        return metadata_newest(store->db, metadata, into, why);
}

/* What devices trust today, for the roll-back rules. What the root no longer vouches for they have forgotten. */
static enum err recall(struct store *store, struct listing *listing, enum tuf_role role, struct why *why)
{
        OWN(buf) struct buf file;
        struct metadata metadata;
        enum err e = newest(store, role, &metadata, &file, why);
        if (e || !metadata.stamp.version)
                return e;
        e = tuf_keep(listing->tuf, role, &file, why);
        return e == ERR_UNTRUSTED ? OK : e;
}

/* Version 0: the root in force does not name whoever signed it. Whether it has expired does not matter here. */
static enum err vouched(struct store *store, enum tuf_role role, const struct buf *file, uint64_t *ret_version, struct why *why)
{
        OWN(tuf) struct tuf *tuf = NULL;
        struct tuf_stamp stamp = { 0 };
        *ret_version = 0;
        enum err e = tuf_open(&store->pins.release_root, 0, &tuf, why);
        if (e || !file)
                return e;
        e = tuf_check(tuf, role, file, &stamp, why);
        if (!e)
                *ret_version = stamp.version;
        return e == ERR_NOMEM ? e : OK;
}

/* Two files of one version are two truths: a device that has the one never asks for the other. What the root no longer vouches for
 * it has forgotten. */
static enum err check_same(struct store *store, const struct tuf *tuf, enum tuf_role role, const struct buf *file, struct why *why)
{
        OWN(buf) struct buf served;
        struct metadata metadata;
        uint64_t vouched_version = 0;
        const uint64_t version = tuf_version(tuf, role);
        enum err e = newest(store, role, &metadata, &served, why);
        if (!e && metadata.stamp.version == version && !buf_equal(file, &served))
                e = vouched(store, role, &served, &vouched_version, why);
        if (!e && vouched_version)
                e = FAIL(why, ERR_REFUSED, "%s version %" PRIu64 " is published with other content; sign again, after the newest", tuf_role_name(role), version);
        return e;
}

/* `judged_s`: the time by which it must not have expired. */
static enum err follow(struct store *store, int64_t now_s, int64_t judged_s, struct listing *listing, struct why *why)
{
        struct tuf_stamp stamp;
        enum err e = tuf_open(&store->pins.release_root, judged_s, &listing->tuf, why);
        if (!e)
                e = recall(store, listing, TUF_TIMESTAMP, why);
        if (!e)
                e = recall(store, listing, TUF_SNAPSHOT, why);
        if (!e)
                e = tuf_check(listing->tuf, TUF_SNAPSHOT, &listing->snapshot, &stamp, why);
        struct tuf_of snapshot = { stamp.version, &listing->snapshot };
        if (!e)
                e = director_release_timestamp(store, now_s, &snapshot, &listing->timestamp, why);
        if (!e)
                e = tuf_update(listing->tuf, TUF_TIMESTAMP, &listing->timestamp, why);
        if (!e)
                e = tuf_update(listing->tuf, TUF_SNAPSHOT, &listing->snapshot, why);
        return e ? e : tuf_update(listing->tuf, TUF_TARGETS, &listing->targets, why);
}

/* Every release of before is still listed as it was. There may be more than are published here: signed, and yet to come. */
static enum err check_published(struct store *store, const struct listing *listing, struct why *why)
{
        OWN(query) struct query *q = NULL;
        size_t length = 0;
        bool has = false;
        enum err e = db_query(store->db, "SELECT stream || '/' || counter, target FROM releases", NO_VALUES, &q, why);
        while (!e && !(e = query_next(q, &has, why)) && has) {
                struct tuf_target target;
                if (tuf_find(listing->tuf, query_text(q, 0), &target, why) != OK || memcmp(target.sha256, query_blob(q, 1, &length), 32) != 0)
                        return FAIL(why, ERR_REFUSED, "%s is no longer listed as it was; fetch the newest targets and sign again", query_text(q, 0));
        }
        return e;
}

static enum err verify(struct store *store, int64_t now_s, int64_t judged_s, struct listing *listing, struct why *why)
{
        enum err e = follow(store, now_s, judged_s, listing, why);
        if (!e)
                e = check_same(store, listing->tuf, TUF_TARGETS, &listing->targets, why);
        return e ? e : check_same(store, listing->tuf, TUF_SNAPSHOT, &listing->snapshot, why);
}

enum err listing_verify(struct store *store, int64_t now_s, struct listing *listing, struct why *why)
{
        enum err e = verify(store, now_s, now_s, listing, why);
        return e ? e : check_published(store, listing, why);
}

enum err listing_keep(struct store *store, int64_t now_s, const struct listing *listing, struct why *why)
{
        const struct { enum tuf_role role; const struct buf *file; } files[] = {
                { TUF_TARGETS, &listing->targets }, { TUF_SNAPSHOT, &listing->snapshot }, { TUF_TIMESTAMP, &listing->timestamp },
        };
        enum err e = OK;
        for (size_t i = 0; i < sizeof(files) / sizeof(files[0]) && !e; i++) {
                const struct tuf_stamp stamp = { tuf_version(listing->tuf, files[i].role), tuf_expires(listing->tuf, files[i].role) };
                e = metadata_put(store->db, &(struct metadata){ REPOSITORY_RELEASE, files[i].role, stamp, now_s }, files[i].file, why);
        }
        return e ? e : store_new_epoch(store, why);
}

/* ---- at start ---- */

/* What has a higher version was signed by keys that the root no longer names, and would stand before the new for ever. */
static enum err forget_above(struct store *store, const struct tuf *tuf, enum tuf_role role, struct why *why)
{
        return db_run(store->db, "DELETE FROM metadata WHERE repository = ? AND role = ? AND version > ?",
                      VALUES(bind_text(REPOSITORY_RELEASE), bind_text(tuf_role_name(role)), bind_int((int64_t)tuf_version(tuf, role))), why);
}

/* Signed by whom the root names now, and so it says what is published: what a thief of the old keys brought is not on it, and devices
 * get it no more. It may have expired since, which devices see for themselves: a server that does not start cannot be given a newer one. */
static enum err take(struct store *store, int64_t now_s, struct why *why)
{
        const struct store_trust *trust = &store->config.trust;
        OWN(listing) struct listing listing;
        listing_init(&listing);
        buf_add(&listing.targets, trust->targets->bytes, trust->targets->length);
        buf_add(&listing.snapshot, trust->snapshot->bytes, trust->snapshot->length);
        enum err e = buf_check(&listing.targets, why);
        if (!e)
                e = buf_check(&listing.snapshot, why);
        if (!e)
                e = verify(store, now_s, 0, &listing, why);
        if (!e)
                e = forget_above(store, listing.tuf, TUF_TARGETS, why);
        if (!e)
                e = forget_above(store, listing.tuf, TUF_SNAPSHOT, why);
        if (!e)
                e = listing_keep(store, now_s, &listing, why);
        return e ? DURING(why, e, "targets.json and snapshot.json of --keys") : OK;
}

struct pair { const struct buf *targets, *snapshot; };

/* Of its targets; 0: not both are vouched for. */
static enum err vouched_both(struct store *store, const struct pair *pair, uint64_t *ret_version, struct why *why)
{
        uint64_t snapshot = 0;
        enum err e = vouched(store, TUF_TARGETS, pair->targets, ret_version, why);
        if (!e)
                e = vouched(store, TUF_SNAPSHOT, pair->snapshot, &snapshot, why);
        if (!snapshot)
                *ret_version = 0;
        return e;
}

static enum err choose(struct store *store, int64_t now_s, const struct pair *served, struct why *why)
{
        const struct pair given = { store->config.trust.targets, store->config.trust.snapshot };
        uint64_t version = 0, new_version = 0;
        enum err e = vouched_both(store, served, &version, why);
        if (!e)
                e = vouched_both(store, &given, &new_version, why);
        if (e)
                return e;
        if (new_version > version)
                return take(store, now_s, why);
        return version ? OK : FAIL(why, ERR_REFUSED, "the root in --keys does not name the keys that signed what is published; the folder must bring targets.json and snapshot.json, "
                                   "signed anew in the same ceremony: copy it whole");
}

enum err listing_open(struct store *store, int64_t now_s, struct why *why)
{
        OWN(buf) struct buf targets, snapshot;
        struct metadata of_targets, of_snapshot;
        buf_init(&snapshot, LIMIT_METADATA_BYTES);
        enum err e = newest(store, TUF_TARGETS, &of_targets, &targets, why);
        if (!e)
                e = newest(store, TUF_SNAPSHOT, &of_snapshot, &snapshot, why);
        if (e || !of_targets.stamp.version)      /* none yet: the first release brings them */
                return e;
        return choose(store, now_s, &(struct pair){ &targets, &snapshot }, why);
}
