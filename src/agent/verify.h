/* verify.h - the verifier as a child of its own: a bundle on standard input, a struct verdict on standard output. */
#pragma once

#include "base/buf.h"
#include "trust/verdict.h"

/* In the supervisor: start it, give it the bundle, take its verdict. Waits; ERR_TIMEOUT after some seconds.
 * `records`: in the bundle, to check what the verdict names. */
MUST_CHECK enum err verify_run(const struct buf *bundle, size_t records, struct verdict *ret_verdict, struct why *why);
/* In the child. */
MUST_CHECK enum err verify_main(struct why *why);
