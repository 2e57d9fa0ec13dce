/* ceremony_file.h - what the commands of a ceremony have in common: the proposal's file, and what it says in words. */
#pragma once

#include "ceremony/rotation.h"

struct json;

/* A proposal with what it says: read once, and all of it checked but for signatures that are still missing. */
struct ceremony_file {
        struct proposal proposal;
        struct holders before, after;
};
/* NULL when out of memory. */
struct ceremony_file *ceremony_file_new(void);
void ceremony_file_close(struct ceremony_file *file);
OWN_DEFINE(ceremony_file, struct ceremony_file *, ceremony_file_close)

MUST_CHECK enum err ceremony_file_read(const char *path, struct ceremony_file *file, struct why *why);
/* Replaces it, whole and durable. */
MUST_CHECK enum err ceremony_file_write(const char *path, const struct ceremony_file *file, struct why *why);

/* {"changes":[…],"papers":[{"name","version","needs":[{"whose","threshold","signed":["root.a"],"missing":["root.b"]}]}],
 *  "shall_be":{…},"lists":{…},"follows":"<digest>","is_complete":false}: all that is signed, whatever is in force. */
struct json *ceremony_json(const struct ceremony_file *file);
void ceremony_lines(const struct json *json, int64_t now, struct buf *into);

/* {"roles":{"root":{"threshold":2,"keys":["vkey"]}},"versions":{"release.root.json":{"version":1,"expires":…}}} */
struct json *holders_json(const struct holders *holders);
struct json *in_force_json(const struct ceremony_file *file);          /* the same of what is in force, with its digest */
void holders_lines(const struct json *json, int64_t now, struct buf *into);
