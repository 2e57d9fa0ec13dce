/* tuf_role.h - the top-level roles of a TUF repository, and what readers and writers of its files say to each other. */
#pragma once

#include "base/buf.h"
#include "base/limits.h"
#include "trust/tuf_digest.h"

struct json;

enum tuf_role { TUF_ROOT, TUF_TARGETS, TUF_SNAPSHOT, TUF_TIMESTAMP, TUF_ROLES };

const char *tuf_role_name(enum tuf_role role);                       /* "root" */

enum { TUF_TOP_NAME_BYTES = 40, TUF_FILE_NAME_BYTES = 20 + 1 + 3 * LIMIT_ROLE_NAME_BYTES + 6 };     /* "VERSION.ROLE.json", each byte of the role escaped */
/* "4.targets.json"; the timestamp has no version in its name. */
void tuf_file_name(enum tuf_role role, uint64_t version, char name[TUF_TOP_NAME_BYTES]);
/* Of any role, "1...%2Fevil.json": all but letters, digits, `_`, `-`, `.` and `~` escaped. version 0: without one. */
void tuf_file_name_of(const char *role, uint64_t version, char name[TUF_FILE_NAME_BYTES]);

struct tuf_stamp { uint64_t version; int64_t expires; };

struct tuf_target {
        const char *path;                    /* STREAM/COUNTER or STREAM */
        uint64_t length;
        uint8_t sha256[32];
        const struct json *custom;           /* borrowed; NULL: none */
};
/* What is said of one that was found: length in bytes, and its digest, one kind at least. */
struct tuf_found { uint64_t length; struct tuf_digest digest; const struct json *custom; };
