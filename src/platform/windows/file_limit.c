#include "platform/file_limit.h"

#include <fcntl.h>
#include <io.h>
#include <stdio.h>

enum { HANDLES = 1 << 20 };

/* Windows has a ceiling of 16 million handles a process, and none on the size of files. */
unsigned file_limit_raise(void)
{
        return HANDLES;
}

/* Handles are no small numbers that the next file would get. */
void file_limit_standard(void)
{
}

/* As elsewhere, a byte that is written is the byte that is read: the C library would turn each line's end into two. */
void file_limit_size_fails(void)
{
        (void)_setmode(_fileno(stdin), _O_BINARY);
        (void)_setmode(_fileno(stdout), _O_BINARY);
        (void)_setmode(_fileno(stderr), _O_BINARY);
}
