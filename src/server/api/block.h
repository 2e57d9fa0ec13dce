/* block.h - bytes that several answers send at once: counted, never changed after they were made. One thread only. */
#pragma once

#include "base/own.h"

#include <stddef.h>

struct block {
        size_t users;
        size_t length;
        char bytes[];
};

struct block *block_new(const void *bytes, size_t length);      /* one user; NULL: out of memory */
struct block *block_share(struct block *block);                  /* one user more */
void block_free(struct block *block);                            /* one user less; NULL is fine */
OWN_DEFINE(block, struct block *, block_free)
