/* remote.h - the signer in a process of its own: how the store asks it, and how it answers. */
#pragma once

#include "base/own.h"
#include "server/signer/signer.h"

/* The store's side. `end` of a link, borrowed. Each signature waits for its answer. */
MUST_CHECK enum err signer_remote_open(int end, struct signer **ret_signer, struct why *why);
void signer_remote_close(struct signer *signer);
OWN_DEFINE(signer_remote, struct signer *, signer_remote_close)

/* The signer's side: answers until the other side is gone, which is OK. Anything else it says is a reason to end. */
MUST_CHECK enum err signer_serve(int end, struct signer *signer, struct why *why);
