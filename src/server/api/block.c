#include "server/api/block.h"

#include "base/mem.h"

#include <string.h>

struct block *block_new(const void *bytes, size_t length)
{
        struct block *block = mem_new(1, sizeof(*block) + length);
        if (!block)
                return NULL;
        block->users = 1;
        block->length = length;
        if (length)
                memcpy(block->bytes, bytes, length);
        return block;
}

struct block *block_share(struct block *block)
{
        block->users++;
        return block;
}

void block_free(struct block *block)
{
        if (block && --block->users == 0)
                mem_free(block);
}
