/* publisher.h - the publisher's folder (docs/guide/formats.md 6): opened, and the small things that commands ask of it.
 *
 * The folder's newest metadata changes in one step although it is two files: sign writes `metadata/next` first, whole,
 * and opening the folder carries out what such a file still says (journal.h). Whoever changes the folder holds its lock: two
 * signatures at once would each list a release that the other does not. */
#pragma once

#include "base/err.h"
#include "base/own.h"
#include "cli/cli.h"
#include "cli/release_id.h"
#include "trust/verifier.h"

struct disk;
struct publisher;

/* At --publisher. ERR_NOT_FOUND says how one is made. */
MUST_CHECK enum err publisher_open(struct cli *cli, struct publisher **ret_publisher, struct why *why);
void publisher_close(struct publisher *publisher);
OWN_DEFINE(publisher, struct publisher *, publisher_close)

/* For commands that change the folder: nobody else changes it until it is closed. ERR_BUSY names who does. */
MUST_CHECK enum err publisher_hold(struct publisher *publisher, struct why *why);

struct disk *publisher_disk(const struct publisher *publisher);
const char *publisher_path(const struct publisher *publisher);
const char *publisher_name(const struct publisher *publisher);
/* A log's name, "log.acme.1f3a9c02": nobody else's log has it, as nobody else has its key. */
MUST_CHECK enum err publisher_log(const char *publisher, const struct public_key *key, struct verifier *ret_log, struct why *why);

/* How long metadata signed by the offline keys is good for; design of trust. */
enum { PUBLISHER_METADATA_S = 90 * 86400 };

enum { PUBLISHER_PATH_MAX = 512 };
/* "releases/edr-rules/4" plus `below`, as "/note". */
void publisher_release_path(const struct release_id *id, const char *below, char path[static PUBLISHER_PATH_MAX]);
