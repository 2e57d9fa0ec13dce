/* tuf_form.h - has a parsed file the form that TUF 1.0 gives to its role? Once it has, tuf_doc.c may take what it finds for granted.
 *
 * Fields that we do not know are left alone, as the standard asks. */
#pragma once

#include "trust/tuf_role.h"

/* ERR_SYNTAX, ERR_LIMIT (keys, signatures, delegations, a role's name). */
MUST_CHECK enum err tuf_form_check(enum tuf_role role, const struct json *json, uint64_t *ret_version, int64_t *ret_expires, struct why *why);
