/* keys.h - who holds which key. What an attacker signs, he signs with keys that he holds: red_secret() sees to it. */
#pragma once

#include "trust/key.h"

enum key {
        KEY_RELEASE_ROOT, KEY_CONTENT_A, KEY_CONTENT_B, KEY_CONTENT_C, KEY_SNAPSHOT, KEY_DIRECTOR_ROOT,      /* offline */
        KEY_TIMESTAMP, KEY_DIRECTOR,                                                                         /* online; the latter signs leases, too */
        KEY_OWN,                                                                                             /* the attacker's: nobody trusts it */
        KEY_LOG,                                                                                             /* online */
        KEY_WITNESS_A, KEY_WITNESS_B, KEY_WITNESS_C,                                                         /* each of another party */
        KEY_EMERGENCY_A, KEY_EMERGENCY_B, KEY_CUSTOMER,                                                      /* offline, of others than the content keys */
        KEYS
};
enum { CONTENT_THRESHOLD = 2, WITNESSES = 3, WITNESS_THRESHOLD = 2, EMERGENCY_THRESHOLD = 2 };

#define HOLDS(key) (1u << (key))
enum {
        HOLDS_CONTENT = HOLDS(KEY_CONTENT_A) | HOLDS(KEY_CONTENT_B) | HOLDS(KEY_SNAPSHOT),
        HOLDS_OFFLINE = HOLDS_CONTENT | HOLDS(KEY_CONTENT_C) | HOLDS(KEY_RELEASE_ROOT) | HOLDS(KEY_DIRECTOR_ROOT),
        HOLDS_ONLINE = HOLDS(KEY_TIMESTAMP) | HOLDS(KEY_DIRECTOR) | HOLDS(KEY_LOG) | HOLDS(KEY_OWN),
        HOLDS_EMERGENCY = HOLDS(KEY_EMERGENCY_A) | HOLDS(KEY_EMERGENCY_B),
        HOLDS_NETWORK = HOLDS(KEY_OWN),
};

struct secret_key key_of(enum key key);
const char *key_name(enum key key);
