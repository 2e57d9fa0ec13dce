/* PATTERN NUL PATH: a plain pattern matches itself alone, `*` in each part matches any path of as many parts, and fnmatch(3) agrees on what has no sets. */
#include "trust/tuf_match.h"

#include <assert.h>
#include <fnmatch.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static bool is_ascii(const char *text)
{
        for (; *text; text++)
                if ((unsigned char)*text >= 0x80)
                        return false;
        return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
        char text[128] = "";         /* short: fnmatch takes its time over many stars */
        if (length >= sizeof(text))
                return 0;
        memcpy(text, bytes, length);
        const char *pattern = text, *path = text + strnlen(text, sizeof(text) - 2) + 1;
        const bool fits = tuf_match_pattern(pattern, path);
        assert(!strpbrk(pattern, "*?[") ? fits == (strcmp(pattern, path) == 0) : true);
        if (is_ascii(pattern) && is_ascii(path) && !strchr(pattern, '['))
                assert(fits == (fnmatch(pattern, path, FNM_PATHNAME | FNM_NOESCAPE) == 0));
        (void)tuf_match_prefix(pattern, path);
        return 0;
}
