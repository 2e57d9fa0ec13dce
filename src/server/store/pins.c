#include "server/store/pins.h"

#include "base/limits.h"
#include "server/store/metadata.h"
#include "trust/tuf_root.h"

#include <string.h>

static enum err kept(struct db *db, const char *name, struct buf *into, bool *ret_has, struct why *why)
{
        OWN(query) struct query *q = NULL;
        size_t length = 0;
        enum err e = db_query(db, "SELECT bytes FROM pins WHERE name = ?", VALUES(bind_text(name)), &q, why);
        if (!e)
                e = query_next(q, ret_has, why);
        if (e || !*ret_has)
                return e;
        const void *bytes = query_blob(q, 0, &length);
        buf_add(into, bytes, length);
        return buf_check(into, why);
}

static enum err keep(struct db *db, const char *name, const struct buf *file, struct why *why)
{
        return db_run(db, "INSERT INTO pins VALUES (?,?) ON CONFLICT (name) DO UPDATE SET bytes = excluded.bytes", VALUES(bind_text(name), bind_blob(file->bytes, file->length)), why);
}

/* Of one file: from which version on it is to be followed, and the last of them. */
struct pinned {
        const char *name;
        struct store_versions versions;              /* given; or the one that was kept */
        size_t from;
        bool is_new;                                 /* another than was kept, or the first */
        struct buf kept;
};

static void pinned_release(struct pinned *pinned) { buf_done(&pinned->kept); }

static const struct buf *newest(const struct pinned *pinned)
{
        return &pinned->versions.files[pinned->versions.count - 1];
}

/* Where what was kept stands among those that were given. */
static enum err find(struct pinned *pinned, struct why *why)
{
        for (size_t i = 0; i < pinned->versions.count; i++)
                if (buf_equal(&pinned->kept, &pinned->versions.files[i])) {
                        pinned->from = i;
                        pinned->is_new = i + 1 < pinned->versions.count;
                        return OK;
                }
        return FAIL(why, ERR_REFUSED, "the %s is not the one that this data folder was made with, nor one that follows it; give the right --keys, and whole: after a ceremony all versions stand in it",
                    pinned->name);
}

static enum err look_up(struct db *db, const char *name, const struct store_versions *given, struct pinned *pinned, struct why *why)
{
        bool has = false;
        *pinned = (struct pinned){ .name = name, .versions = *given };
        buf_init(&pinned->kept, LIMIT_METADATA_BYTES);
        enum err e = kept(db, name, &pinned->kept, &has, why);
        if (e)
                return e;
        if (!has && !given->count)
                return FAIL(why, ERR_REFUSED, "there is no %s yet: give the publisher's online folder with --keys at first start", name);
        if (has && given->count)
                return find(pinned, why);
        pinned->is_new = !has;
        if (has)
                pinned->versions = (struct store_versions){ &pinned->kept, 1 };
        return OK;
}

/* ---- roots: followed as a client would, and served from now on ---- */

static enum err serve_root(struct db *db, const char *repository, const struct tuf *tuf, const struct buf *file, int64_t now_s, struct why *why)
{
        struct metadata metadata = { repository, TUF_ROOT, { tuf_version(tuf, TUF_ROOT), tuf_expires(tuf, TUF_ROOT) }, now_s };
        return metadata_put(db, &metadata, file, why);
}

static enum err follow_root(struct db *db, const char *repository, const struct pinned *pinned, int64_t now_s, struct why *why)
{
        OWN(tuf) struct tuf *tuf = NULL;
        const struct buf *files = pinned->versions.files;
        enum err e = tuf_open(&files[pinned->from], now_s, &tuf, why);
        for (size_t i = pinned->from; !e && i < pinned->versions.count; i++) {
                if (i > pinned->from)
                        e = tuf_update(tuf, TUF_ROOT, &files[i], why);
                if (!e)
                        e = serve_root(db, repository, tuf, &files[i], now_s, why);
        }
        return e ? DURING(why, e, "%s root", repository) : OK;
}

static enum err find_timestamp_key(const struct buf *root, struct public_key *ret_key, struct why *why)
{
        struct tuf_root_facts facts;
        enum err e = tuf_root_of_file(root, &facts, why);
        if (e)
                return e;
        if (facts.roles[TUF_TIMESTAMP].count != 1)
                return FAIL(why, ERR_UNTRUSTED, "release root: needs one online key for timestamp");
        *ret_key = facts.roles[TUF_TIMESTAMP].keys[0];
        return OK;
}

