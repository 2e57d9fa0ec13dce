#include "cli/signing_check.h"

#include "base/limits.h"
#include "platform/random.h"
#include "trust/anchor.h"
#include "trust/release_custom.h"
#include "trust/tuf_build.h"
#include "trust/tuf_root.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Signatures, form and expiry by the root that devices pin. */
static enum err check_pinned(const struct signing_outcome *outcome, struct why *why)
{
        OWN(tuf) struct tuf *tuf = NULL;
        struct tuf_stamp stamp;
        enum err e = tuf_open(outcome->root, outcome->now, &tuf, why);
        if (!e && outcome->now >= tuf_expires(tuf, TUF_ROOT))
                e = FAIL(why, ERR_EXPIRED, "the root has expired; is the clock right?");
        if (!e)
                e = tuf_check(tuf, TUF_TARGETS, outcome->targets, &stamp, why);
        if (!e)
                e = tuf_check(tuf, TUF_SNAPSHOT, outcome->snapshot, &stamp, why);
        return e ? DURING(why, e, "by public/release.root.json") : OK;
}

/* As the pinned one, but for the keys of root and timestamp. */
static enum err make_root(const struct signing_outcome *outcome, const struct secret_key *key, struct buf *root, struct why *why)
{
        struct tuf_root_facts facts;
        struct tuf_root trial = { .stamp = { 1, outcome->now + 1 } };
        OWN(buf) struct buf to_sign;
        buf_init(&to_sign, LIMIT_METADATA_BYTES);
        enum err e = tuf_root_of_file(outcome->root, &facts, why);
        if (e)
                return e;
        for (unsigned role = 0; role < TUF_ROLES; role++)
                trial.roles[role] = (struct tuf_role_keys){ facts.roles[role].keys, facts.roles[role].count, facts.roles[role].threshold };
        trial.roles[TUF_ROOT] = trial.roles[TUF_TIMESTAMP] = (struct tuf_role_keys){ &key->public, 1, 1 };
        e = tuf_root_write(&trial, &to_sign, why);
        return e ? e : tuf_file_sign(&to_sign, key, 1, root, why);
}

static enum err make_timestamp(const struct signing_outcome *outcome, const struct secret_key *key, uint64_t snapshot, struct buf *timestamp, struct why *why)
{
        OWN(buf) struct buf to_sign;
        buf_init(&to_sign, LIMIT_METADATA_BYTES);
        enum err e = tuf_timestamp_write(&(struct tuf_stamp){ 1, outcome->now + 1 }, &(struct tuf_of){ snapshot, outcome->snapshot }, &to_sign, why);
        return e ? e : tuf_file_sign(&to_sign, key, 1, timestamp, why);
}

/* A root of one use, and the timestamp that it vouches for. */
static enum err begin(const struct signing_outcome *outcome, struct tuf **ret_tuf, struct buf *timestamp, struct why *why)
{
        OWN(secret_key) struct secret_key random = { 0 };
        OWN(secret_key) struct secret_key key = { 0 };
        OWN(tuf) struct tuf *tuf = NULL;
        OWN(buf) struct buf root;
        struct tuf_stamp stamp = { 0 };
        buf_init(&root, LIMIT_METADATA_BYTES);
        outcome->random->ops->fill(outcome->random, random.seed, sizeof(random.seed));
        secret_key_make(random.seed, &key);
        enum err e = make_root(outcome, &key, &root, why);
        if (!e)
                e = tuf_open(&root, outcome->now, &tuf, why);
        if (!e)
                e = tuf_check(tuf, TUF_SNAPSHOT, outcome->snapshot, &stamp, why);
        if (!e)
                e = make_timestamp(outcome, &key, stamp.version, timestamp, why);
        if (!e)
                *ret_tuf = GIVE(tuf);
        return e;
}

static enum err follow(const struct signing_outcome *outcome, struct tuf **ret_tuf, struct why *why)
{
        OWN(tuf) struct tuf *tuf = NULL;
        OWN(buf) struct buf timestamp;
        buf_init(&timestamp, LIMIT_METADATA_BYTES);
        enum err e = begin(outcome, &tuf, &timestamp, why);
        if (!e)
                e = tuf_keep(tuf, TUF_SNAPSHOT, outcome->old_snapshot, why);
        const uint64_t before = tuf ? tuf_version(tuf, TUF_SNAPSHOT) : 0;
        if (!e)
                e = tuf_update(tuf, TUF_TIMESTAMP, &timestamp, why);
        if (!e)
                e = tuf_update(tuf, TUF_SNAPSHOT, outcome->snapshot, why);
        /* Devices know it from the timestamp before, of which there is none here. */
        if (!e && tuf_version(tuf, TUF_SNAPSHOT) < before)
                e = FAIL(why, ERR_ROLLBACK, "snapshot version %" PRIu64 ", and version %" PRIu64 " was signed before", tuf_version(tuf, TUF_SNAPSHOT), before);
        if (!e)
                e = tuf_update(tuf, TUF_TARGETS, outcome->targets, why);
        if (!e)
                *ret_tuf = GIVE(tuf);
        return e;
}

static enum err check_note(const struct signing_outcome *outcome, const struct tuf *tuf, struct why *why)
{
        OWN(release_note) struct release_note *note = NULL;
        struct anchor anchor;
        struct tuf_target target;
        char path[160];
        release_id_path(outcome->release, "", "", path);
        enum err e = anchor_open(buf_text(outcome->anchor), outcome->anchor->length, &anchor, why);
        if (!e)
                e = release_note_open(&anchor, outcome->note, &note, why);
        if (!e)
                e = tuf_find(tuf, path + 1, &target, why);
        if (!e && (target.length != note->text_length || memcmp(target.sha256, note->target, sizeof(note->target)) != 0))
                e = FAIL(why, ERR_UNTRUSTED, "the targets list another note");
        return e ? e : release_custom_fits(target.custom, note, why);
}

enum err signing_check(const struct signing_outcome *outcome, struct why *why)
{
        OWN(tuf) struct tuf *tuf = NULL;
        enum err e = check_pinned(outcome, why);
        if (!e)
                e = follow(outcome, &tuf, why);
        if (!e)
                e = check_note(outcome, tuf, why);
        return e ? DURING(why, e, "devices would refuse this") : OK;
}
