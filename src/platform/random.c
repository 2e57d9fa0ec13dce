#include "platform/random.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

/* Cannot fail and return: a program that goes on without randomness has predictable keys. */
static void system_fill(struct random_source *source, void *bytes, size_t length)
{
        (void)source;
        for (char *at = bytes; length;) {
                ssize_t filled = getrandom(at, length, 0);
                if (filled < 0 && errno != EINTR) {
                        perror("getrandom");
                        abort();
                }
                if (filled > 0) {
                        at += filled;
                        length -= (size_t)filled;
                }
        }
}

struct random_source *random_system(void)
{
        static const struct random_ops ops = { .fill = system_fill };
        static const struct random_source source = { &ops };
        return (struct random_source *)&source;      /* has no state to change */
}
