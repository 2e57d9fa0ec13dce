/* A file is, byte for byte, what it was. */
#include "agent/probe_kinds.h"
#include "format/hex.h"
#include "platform/confine.h"
#include "platform/file.h"
#include "trust/sha.h"

#include <string.h>

static void take(void *user, const void *bytes, size_t length)
{
        sha256_update(user, bytes, length);
}

enum err probe_look_hash(const struct probe_task *task, struct why *why)
{
        const char *path = task->paths[0], *wanted = task->probe->hash.sha256;
        struct sha256 sha;
        uint8_t digest[SHA256_BYTES];
        char found[2 * SHA256_BYTES + 1];
        (void)!confine_to_reading(NULL, why);
        sha256_init(&sha);
        enum err e = file_read_parts(path, take, &sha, why);
        if (e)
                return DURING(why, ERR_CONTENT, "cannot be read");
        sha256_final(&sha, digest);
        hex_encode(digest, sizeof(digest), found);
        if (strcmp(found, wanted) != 0)
                return FAIL(why, ERR_CONTENT, "%s has sha256 %.12s.., not %.12s..", path, found, wanted);
        return OK;
}
