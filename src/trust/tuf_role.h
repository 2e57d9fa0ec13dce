/* tuf_role.h - the top-level roles of a TUF repository, and what readers and writers of its files say to each other. */
#pragma once

#include "base/buf.h"
#include "base/limits.h"
#include "trust/tuf_digest.h"

struct json;

enum tuf_role { TUF_ROOT, TUF_TARGETS, TUF_SNAPSHOT, TUF_TIMESTAMP, TUF_ROLES };

const char *tuf_role_name(enum tuf_role role);                       /* "root" */

struct tuf_stamp { uint64_t version; int64_t expires; };

struct tuf_target {
        const char *path;                    /* STREAM/COUNTER or STREAM */
        uint64_t length;
        uint8_t sha256[32];
        const struct json *custom;           /* borrowed; NULL: none */
};
/* What is said of one that was found: length in bytes, and its digest, one kind at least. */
struct tuf_found { uint64_t length; struct tuf_digest digest; const struct json *custom; };
