/* publisher.h - the offline ceremonies, held before the attack: roots, anchor, signed releases, each edition of the metadata as it was
 * published, and what the log, the emergency keys and a customer said of the releases. All of it is public, so the attacker has it. */
#pragma once

#include "redteam/answers.h"
#include "redteam/keys.h"
#include "redteam/truth.h"
#include "redteam/watched.h"
#include "trust/approval.h"
#include "trust/cohort.h"
#include "trust/release_note.h"
#include "trust/tuf_build.h"

struct json;

struct publisher {
        struct buf root, director_root, anchor, director_anchor;
        struct buf notes[TRUTH_RELEASES];
        uint8_t note_sha256[TRUTH_RELEASES][32];
        struct { struct buf targets, snapshot; } editions[TRUTH_EDITIONS];
        struct watched watched;          /* the log before the attack */
        struct answers answers;          /* who vouched for what */
};
enum { ROOT_EXPIRES = START + 300 * DAY };

/* Signs without asking who holds what: for the publisher's own files and red.c. */
void sign_file(const struct buf *to_sign, const enum key *keys, size_t count, struct buf *into);
void sure(enum err e, const struct why *why);            /* ends the program: the harness is wrong */

void publisher_init(struct publisher *publisher);
void publisher_done(struct publisher *publisher);
struct vkey publisher_vkey(enum key key);
/* The last part of an approval's path. */
struct approver { char text[65]; };
struct approver publisher_approver(enum approval_kind kind);
/* Of the signed note with this SHA-256. */
struct logged publisher_entry(const struct truth_release *of, const uint8_t target[32]);
/* The note as it is to be signed; `text` is its one file. The file is the caller's. */
struct release_note publisher_note(const struct truth_release *of, struct release_file *file);
void publisher_root(uint64_t version, const enum key roles[TUF_ROLES], const enum key *signers, size_t signer_count, struct buf *into);
/* Which edition is this file? 0: none. */
unsigned publisher_edition(const struct publisher *publisher, const struct buf *targets);
