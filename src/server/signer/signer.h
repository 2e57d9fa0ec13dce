/* signer.h - the one place that holds the online keys, as the rest of the server sees it.
 *
 * It signs five kinds of things and checks that what it is given has that form: whoever owns the store cannot have it sign
 * anything else. The process behind it has no network. */
#pragma once

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

/* Leases and checkpoints: the text of the note. The others: the canonical bytes of `signed`. All by Ed25519, 64 bytes. */
enum signer_form {
        SIGNER_LEASE,                   /* director key */
        SIGNER_DIRECTOR_TARGETS,        /* director key */
        SIGNER_DIRECTOR_SNAPSHOT,       /* director key */
        SIGNER_DIRECTOR_TIMESTAMP,      /* director key */
        SIGNER_RELEASE_TIMESTAMP,       /* timestamp key */
        SIGNER_CHECKPOINT,              /* the log's key; ERR_NOT_FOUND: there is none */
        SIGNER_FORMS,
};

struct signer {
        const struct signer_ops *ops;
};

struct signer_ops {
        /* ERR_REFUSED: not of that form; ERR_UNAVAILABLE: the signer is gone. */
        enum err (*sign)(struct signer *signer, enum signer_form form, const void *bytes, size_t length, uint8_t ret_signature[64],
                         struct why *why);
};
