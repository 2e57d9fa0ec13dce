/* certificate.h - the server's own certificate, for those who have none: self-signed, ECDSA P-256.
 *
 * Devices and operators pin it as their --ca; whoever has a real one puts it in its place (tls/cert.pem, tls/key.pem). */
#pragma once

#include "base/buf.h"

#include <stdint.h>

/* For 127.0.0.1, ::1, localhost, this machine's name, and `host` (a name or an address; NULL: no more). PEM. */
MUST_CHECK enum err certificate_make(const char *host, int64_t now_s, struct buf *certificate, struct buf *key, struct why *why);
