/* tuf_doc.h - one TUF file: read, and its signatures counted. Shared by tuf.c and nobody else. */
#pragma once

#include "format/json.h"
#include "trust/tuf_build.h"

struct tuf_doc {
        struct json *json;
        const struct json *body;         /* "signed"; borrowed from json */
        uint8_t sha256[32];              /* of the file */
        size_t length;
        uint64_t version;
        int64_t expires;
};

void tuf_doc_free(struct tuf_doc *doc);
OWN_DEFINE(tuf_doc, struct tuf_doc *, tuf_doc_free)

/* ERR_SYNTAX: not a TUF 1.x file of this role. Signatures are not looked at. */
MUST_CHECK enum err tuf_doc_open(enum tuf_role role, const struct buf *bytes, struct tuf_doc **ret_doc, struct why *why);
/* ERR_UNTRUSTED unless the threshold of different keys that `root` names for the role signed it. */
MUST_CHECK enum err tuf_doc_verify(const struct tuf_doc *doc, const struct tuf_doc *root, enum tuf_role role, struct why *why);

/* What a snapshot or timestamp says of another file. ERR_SYNTAX: nothing, or not in the right form. */
struct tuf_meta {
        uint64_t version, length;        /* length: at most; 0: not said */
        bool has_sha256;
        uint8_t sha256[32];
};
MUST_CHECK enum err tuf_doc_meta(const struct tuf_doc *doc, const char *name, struct tuf_meta *ret_meta, struct why *why);
/* A target's or file's {"hashes":{"sha256":...},"length":...}. */
MUST_CHECK enum err tuf_doc_hash(const struct json *of, uint8_t sha256[32], struct why *why);
