/* remote.h - the signer in a process of its own: how the store asks it, and how it answers. */
#pragma once

#include "base/own.h"
#include "server/signer/signer.h"

#include <stdbool.h>

/* The store's side. `end` of a link, borrowed. Each signature waits for its answer, up to LIMIT_SIGNER_MS; one that came later would be
 * taken for the next one's, so from then on it refuses everything: end, and begin again. */
MUST_CHECK enum err signer_remote_open(int end, struct signer **ret_signer, struct why *why);
void signer_remote_close(struct signer *signer);
bool signer_remote_is_deaf(const struct signer *signer);
OWN_DEFINE(signer_remote, struct signer *, signer_remote_close)

/* The signer's side: answers until the other side is gone, which is OK. Anything else it says is a reason to end. */
MUST_CHECK enum err signer_serve(int end, struct signer *signer, struct why *why);
