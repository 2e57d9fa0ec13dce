/* forms.h - does a thing have the form of what the online keys may sign? Pure.
 *
 * Whoever owns the store owns the words that it sends here. This keeps the keys from being turned on anything else: a release
 * note, an anchor, a root, a message of another program. What a lease or a document says is the store's to answer for. */
#pragma once

#include "server/signer/signer.h"

/* ERR_REFUSED, or ERR_NOMEM. */
MUST_CHECK enum err signer_check_form(enum signer_form form, const void *bytes, size_t length, struct why *why);
const char *signer_form_name(enum signer_form form);
