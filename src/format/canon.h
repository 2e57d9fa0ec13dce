/* canon.h - OLPC canonical JSON, as TUF signs it: keys sorted by code point, no white space, only \" and \\ escaped
 * (a newline stays a raw byte, unlike RFC 8785), integers only. Parse once, canonicalise that tree, use that tree. */
#pragma once

#include "format/json.h"

MUST_CHECK enum err canon_write(const struct json *json, struct buf *into, struct why *why);
