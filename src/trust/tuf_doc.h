/* tuf_doc.h - one TUF file: read, its form checked, and its signatures counted. Shared by tuf*.c and nobody else. */
#pragma once

#include "format/json.h"
#include "trust/tuf_role.h"

struct tuf_doc {
        struct json *json;
        const struct json *body;         /* "signed"; borrowed from json */
        struct tuf_digest digest;        /* of the file */
        size_t length;
        uint64_t version;
        int64_t expires;
};

void tuf_doc_free(struct tuf_doc *doc);
OWN_DEFINE(tuf_doc, struct tuf_doc *, tuf_doc_free)

/* ERR_SYNTAX: not a TUF 1.x file of this role's form; delegated roles have that of targets. Signatures are not looked at. */
MUST_CHECK enum err tuf_doc_open(enum tuf_role role, const struct buf *bytes, struct tuf_doc **ret_doc, struct why *why);

/* Whose signatures a role takes, and how many; borrowed from the file that says so. */
struct tuf_keyring { const char *name; const struct json *keys, *of_role; };
struct tuf_keyring tuf_doc_keyring(const struct tuf_doc *root, enum tuf_role role);
/* ERR_UNTRUSTED unless the threshold of different keys signed it. */
MUST_CHECK enum err tuf_doc_verify(const struct tuf_doc *doc, const struct tuf_keyring *keyring, struct why *why);

/* What a snapshot or timestamp says of another file. ERR_SYNTAX: nothing, or not in the right form; ERR_LIMIT: of one that is too large. */
struct tuf_meta {
        uint64_t version, length;        /* length: at most; 0: not said */
        struct tuf_digest digest;
};
MUST_CHECK enum err tuf_doc_meta(const struct tuf_doc *doc, const char *name, struct tuf_meta *ret_meta, struct why *why);
/* Its version alone; 0: nothing is said of it. */
uint64_t tuf_doc_meta_version(const struct tuf_doc *doc, const char *name);

/* What a targets file says of one target. ERR_SYNTAX. */
MUST_CHECK enum err tuf_doc_target(const struct json *json, struct tuf_found *ret_found, struct why *why);

/* The delegations of a targets file, in order. */
struct tuf_delegation {
        struct tuf_keyring keyring;
        bool is_terminating;
        const struct json *paths, *prefixes;     /* one of them */
};
size_t tuf_doc_delegations(const struct tuf_doc *doc);
struct tuf_delegation tuf_doc_delegation(const struct tuf_doc *doc, size_t index);
bool tuf_delegation_covers(const struct tuf_delegation *delegation, const char *path);
