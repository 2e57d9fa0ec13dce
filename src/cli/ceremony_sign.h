/* ceremony_sign.h - a key that is here signs what it has a say in. */
#pragma once

#include "cli/ceremony_file.h"
#include "cli/signing_key.h"

/* All of it. ERR_UNTRUSTED: it has no say in this; `reference` is what the person called it. */
MUST_CHECK enum err ceremony_sign(struct ceremony_file *file, const char *reference, struct signing_key *key, struct why *why);
