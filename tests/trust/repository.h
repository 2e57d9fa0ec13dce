/* repository.h - a publisher and a director made in memory, for tests of tuf.h and verdict.h.
 *
 * Keys are those of keys.h: 1 release root, 2 release targets and snapshot, 3 release timestamp, 4 director root,
 * 5 director. Files expire at EXPIRES; NOW is before. */
#pragma once

#include "base/limits.h"
#include "trust/cohort.h"
#include "trust/keys.h"
#include "trust/release_custom.h"
#include "trust/sha.h"
#include "trust/tuf_build.h"
#include "trust/tuf.h"

enum { NOW = 1784432200, EXPIRES = NOW + 3600 };

struct repository {
        struct buf root, targets, snapshot, timestamp;
        uint64_t version;                /* of targets, snapshot and timestamp alike */
        int64_t lives_s;                 /* past EXPIRES */
        uint8_t root_key, targets_key, timestamp_key;
};

static inline void repository_release(struct repository *repository)
{
        buf_done(&repository->root);
        buf_done(&repository->targets);
        buf_done(&repository->snapshot);
        buf_done(&repository->timestamp);
}

static inline void sign_file(const struct buf *to_sign, uint8_t n, struct buf *into)
{
        struct secret_key key = test_key(n);
        buf_clear(into);
        CHECK(tuf_file_sign(to_sign, &key, 1, into, NULL) == OK);
}

/* A root of these keys, signed by `by` (and by `also`, unless 0). */
struct root_signers { uint8_t by, also; };
static inline void make_root(const struct repository *repository, uint64_t version, struct root_signers signers, struct buf *into)
{
        struct public_key root = test_key(repository->root_key).public, targets = test_key(repository->targets_key).public, timestamp = test_key(repository->timestamp_key).public;
        struct tuf_root to_write = { { version, EXPIRES }, { { &root, 1, 1 }, { &targets, 1, 1 }, { &targets, 1, 1 }, { &timestamp, 1, 1 } } };
        struct secret_key keys[] = { test_key(signers.by), test_key(signers.also) };
        OWN(buf) struct buf to_sign;
        buf_init(&to_sign, LIMIT_METADATA_BYTES);
        CHECK(tuf_root_write(&to_write, &to_sign, NULL) == OK);
        buf_clear(into);
        CHECK(tuf_file_sign(&to_sign, keys, signers.also ? 2 : 1, into, NULL) == OK);
}

/* The next version of targets, snapshot and timestamp, with one more target (NULL: none). */
static inline void publish(struct repository *repository, const struct tuf_target *add)
{
        OWN(buf) struct buf to_sign;
        struct tuf_stamp stamp = { ++repository->version, EXPIRES + repository->lives_s };
        struct tuf_change change = { &repository->targets, add };
        buf_init(&to_sign, LIMIT_METADATA_BYTES);
        CHECK(tuf_targets_write(&stamp, &change, &to_sign, NULL) == OK);
        sign_file(&to_sign, repository->targets_key, &repository->targets);
        buf_clear(&to_sign);
        CHECK(tuf_snapshot_write(&stamp, &(struct tuf_of){ stamp.version, &repository->targets }, &to_sign, NULL) == OK);
        sign_file(&to_sign, repository->targets_key, &repository->snapshot);
        buf_clear(&to_sign);
        CHECK(tuf_timestamp_write(&stamp, &(struct tuf_of){ stamp.version, &repository->snapshot }, &to_sign, NULL) == OK);
        sign_file(&to_sign, repository->timestamp_key, &repository->timestamp);
}

static inline void repository_init(struct repository *repository, uint8_t root_key, uint8_t targets_key, uint8_t timestamp_key)
{
        *repository = (struct repository){ .root_key = root_key, .targets_key = targets_key, .timestamp_key = timestamp_key };
        buf_init(&repository->root, LIMIT_METADATA_BYTES);
        buf_init(&repository->targets, LIMIT_METADATA_BYTES);
        buf_init(&repository->snapshot, LIMIT_METADATA_BYTES);
        buf_init(&repository->timestamp, LIMIT_METADATA_BYTES);
        make_root(repository, 1, (struct root_signers){ root_key, 0 }, &repository->root);
}

static inline struct tuf_target target_of(const char *path, const char *text)
{
        struct tuf_target target = { .path = path, .length = strlen(text) };
        sha256(text, strlen(text), target.sha256);
        return target;
}

static inline const struct buf *repository_file(const struct repository *repository, enum tuf_role role)
{
        const struct buf *files[TUF_ROLES] = { &repository->root, &repository->targets, &repository->snapshot, &repository->timestamp };
        return files[role];
}
