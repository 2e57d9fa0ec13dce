#include "trust/tuf.h"

#include "base/mem.h"
#include "trust/tuf_set.h"

#include <inttypes.h>
#include <string.h>

enum { TIMESTAMP_BYTES_MAX = 16 << 10 };     /* one file's version, length and digest, and signatures */

void tuf_close(struct tuf *tuf)
{
        if (!tuf)
                return;
        for (int role = 0; role < TUF_ROLES; role++)
                tuf_doc_free(tuf->docs[role]);
        mem_free(tuf);
}

static void replace(struct tuf *tuf, enum tuf_role role, struct tuf_doc *take_doc)
{
        tuf_doc_free(tuf->docs[role]);
        tuf->docs[role] = take_doc;
}

static enum err verify_by(const struct tuf_doc *doc, const struct tuf_doc *root, enum tuf_role role, struct why *why)
{
        struct tuf_keyring keyring = tuf_doc_keyring(root, role);
        return tuf_doc_verify(doc, &keyring, why);
}

enum err tuf_open(const struct buf *root, int64_t now, struct tuf **ret_tuf, struct why *why)
{
        OWN(tuf) struct tuf *tuf = mem_new(1, sizeof(*tuf));
        OWN(tuf_doc) struct tuf_doc *doc = NULL;
        if (!tuf)
                return FAIL(why, ERR_NOMEM, "no memory for a repository");
        enum err e = tuf_doc_open(TUF_ROOT, root, &doc, why);
        if (!e)
                e = verify_by(doc, doc, TUF_ROOT, why);
        if (e)
                return DURING(why, e, "the pinned root");
        tuf->now = now;
        replace(tuf, TUF_ROOT, GIVE(doc));
        *ret_tuf = GIVE(tuf);
        return OK;
}

uint64_t tuf_version(const struct tuf *tuf, enum tuf_role role)
{
        return tuf->docs[role] ? tuf->docs[role]->version : 0;
}

int64_t tuf_expires(const struct tuf *tuf, enum tuf_role role)
{
        return tuf->docs[role] ? tuf->docs[role]->expires : 0;
}

static enum err check_expiry(const struct tuf *tuf, const struct tuf_doc *doc, const char *role, struct why *why)
{
        if (tuf->now < doc->expires)
                return OK;
        return FAIL(why, ERR_EXPIRED, "%s version %" PRIu64 " expired %" PRId64 " s ago", role, doc->version, tuf->now - doc->expires);
}

static enum err open_trusted(const struct tuf *tuf, enum tuf_role role, const struct buf *file, struct tuf_doc **ret_doc, struct why *why)
{
        OWN(tuf_doc) struct tuf_doc *doc = NULL;
        if (role == TUF_TIMESTAMP && file->length > TIMESTAMP_BYTES_MAX)
                return FAIL(why, ERR_LIMIT, "a timestamp has at most %d bytes", TIMESTAMP_BYTES_MAX);
        enum err e = tuf_doc_open(role, file, &doc, why);
        if (!e)
                e = verify_by(doc, tuf->docs[TUF_ROOT], role, why);
        if (!e)
                *ret_doc = GIVE(doc);
        return e;
}

enum err tuf_keep(struct tuf *tuf, enum tuf_role role, const struct buf *file, struct why *why)
{
        OWN(tuf_doc) struct tuf_doc *doc = NULL;
        enum err e = open_trusted(tuf, role, file, &doc, why);
        if (!e)
                replace(tuf, role, GIVE(doc));
        return e;
}

enum err tuf_check(const struct tuf *tuf, enum tuf_role role, const struct buf *file, struct tuf_stamp *ret_stamp, struct why *why)
{
        OWN(tuf_doc) struct tuf_doc *doc = NULL;
        enum err e = open_trusted(tuf, role, file, &doc, why);
        if (!e)
                e = check_expiry(tuf, doc, tuf_role_name(role), why);
        if (!e)
                *ret_stamp = (struct tuf_stamp){ doc->version, doc->expires };
        return e;
}

/* By the old keys and by its own; expiry counts for the last one only, see below. */
static enum err update_root(struct tuf *tuf, const struct buf *file, struct why *why)
{
        OWN(tuf_doc) struct tuf_doc *doc = NULL;
        const struct tuf_doc *old = tuf->docs[TUF_ROOT];
        enum err e = open_trusted(tuf, TUF_ROOT, file, &doc, why);
        if (!e)
                e = verify_by(doc, doc, TUF_ROOT, why);
        if (e)
                return e;
        if (doc->version != old->version + 1)
                return FAIL(why, ERR_ROLLBACK, "root version %" PRIu64 " does not follow version %" PRIu64, doc->version, old->version);
        replace(tuf, TUF_ROOT, GIVE(doc));
        return OK;
}

