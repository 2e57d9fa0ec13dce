/* log_reader.h - a log as its server hands it out: the newest checkpoint, and the files behind it (C2SP tlog-tiles).
 *
 * Nothing of it is believed here: see log/checkpoint.h, log/prover.h, log_entries.h. The tiles read last are kept, since proofs ask for
 * the same few again and again; the entries are not. */
#pragma once

#include "base/own.h"
#include "cli/api.h"
#include "log/checkpoint.h"
#include "log/tile.h"

struct log_reader;

/* Borrows the API, which needs no key for this. */
MUST_CHECK enum err log_reader_open(struct api *api, struct log_reader **ret_reader, struct why *why);
void log_reader_close(struct log_reader *reader);
OWN_DEFINE(log_reader, struct log_reader *, log_reader_close)

/* The newest one, signed by this log; ret_checkpoint borrows from `into`, which was empty and had a ceiling of LIMIT_CHECKPOINT_BYTES.
 * ERR_NOT_FOUND: the server has no log; ERR_UNTRUSTED. */
MUST_CHECK enum err log_reader_checkpoint(struct log_reader *reader, const struct verifier *log, struct buf *into, struct checkpoint *ret_checkpoint, struct why *why);
/* Borrows the reader. A partial tile that is no longer there is read from the full one. */
struct tile_store log_reader_store(struct log_reader *reader);