static enum err open_root(struct db *db, const char *repository, const struct store_versions *given, int64_t now_s, struct buf *into, struct why *why)
{
        OWN(pinned) struct pinned pinned;
        char name[32];
        snprintf(name, sizeof(name), "%s root", repository);
        enum err e = look_up(db, name, given, &pinned, why);
        if (!e)
                e = follow_root(db, repository, &pinned, now_s, why);
        if (!e && pinned.is_new)
                e = keep(db, name, newest(&pinned), why);
        if (!e && pinned.is_new)
                e = metadata_renew(db, repository, why);
        if (e)
                return e;
        buf_add(into, newest(&pinned)->bytes, newest(&pinned)->length);
        return buf_check(into, why);
}

/* ---- anchors, of which devices ask for the one after theirs ---- */

static enum err serve_anchor(struct db *db, const char *repository, uint64_t version, const struct buf *file, struct why *why)
{
        return metadata_put_anchor(db, &(struct metadata){ .repository = repository, .stamp = { version, INT64_MAX } }, file, why);
}

/* Into `pins`: the first of them by its own word, one after it when the holders before signed it. */
typedef enum err take_anchor(struct pins *pins, const struct buf *file, bool is_first, struct why *why);

static enum err take_release(struct pins *pins, const struct buf *file, bool is_first, struct why *why)
{
        return is_first ? anchor_open(buf_text(file), file->length, &pins->anchor, why) : anchor_follow(&pins->anchor, file, &pins->anchor, why);
}

static enum err take_director(struct pins *pins, const struct buf *file, bool is_first, struct why *why)
{
        return is_first ? director_anchor_open(buf_text(file), file->length, &pins->director, why) : director_anchor_follow(&pins->director, file, &pins->director, why);
}

struct anchors {
        const char *name, *repository;
        const struct store_versions *given;
        take_anchor *take;
        const uint64_t *version;                     /* of the one that was taken last; in the pins */
};

static enum err open_anchor(struct db *db, const struct anchors *anchors, struct pins *pins, struct why *why)
{
        OWN(pinned) struct pinned pinned;
        enum err e = look_up(db, anchors->name, anchors->given, &pinned, why);
        for (size_t i = pinned.from; !e && i < pinned.versions.count; i++) {
                e = anchors->take(pins, &pinned.versions.files[i], i == pinned.from, why);
                if (!e)
                        e = serve_anchor(db, anchors->repository, *anchors->version, &pinned.versions.files[i], why);
        }
        return !e && pinned.is_new ? keep(db, anchors->name, newest(&pinned), why) : e;
}

static enum err open_anchors(struct db *db, const struct store_trust *trust, struct pins *pins, struct why *why)
{
        const struct anchors release = { "anchor", REPOSITORY_RELEASE, &trust->anchor, take_release, &pins->anchor.version };
        const struct anchors director = { "director's anchor", REPOSITORY_DIRECTOR, &trust->director_anchor, take_director, &pins->director.version };
        enum err e = open_anchor(db, &release, pins, why);
        if (!e)
                e = open_anchor(db, &director, pins, why);
        return e ? e : anchor_check_pair(&pins->anchor, &pins->director, why);
}

enum err pins_open(struct db *db, const struct store_config *config, int64_t now_s, struct pins *ret_pins, struct why *why)
{
        buf_init(&ret_pins->release_root, LIMIT_METADATA_BYTES);
        buf_init(&ret_pins->director_root, LIMIT_METADATA_BYTES);
        enum err e = open_root(db, REPOSITORY_RELEASE, &config->trust.release_root, now_s, &ret_pins->release_root, why);
        if (!e)
                e = open_root(db, REPOSITORY_DIRECTOR, &config->trust.director_root, now_s, &ret_pins->director_root, why);
        if (!e)
                e = open_anchors(db, &config->trust, ret_pins, why);
        return e ? e : find_timestamp_key(&ret_pins->release_root, &ret_pins->timestamp, why);
}

void pins_done(struct pins *pins)
{
        buf_done(&pins->release_root);
        buf_done(&pins->director_root);
}
