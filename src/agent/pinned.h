/* pinned.h - the publisher's public/ folder, as it came with this device: release.anchor, director.anchor, release.root.json,
 * director.root.json. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* Appended. ERR_LIMIT: the path is too long. */
MUST_CHECK enum err pinned_read(const char *trust, const char *name, struct buf *into, struct why *why);
