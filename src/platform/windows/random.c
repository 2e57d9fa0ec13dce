#include "platform/random.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <windows.h>

#include <ntsecapi.h>

/* Cannot fail and return: a program that goes on without randomness has predictable keys. */
static void system_fill(struct random_source *source, void *bytes, size_t length)
{
        (void)source;
        for (char *at = bytes; length;) {
                ULONG part = length < INT32_MAX ? (ULONG)length : INT32_MAX;
                if (!RtlGenRandom(at, part)) {
                        fputs("RtlGenRandom: Windows has no randomness\n", stderr);
                        abort();
                }
                at += part;
                length -= part;
        }
}

struct random_source *random_system(void)
{
        static const struct random_ops ops = { .fill = system_fill };
        static const struct random_source source = { &ops };
        return (struct random_source *)&source;      /* has no state to change */
}
