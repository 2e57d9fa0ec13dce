/* approval.h - somebody's word on a release beside its note: that it may go faster than the pace, or that it may come to his own devices.
 * Format: docs/guide/formats.md, 1.5.
 *
 * Apart from the note, so that it can be given later and by others: a release is named by its note with all signatures on that. */
#pragma once

#include "trust/note.h"

enum approval_kind {
        APPROVAL_EMERGENCY,          /* the anchor's emergency keys: faster than the pace */
        APPROVAL_CUSTOMER,           /* whoever a device's own administrator named: at all */
        APPROVAL_KINDS,
};
const char *approval_kind_name(enum approval_kind kind);             /* "emergency" */
bool approval_kind_find(const char *name, enum approval_kind *ret_kind);

struct approval {
        enum approval_kind kind;
        uint8_t release[32];         /* the target: SHA-256 of the signed release note */
        struct vkey by;              /* CUSTOMER: the one who approves, so that anybody can see whether it is his signature */
};

enum { APPROVAL_TEXT_MAX = 320 };
/* The text to be signed. buf_check() tells of a full buffer. */
void approval_write(const struct approval *approval, struct buf *into);
MUST_CHECK enum err approval_parse(const char *text, size_t length, struct approval *ret_approval, struct why *why);
/* The signed note says exactly this, by `keys`; of a customer, by `by` itself. ERR_UNTRUSTED; ERR_SYNTAX, ERR_LIMIT: it is none. */
MUST_CHECK enum err approval_verify(const struct buf *bytes, const struct approval *approval, const struct note_keys *keys, struct why *why);
