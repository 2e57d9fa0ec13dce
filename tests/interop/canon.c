/* canon - the SHA-256 of the canonical form of each line of standard input, which is a JSON document. */
#include "base/limits.h"
#include "format/canon.h"
#include "format/hex.h"
#include "trust/sha.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum err digest_line(const char *line, size_t length, char hex[65], struct why *why)
{
        OWN(json) struct json *json = NULL;
        OWN(buf) struct buf canonical;
        uint8_t digest[32];
        buf_init(&canonical, LIMIT_METADATA_BYTES);
        enum err e = json_parse(line, length, LIMIT_METADATA_BYTES, &json, why);
        if (!e)
                e = canon_write(json, &canonical, why);
        sha256(buf_text(&canonical), canonical.length, digest);
        hex_encode(digest, sizeof(digest), hex);
        return e;
}

int main(void)
{
        char *line = NULL, hex[65];
        size_t room = 0;
        ssize_t length;
        struct why why;
        int code = 0;
        while ((length = getline(&line, &room, stdin)) > 0) {
                if (digest_line(line, strcspn(line, "\n"), hex, &why)) {
                        fprintf(stderr, "%s: %.200s\n", why.text, line);
                        code = 1;
                }
                puts(hex);
        }
        free(line);
        return code;
}
