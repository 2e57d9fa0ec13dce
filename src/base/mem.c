#include "base/mem.h"

#include <stdlib.h>

void *(*mem_hook)(size_t count, size_t size) = calloc;

void *mem_new(size_t count, size_t size)
{
        return mem_hook(count, size);
}

void *mem_resize(void *memory, size_t size)
{
        /* The hook is asked first, so that a sweep sees this allocation too. */
        void *leave = mem_hook(1, 1);
        if (!leave)
                return NULL;
        free(leave);
        return realloc(memory, size);
}

void mem_wipe(void *memory, size_t size)
{
        for (volatile unsigned char *at = memory; size; size--)
                *at++ = 0;
}

void mem_free(void *memory)
{
        free(memory);
}
