/* tuf_set.h - what struct tuf is made of: shared by tuf.c and tuf_search.c, nobody else. */
#pragma once

#include "trust/tuf.h"
#include "trust/tuf_doc.h"

enum { TUF_META_BYTES = LIMIT_ROLE_NAME_BYTES + 6 };                 /* "NAME.json" */

struct tuf {
        int64_t now;
        struct tuf_doc *docs[TUF_ROLES];
};

/* What the trusted snapshot says of a targets file, top-level or delegated, and whether a file is that one. */
MUST_CHECK enum err tuf_meta_of(const struct tuf *tuf, const char *role, struct tuf_meta *ret_meta, struct why *why);
uint64_t tuf_meta_bytes(const struct tuf_meta *meta);             /* at most */
bool tuf_meta_fits(const struct tuf_meta *meta, const struct tuf_doc *doc);
/* A file that another one names: length and digest, before anything is parsed; then form, signatures, version and expiry. */
struct tuf_named { struct tuf_meta meta; struct tuf_keyring keyring; enum tuf_role form; };
MUST_CHECK enum err tuf_open_named(const struct tuf *tuf, const struct tuf_named *named, const struct buf *file, struct tuf_doc **ret_doc, struct why *why);
