#include "trust/tuf.h"

#include "base/mem.h"
#include "trust/sha.h"
#include "trust/tuf_doc.h"

#include <inttypes.h>
#include <string.h>

enum { TIMESTAMP_BYTES_MAX = 16 << 10 };     /* one file's version, length and digest, and signatures */

struct tuf {
        int64_t now;
        struct tuf_doc *docs[TUF_ROLES];
};

/* Which role's file names the version of this one, and under which name. */
static const struct above { enum tuf_role role; const char *name; } aboves[TUF_ROLES] = {
        [TUF_SNAPSHOT] = { TUF_TIMESTAMP, "snapshot.json" },
        [TUF_TARGETS] = { TUF_SNAPSHOT, "targets.json" },
};

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

enum err tuf_open(const struct buf *root, int64_t now, struct tuf **ret_tuf, struct why *why)
{
        OWN(tuf) struct tuf *tuf = mem_new(1, sizeof(*tuf));
        OWN(tuf_doc) struct tuf_doc *doc = NULL;
        if (!tuf)
                return FAIL(why, ERR_NOMEM, "no memory for a repository");
        enum err e = tuf_doc_open(TUF_ROOT, root, &doc, why);
        if (!e)
                e = tuf_doc_verify(doc, doc, TUF_ROOT, why);
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

static enum err check_expiry(const struct tuf *tuf, const struct tuf_doc *doc, enum tuf_role role, struct why *why)
{
        if (tuf->now < doc->expires)
                return OK;
        return FAIL(why, ERR_EXPIRED, "%s version %" PRIu64 " expired %" PRId64 " s ago", tuf_role_name(role), doc->version, tuf->now - doc->expires);
}

static enum err open_trusted(const struct tuf *tuf, enum tuf_role role, const struct buf *file, struct tuf_doc **ret_doc, struct why *why)
{
        OWN(tuf_doc) struct tuf_doc *doc = NULL;
        if (role == TUF_TIMESTAMP && file->length > TIMESTAMP_BYTES_MAX)
                return FAIL(why, ERR_LIMIT, "a timestamp has at most %d bytes", TIMESTAMP_BYTES_MAX);
        enum err e = tuf_doc_open(role, file, &doc, why);
        if (!e)
                e = tuf_doc_verify(doc, tuf->docs[TUF_ROOT], role, why);
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
                e = check_expiry(tuf, doc, role, why);
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
                e = tuf_doc_verify(doc, doc, TUF_ROOT, why);
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

/* No file that `old` names may go away or back. */
static enum err meta_not_older(const struct tuf_doc *old, const struct tuf_doc *new, struct why *why)
{
        const struct json *metas = old ? json_get(old->body, "meta") : NULL;
        enum err e = OK;
        for (size_t i = 0; !e && i < json_count(metas); i++) {
                const char *name = json_key_at(metas, i);
                struct tuf_meta before, now;
                e = tuf_doc_meta(old, name, &before, why);
                if (!e)
                        e = tuf_doc_meta(new, name, &now, why);
                if (!e && now.version < before.version)
                        e = FAIL(why, ERR_ROLLBACK, "%s version %" PRIu64 ", and version %" PRIu64 " was trusted before", name, now.version, before.version);
        }
        return e;
}

static enum err update_timestamp(struct tuf *tuf, const struct buf *file, struct why *why)
{
        OWN(tuf_doc) struct tuf_doc *doc = NULL;
        const struct tuf_doc *old = tuf->docs[TUF_TIMESTAMP];
        struct tuf_meta meta;
        enum err e = open_trusted(tuf, TUF_TIMESTAMP, file, &doc, why);
        if (!e)
                e = not_older(old, doc, TUF_TIMESTAMP, why);
        if (!e)
                e = tuf_doc_meta(doc, "snapshot.json", &meta, why);
        if (!e)
                e = meta_not_older(old, doc, why);
        if (e)
                return e;
        bool is_same = old && doc->version == old->version;
        e = check_expiry(tuf, is_same ? old : doc, TUF_TIMESTAMP, why);
        if (!e && !is_same)
                replace(tuf, TUF_TIMESTAMP, GIVE(doc));
        return e;
}

/* Length and digest before anything is parsed. */
static enum err check_named(const struct buf *file, const struct tuf_want *want, const char *name, struct why *why)
{
        uint8_t digest[32];
        if (file->length > want->bytes_max)
                return FAIL(why, ERR_LIMIT, "%s has more than the %" PRIu64 " bytes that are announced", name, want->bytes_max);
        sha256(buf_text(file), file->length, digest);
        if (want->has_sha256 && memcmp(digest, want->sha256, sizeof(digest)) != 0)
                return FAIL(why, ERR_UNTRUSTED, "%s has other bytes than those announced", name);
        return OK;
}

static enum err update_below(struct tuf *tuf, enum tuf_role role, const struct buf *file, struct why *why)
{
        OWN(tuf_doc) struct tuf_doc *doc = NULL;
        struct tuf_want want;
        enum err e = tuf_wanted(tuf, role, &want, why);
        if (!e)
                e = check_named(file, &want, aboves[role].name, why);
        if (!e)
                e = open_trusted(tuf, role, file, &doc, why);
        if (e)
                return e;
        if (doc->version != want.version)
                return FAIL(why, ERR_UNTRUSTED, "%s is version %" PRIu64 ", announced is version %" PRIu64, aboves[role].name, doc->version, want.version);
        e = not_older(tuf->docs[role], doc, role, why);
        if (!e && role == TUF_SNAPSHOT)
                e = meta_not_older(tuf->docs[role], doc, why);
        if (!e)
                e = check_expiry(tuf, doc, role, why);
        if (!e)
                replace(tuf, role, GIVE(doc));
        return e;
}

enum err tuf_update(struct tuf *tuf, enum tuf_role role, const struct buf *file, struct why *why)
{
        if (role == TUF_ROOT)
                return update_root(tuf, file, why);
        enum err e = check_expiry(tuf, tuf->docs[TUF_ROOT], TUF_ROOT, why);
        if (e)
                return e;
        return role == TUF_TIMESTAMP ? update_timestamp(tuf, file, why) : update_below(tuf, role, file, why);
}

enum err tuf_wanted(const struct tuf *tuf, enum tuf_role role, struct tuf_want *ret_want, struct why *why)
{
        const struct above *above = &aboves[role];
        struct tuf_meta meta;
        *ret_want = (struct tuf_want){ .bytes_max = role == TUF_TIMESTAMP ? TIMESTAMP_BYTES_MAX : LIMIT_METADATA_BYTES };
        if (role == TUF_ROOT)
                ret_want->version = tuf_version(tuf, TUF_ROOT) + 1;
        if (!above->name)
                return OK;
        if (!tuf_is_current(tuf, above->role))
                return FAIL(why, ERR_REFUSED, "%s before %s", tuf_role_name(role), tuf_role_name(above->role));
        enum err e = tuf_doc_meta(tuf->docs[above->role], above->name, &meta, why);
        if (e)
                return e;
        ret_want->version = meta.version;
        ret_want->bytes_max = meta.length ? meta.length : LIMIT_METADATA_BYTES;
        ret_want->has_sha256 = meta.has_sha256;
        memcpy(ret_want->sha256, meta.sha256, sizeof(meta.sha256));
        return OK;
}

bool tuf_is_current(const struct tuf *tuf, enum tuf_role role)
{
        const struct tuf_doc *doc = tuf->docs[role];
        const struct above *above = &aboves[role];
        struct tuf_meta meta;
        if (!doc || tuf->now >= doc->expires)
                return false;
        if (!above->name)
                return true;
        if (!tuf_is_current(tuf, above->role) || tuf_doc_meta(tuf->docs[above->role], above->name, &meta, NULL) != OK)
                return false;
        return doc->version == meta.version && (!meta.length || doc->length <= meta.length) &&
               (!meta.has_sha256 || memcmp(doc->sha256, meta.sha256, sizeof(doc->sha256)) == 0);
}

enum err tuf_find(const struct tuf *tuf, const char *path, struct tuf_target *ret_target, struct why *why)
{
        const struct json *targets = tuf_is_current(tuf, TUF_TARGETS) ? json_get(tuf->docs[TUF_TARGETS]->body, "targets") : NULL;
        const struct json *json = json_get(targets, path);
        if (!json)
                return FAIL(why, ERR_NOT_FOUND, "no target %s", path);
        struct tuf_target target = { .path = path, .custom = json_get(json, "custom") };
        int64_t length = json_int(json_get(json, "length"), -1);
        enum err e = length < 0 ? FAIL(why, ERR_SYNTAX, "length is not a number") : tuf_doc_hash(json, target.sha256, why);
        if (e)
                return DURING(why, e, "target %s", path);
        target.length = (uint64_t)length;
        *ret_target = target;
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
