/* keys.h - who holds which key. What an attacker signs, he signs with keys that he holds: red_secret() sees to it. */
#pragma once

#include "trust/key.h"

enum key {
        KEY_RELEASE_ROOT, KEY_CONTENT_A, KEY_CONTENT_B, KEY_CONTENT_C, KEY_SNAPSHOT, KEY_DIRECTOR_ROOT,      /* offline */
        KEY_TIMESTAMP, KEY_DIRECTOR,                                                                         /* online; the latter signs leases, too */
        KEY_OWN,                                                                                             /* the attacker's: nobody trusts it */
        KEYS
};
enum { CONTENT_THRESHOLD = 2 };

#define HOLDS(key) (1u << (key))
enum {
        HOLDS_CONTENT = HOLDS(KEY_CONTENT_A) | HOLDS(KEY_CONTENT_B) | HOLDS(KEY_SNAPSHOT),
        HOLDS_OFFLINE = HOLDS_CONTENT | HOLDS(KEY_CONTENT_C) | HOLDS(KEY_RELEASE_ROOT) | HOLDS(KEY_DIRECTOR_ROOT),
        HOLDS_ONLINE = HOLDS(KEY_TIMESTAMP) | HOLDS(KEY_DIRECTOR) | HOLDS(KEY_OWN),
        HOLDS_NETWORK = HOLDS(KEY_OWN),
};

struct secret_key key_of(enum key key);
const char *key_name(enum key key);
