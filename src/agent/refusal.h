/* refusal.h - what a server says when it does not do what it was asked for, as an error of ours. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* The code is the problem document's (RFC 9457) when we know it, else what the status says; the text is the document's
 * detail or the first line of a plain-text body, printable. Never OK. */
enum err refusal_read(int status, const struct buf *body, struct why *why);
