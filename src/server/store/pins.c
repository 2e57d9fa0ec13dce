#include "server/store/pins.h"

#include "base/limits.h"
#include "format/hex.h"
#include "format/json.h"
#include "server/store/metadata.h"
#include "trust/tuf.h"

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

static enum err pin(struct db *db, const char *name, const char *given, struct buf *into, struct why *why)
{
        bool has = false;
        enum err e = kept(db, name, into, &has, why);
        if (e)
                return e;
        if (has && given && strcmp(buf_text(into), given) != 0)
                return FAIL(why, ERR_REFUSED, "the %s is not the one that this data folder was made with; give the right --keys, or start a new --data", name);
        if (has)
                return OK;
        if (!given)
                return FAIL(why, ERR_REFUSED, "there is no %s yet: give the publisher's online folder with --keys at first start", name);
        buf_add_text(into, given);
        e = buf_check(into, why);
        return e ? e : db_run(db, "INSERT INTO pins VALUES (?,?)", VALUES(bind_text(name), bind_blob(into->bytes, into->length)), why);
}

/* The root is checked as a client would, and served from now on. */
static enum err serve_root(struct db *db, const char *repository, const struct buf *file, int64_t now_s, struct why *why)
{
        OWN(tuf) struct tuf *tuf = NULL;
        enum err e = tuf_open(file, now_s, &tuf, why);
        if (e)
                return DURING(why, e, "%s root", repository);
        struct metadata metadata = { repository, TUF_ROOT, { tuf_version(tuf, TUF_ROOT), tuf_expires(tuf, TUF_ROOT) }, now_s };
        return metadata_put(db, &metadata, file, why);
}

static const struct json *walk(const struct json *json, const char *const *keys)
{
        for (; *keys; keys++)
                json = json_get(json, *keys);
        return json;
}

/* The root was checked already; here only its one timestamp key is looked up. */
static enum err find_timestamp_key(const struct buf *root, struct public_key *ret_key, struct why *why)
{
        OWN(json) struct json *json = NULL;
        enum err e = json_parse(root->bytes, root->length, LIMIT_METADATA_BYTES, &json, why);
        if (e)
                return e;
        const struct json *ids = walk(json, (const char *const[]){ "signed", "roles", "timestamp", "keyids", NULL });
        const char *id = json_text(json_at(ids, 0));
        const char *key = id ? json_text(walk(json, (const char *const[]){ "signed", "keys", id, "keyval", "public", NULL })) : NULL;
        if (!key || strlen(key) != 64 || json_count(ids) != 1)
                return FAIL(why, ERR_UNTRUSTED, "release root: needs one online key for timestamp");
        return hex_decode(key, ret_key->bytes, sizeof(ret_key->bytes), why);
}

static enum err read_all(struct db *db, const struct store_config *config, struct pins *pins, struct why *why)
{
        OWN(buf) struct buf anchor;
        buf_init(&anchor, LIMIT_METADATA_BYTES);
        enum err e = pin(db, "release root", config->release_root, &pins->release_root, why);
        if (!e)
                e = pin(db, "director root", config->director_root, &pins->director_root, why);
        if (!e)
                e = pin(db, "anchor", config->anchor, &anchor, why);
        return e ? e : anchor_open(anchor.bytes, anchor.length, &pins->anchor, why);
}

enum err pins_open(struct db *db, const struct store_config *config, int64_t now_s, struct pins *ret_pins, struct why *why)
{
        buf_init(&ret_pins->release_root, LIMIT_METADATA_BYTES);
        buf_init(&ret_pins->director_root, LIMIT_METADATA_BYTES);
        enum err e = db_begin(db, why);
        if (!e)
                e = read_all(db, config, ret_pins, why);
        if (!e)
                e = serve_root(db, REPOSITORY_RELEASE, &ret_pins->release_root, now_s, why);
        if (!e)
                e = serve_root(db, REPOSITORY_DIRECTOR, &ret_pins->director_root, now_s, why);
        if (!e)
                e = find_timestamp_key(&ret_pins->release_root, &ret_pins->timestamp, why);
        if (!e)
                e = db_commit(db, why);
        if (e)
                db_rollback(db);
        return e;
}

void pins_done(struct pins *pins)
{
        buf_done(&pins->release_root);
        buf_done(&pins->director_root);
}
