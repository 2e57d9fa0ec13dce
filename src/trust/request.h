/* request.h - how a device shows that a request is its own: a signature, or a MAC where signing would cost too much.
 *
 * Both cover METHOD, PATH, DATE and the body's digest; docs/guide/formats.md, 4. */
#pragma once

#include "trust/key.h"

struct request_facts {
        const char *method, *path, *date;    /* date: the text of Firebreak-Date */
        const void *body;                    /* NULL: none */
        size_t body_length;
};

enum { REQUEST_SIGNATURE_BYTES = 89, REQUEST_MAC_BYTES = 65 };       /* base64 and hex, with their NUL */
enum { REQUEST_HEAD_MAX = 1024 };                                    /* of method, path and date together: ours are under 200 */

/* ERR_LIMIT: method, path and date are longer than any of ours. */
MUST_CHECK enum err request_sign(const struct request_facts *facts, const struct secret_key *key, char text[REQUEST_SIGNATURE_BYTES], struct why *why);
/* ERR_UNAUTHORIZED: does not fit; ERR_LIMIT as above. */
MUST_CHECK enum err request_check_signature(const struct request_facts *facts, const uint8_t key[32], const char *text, struct why *why);

MUST_CHECK enum err request_mac(const struct request_facts *facts, const uint8_t mac_key[32], char text[REQUEST_MAC_BYTES], struct why *why);
MUST_CHECK enum err request_check_mac(const struct request_facts *facts, const uint8_t mac_key[32], const char *text, struct why *why);

/* Each device's own, from the server's secret: known to both without being stored. `device` as hex. */
void request_mac_key(const uint8_t secret[32], const char *device, uint8_t mac_key[32]);