static enum err not_older(const struct tuf_doc *old, const struct tuf_doc *new, enum tuf_role role, struct why *why)
{
        if (!old || new->version >= old->version)
                return OK;
        return FAIL(why, ERR_ROLLBACK, "%s version %" PRIu64 ", and version %" PRIu64 " was trusted before", tuf_role_name(role), new->version, old->version);
}

static enum err meta_of_not_older(const struct tuf_doc *old, const struct tuf_doc *new, const char *name, struct why *why)
{
        const uint64_t before = tuf_doc_meta_version(old, name), now = tuf_doc_meta_version(new, name);
        if (!now)
                return FAIL(why, ERR_ROLLBACK, "it says nothing of %s, of which version %" PRIu64 " was trusted before", name, before);
        return now < before ? FAIL(why, ERR_ROLLBACK, "%s version %" PRIu64 ", and version %" PRIu64 " was trusted before", name, now, before) : OK;
}

/* No file that `old` names may go away or back. */
static enum err metas_not_older(const struct tuf_doc *old, const struct tuf_doc *new, struct why *why)
{
        const struct json *metas = old ? json_get(old->body, "meta") : NULL;
        enum err e = OK;
        for (size_t i = 0; !e && i < json_count(metas); i++)
                e = meta_of_not_older(old, new, json_key_at(metas, i), why);
        return e;
}

static enum err update_timestamp(struct tuf *tuf, const struct buf *file, struct why *why)
{
        OWN(tuf_doc) struct tuf_doc *doc = NULL;
        const struct tuf_doc *old = tuf->docs[TUF_TIMESTAMP];
        struct tuf_meta meta;                    /* of the file that is wanted next: if it cannot be read, this one is of no use */
        enum err e = open_trusted(tuf, TUF_TIMESTAMP, file, &doc, why);
        if (!e)
                e = tuf_doc_meta(doc, "snapshot.json", &meta, why);
        if (!e)
                e = not_older(old, doc, TUF_TIMESTAMP, why);
        if (!e && old)
                e = meta_of_not_older(old, doc, "snapshot.json", why);
        if (e)
                return e;
        bool is_same = old && doc->version == old->version;
        e = check_expiry(tuf, is_same ? old : doc, "timestamp", why);
        if (!e && !is_same)
                replace(tuf, TUF_TIMESTAMP, GIVE(doc));
        return e;
}

uint64_t tuf_meta_bytes(const struct tuf_meta *meta)
{
        return meta->length ? meta->length : LIMIT_METADATA_BYTES;
}

static enum err check_named(const struct buf *file, const struct tuf_meta *meta, const char *name, struct why *why)
{
        struct tuf_digest digest;
        if (file->length > tuf_meta_bytes(meta))
                return FAIL(why, ERR_LIMIT, "%s has more than the %" PRIu64 " bytes that are announced", name, tuf_meta_bytes(meta));
        tuf_digest_of(buf_text(file), file->length, &digest);
        return tuf_digest_fits(&meta->digest, &digest) ? OK : FAIL(why, ERR_UNTRUSTED, "%s has other bytes than those announced", name);
}

bool tuf_meta_fits(const struct tuf_meta *meta, const struct tuf_doc *doc)
{
        return doc->version == meta->version && (!meta->length || doc->length <= meta->length) && tuf_digest_fits(&meta->digest, &doc->digest);
}

enum err tuf_open_named(const struct tuf *tuf, const struct tuf_named *named, const struct buf *file, struct tuf_doc **ret_doc, struct why *why)
{
        OWN(tuf_doc) struct tuf_doc *doc = NULL;
        const char *name = named->keyring.name;
        enum err e = check_named(file, &named->meta, name, why);
        if (!e)
                e = tuf_doc_open(named->form, file, &doc, why);
        if (!e)
                e = tuf_doc_verify(doc, &named->keyring, why);
        if (!e && doc->version != named->meta.version)
                e = FAIL(why, ERR_UNTRUSTED, "%s is version %" PRIu64 ", announced is version %" PRIu64, name, doc->version, named->meta.version);
        if (!e)
                e = check_expiry(tuf, doc, name, why);
        if (!e)
                *ret_doc = GIVE(doc);
        return e;
}

enum err tuf_meta_of(const struct tuf *tuf, const char *role, struct tuf_meta *ret_meta, struct why *why)
{
        char name[TUF_META_BYTES];
        if (!tuf_is_current(tuf, TUF_SNAPSHOT))
                return FAIL(why, ERR_REFUSED, "%s before snapshot", role);
        snprintf(name, sizeof(name), "%s.json", role);
        return tuf_doc_meta(tuf->docs[TUF_SNAPSHOT], name, ret_meta, why);
}

