/* keys.h - keys and signed notes for tests: key N is always the same. */
#pragma once

#include "support/test.h"
#include "trust/note.h"

#include <string.h>

static inline struct secret_key test_key(uint8_t n)
{
        uint8_t random[32];
        struct secret_key key;
        memset(random, n, sizeof(random));
        secret_key_make(random, &key);
        return key;
}

static inline struct vkey test_vkey(const char *name, uint8_t n)
{
        struct vkey vkey;
        struct secret_key key = test_key(n);
        CHECK(vkey_make(name, &key.public, &vkey, NULL) == OK);
        return vkey;
}

static inline void test_sign(struct buf *note, const char *name, uint8_t n)
{
        struct secret_key key = test_key(n);
        CHECK(note_sign(note, name, &key, NULL) == OK);
}
