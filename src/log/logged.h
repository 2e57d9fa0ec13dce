/* logged.h - what a Firebreak server writes into its log: an entry is a text that names a thing and its digest. Format: docs/guide/formats.md, 7.1.
 *
 * Of releases and evidence, the name is the stream and the number the release's counter; of a root or an anchor, its file and version. */
#pragma once

#include "base/buf.h"
#include "base/limits.h"

enum logged_kind {
        LOGGED_RELEASE,                          /* digest of the signed release note: its target */
        LOGGED_EVIDENCE,                         /* of a DSSE envelope about a release: what a lab or a partner says */
        LOGGED_APPROVAL,                         /* of an approval (trust/approval.h) as it was given, with its signatures */
        LOGGED_OVERRIDE,                         /* of the reason for which somebody started or went on with what the rules would have held */
        LOGGED_ROOT,                             /* of a root or an anchor: "release.root.json" */
        LOGGED_KINDS,
};
const char *logged_kind_name(enum logged_kind kind);

struct logged {
        enum logged_kind kind;
        char name[LIMIT_NAME_BYTES + 1];
        uint64_t number;
        uint8_t digest[32];
};

enum { LOGGED_BYTES_MAX = 256 };
/* buf_check() tells of a full buffer. */
void logged_write(const struct logged *logged, struct buf *into);
/* Exactly what logged_write() writes. ERR_SYNTAX names the line; ERR_LIMIT. */
MUST_CHECK enum err logged_parse(const void *bytes, size_t length, struct logged *ret_logged, struct why *why);
