/* ceremony.h - the versions of both anchors, as a publisher who changes every key each time would make them. */
#pragma once

#include "support/test.h"
#include "trust/anchor.h"
#include "trust/bundle.h"
#include "trust/keys.h"

/* Of trust/keys.h, by version from 1 on. */
struct ceremony_keys { uint8_t root, content, director; };
static const struct ceremony_keys ceremony_keys[] = { { 0 }, { 1, 2, 5 }, { 11, 12, 15 }, { 21, 22, 25 }, { 31, 32, 35 } };

/* The text, yet to be signed, in place of what was there. */
static inline void ceremony_write(enum bundle_repository repository, uint64_t version, const struct ceremony_keys *keys, struct buf *into)
{
        const struct anchor anchor = { .version = version, .root = { 1, 1, { test_vkey("root", keys->root) } },
                                       .content = { 1, 1, { test_vkey("content", keys->content) } }, .lab = { 1, 1, { test_vkey("lab", 6) } } };
        const struct director_anchor own = { .version = version, .root = { 1, 1, { test_vkey("root", keys->root) } }, .key = test_vkey("director", keys->director) };
        buf_clear(into);
        CHECK((repository == BUNDLE_RELEASE ? anchor_write(&anchor, into, NULL) : director_anchor_write(&own, into, NULL)) == OK);
}

/* Signed by the roots of the version before, and its own. */
static inline void ceremony_sign_version(enum bundle_repository repository, uint64_t version, struct buf *into)
{
        ceremony_write(repository, version, &ceremony_keys[version], into);
        test_sign(into, "root", ceremony_keys[version].root);
        if (version > 1)
                test_sign(into, "root", ceremony_keys[version - 1].root);
}
