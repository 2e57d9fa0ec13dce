/* log_trust.h - which log, and whose cosignatures count: from the publisher's folder, or the log's key alone. */
#pragma once

#include "cli/cli.h"
#include "log/checkpoint.h"
#include "trust/anchor.h"

struct log_trust {
        struct verifier log;
        struct anchor_witnesses witnesses;       /* count 0: none that we know of */
};

/* --publisher: the log and the witnesses of public/release.anchor; where it names no log, online/log.vkey without witnesses. --log: that key.
 * ERR_USAGE: neither or both; ERR_NOT_FOUND: the folder has no log. */
MUST_CHECK enum err log_trust_read(struct cli *cli, struct log_trust *ret_trust, struct why *why);