/* Which file names the version of this one. */
static enum err meta_above(const struct tuf *tuf, enum tuf_role role, struct tuf_meta *ret_meta, struct why *why)
{
        if (role == TUF_TARGETS)
                return tuf_meta_of(tuf, tuf_role_name(role), ret_meta, why);
        if (!tuf_is_current(tuf, TUF_TIMESTAMP))
                return FAIL(why, ERR_REFUSED, "snapshot before timestamp");
        return tuf_doc_meta(tuf->docs[TUF_TIMESTAMP], "snapshot.json", ret_meta, why);
}

static enum err update_below(struct tuf *tuf, enum tuf_role role, const struct buf *file, struct why *why)
{
        OWN(tuf_doc) struct tuf_doc *doc = NULL;
        struct tuf_named named = { .keyring = tuf_doc_keyring(tuf->docs[TUF_ROOT], role), .form = role };
        enum err e = meta_above(tuf, role, &named.meta, why);
        if (!e)
                e = tuf_open_named(tuf, &named, file, &doc, why);
        struct tuf_meta meta;                    /* as above */
        if (!e && role == TUF_SNAPSHOT)
                e = tuf_doc_meta(doc, "targets.json", &meta, why);
        if (!e && role == TUF_SNAPSHOT)
                e = metas_not_older(tuf->docs[role], doc, why);
        if (!e)
                replace(tuf, role, GIVE(doc));
        return e;
}

enum err tuf_update(struct tuf *tuf, enum tuf_role role, const struct buf *file, struct why *why)
{
        if (role == TUF_ROOT)
                return update_root(tuf, file, why);
        enum err e = check_expiry(tuf, tuf->docs[TUF_ROOT], "root", why);
        if (e)
                return e;
        return role == TUF_TIMESTAMP ? update_timestamp(tuf, file, why) : update_below(tuf, role, file, why);
}

enum err tuf_wanted(const struct tuf *tuf, enum tuf_role role, struct tuf_want *ret_want, struct why *why)
{
        struct tuf_meta meta = { 0 };
        if (role == TUF_ROOT) {
                *ret_want = (struct tuf_want){ .version = tuf_version(tuf, TUF_ROOT) + 1, .bytes_max = LIMIT_METADATA_BYTES };
                return OK;
        }
        enum err e = check_expiry(tuf, tuf->docs[TUF_ROOT], "root", why);
        if (!e && role != TUF_TIMESTAMP)
                e = meta_above(tuf, role, &meta, why);
        if (!e)
                *ret_want = (struct tuf_want){ meta.version, role == TUF_TIMESTAMP ? TIMESTAMP_BYTES_MAX : tuf_meta_bytes(&meta), meta.digest };
        return e;
}

bool tuf_is_current(const struct tuf *tuf, enum tuf_role role)
{
        const struct tuf_doc *doc = tuf->docs[role];
        struct tuf_meta meta;
        if (!doc || tuf->now >= doc->expires)
                return false;
        return role == TUF_ROOT || role == TUF_TIMESTAMP || (meta_above(tuf, role, &meta, NULL) == OK && tuf_meta_fits(&meta, doc));
}

bool tuf_is_consistent(const struct tuf *tuf)
{
        return json_bool(json_get(tuf->docs[TUF_ROOT]->body, "consistent_snapshot"), false);
}

enum err tuf_find(const struct tuf *tuf, const char *path, struct tuf_target *ret_target, struct why *why)
{
        const struct json *targets = tuf_is_current(tuf, TUF_TARGETS) ? json_get(tuf->docs[TUF_TARGETS]->body, "targets") : NULL;
        const struct json *json = json_get(targets, path);
        if (!json)
                return FAIL(why, ERR_NOT_FOUND, "no target %s", path);
        struct tuf_found found;
        enum err e = tuf_doc_target(json, &found, why);
        if (!e && !found.digest.has_sha256)
                e = FAIL(why, ERR_SYNTAX, "no sha256");
        if (e)
                return DURING(why, e, "target %s", path);
        *ret_target = (struct tuf_target){ .path = path, .length = found.length, .custom = found.custom };
        memcpy(ret_target->sha256, found.digest.sha256, sizeof(ret_target->sha256));
        return OK;
}

size_t tuf_target_count(const struct tuf *tuf)
{
        return tuf->docs[TUF_TARGETS] ? json_count(json_get(tuf->docs[TUF_TARGETS]->body, "targets")) : 0;
}

const char *tuf_target_path(const struct tuf *tuf, size_t index)
{
        return json_key_at(json_get(tuf->docs[TUF_TARGETS]->body, "targets"), index);
}
