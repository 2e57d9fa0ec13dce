/* candidate.h - the content that the lab is asked about, as it lies on disk: nothing of it is believed yet.
 *
 * Either a content folder (its files, dossier.yaml, release.yaml) or a release that was packed (`note`, `dossier.json`, `files/`).
 * Reading it refuses nothing but what cannot be read; what is wrong with it is for the checks to say. */
#pragma once

#include "base/arena.h"
#include "base/own.h"
#include "lab/digest.h"
#include "platform/disk.h"
#include "trust/release_note.h"

#include <stdbool.h>

struct candidate_file {
        const char *path;                /* below the content folder */
        enum disk_kind kind;
        uint64_t length;
        bool is_rules;                   /* ends in .yar */
        bool is_text;                    /* of rules: UTF-8 without NUL */
        unsigned rules;                  /* that it declares */
};

struct candidate_name { const char *rule, *path; unsigned line; };

/* What the rule scanner objects to, with its file and line. */
struct candidate_finding { const char *text; };

struct candidate {
        struct arena *arena;             /* all below lives in it */
        struct disk *disk;               /* of the content folder */
        const char *folder;              /* its absolute path */
        size_t file_count, name_count, finding_count;
        struct candidate_file *files;
        struct candidate_name *names;    /* of rules, in the order of their names */
        struct candidate_finding *findings;
        size_t file_room, name_room, finding_room;
        const char *canary;              /* of the dossier; NULL: none */
        const char *dossier_fault;       /* NULL: there is a dossier and it reads well */
        char dossier_sha256[DIGEST_TEXT_MAX];     /* of dossier.json; "" in a content folder */
        struct release_note *note;       /* NULL in a content folder */
        char target[DIGEST_TEXT_MAX];    /* of the note; "" without one */
};

/* ERR_NOT_FOUND: no such folder; ERR_LIMIT; ERR_SYNTAX: the note; ERR_IO, ERR_NOMEM. */
MUST_CHECK enum err candidate_open(const char *folder, struct candidate **ret_candidate, struct why *why);
void candidate_close(struct candidate *candidate);        /* NULL is fine */
OWN_DEFINE(candidate, struct candidate *, candidate_close)
