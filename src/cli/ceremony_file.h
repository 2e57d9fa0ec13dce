/* ceremony_file.h - what the commands that deal with proposals have in common: the file, and what it says in words. */
#pragma once

#include "ceremony/rotation.h"

struct cli;
struct json;

/* A proposal with what it says: read once, and all of it checked but for signatures that are still missing. */
struct ceremony_file {
        struct proposal proposal;
        struct holders before, after;
};
MUST_CHECK enum err ceremony_file_make(struct ceremony_file **ret_file, struct why *why);      /* says nothing yet */
void ceremony_file_close(struct ceremony_file *file);
OWN_DEFINE(ceremony_file, struct ceremony_file *, ceremony_file_close)

MUST_CHECK enum err ceremony_file_open(const char *path, struct ceremony_file **ret_file, struct why *why);
/* The file is new: ERR_REFUSED if something has its name. */
MUST_CHECK enum err ceremony_file_check_absent(const char *path, struct why *why);
/* Replaces it, whole and durable. */
MUST_CHECK enum err ceremony_file_write(const char *path, const struct ceremony_file *file, struct why *why);

/* {"changes":[…],"papers":[{"name","version","needs":[{"whose","threshold","signed":["root.a"],"missing":["root.b"]}]}],
 *  "shall_be":{…},"release":{…},"lists":{…},"follows":"<digest>","is_complete":false}: all that is signed, whatever is in force. */
struct json *ceremony_json(const struct ceremony_file *file);
/* Prints it, for people after `first` and before `next: NEXT` (NULL: none). */
MUST_CHECK enum err ceremony_tell(struct cli *cli, const struct ceremony_file *file, const char *first, const char *next, struct why *why);

/* {"roles":{"root":{"threshold":2,"keys":["vkey"]}},"versions":{"release.root.json":{"version":1,"expires":…}}} */
struct json *holders_json(const struct holders *holders);
struct json *in_force_json(const struct ceremony_file *file);          /* the same of what is in force, with its digest */
void holders_lines(const struct json *json, int64_t now, struct buf *into);
