#include "lab/digest.h"

#include "format/hex.h"
#include "platform/disk.h"
#include "trust/sha.h"

void digest_bytes(const void *bytes, size_t length, char hex[DIGEST_TEXT_MAX])
{
        uint8_t digest[SHA256_BYTES];
        sha256(bytes, length, digest);
        hex_encode(digest, sizeof(digest), hex);
}

enum err digest_file(struct disk *disk, const char *path, char hex[DIGEST_TEXT_MAX], uint64_t *ret_length, struct why *why)
{
        struct sha256 sha;
        uint8_t part[65536], digest[SHA256_BYTES];
        uint64_t declared, length = 0;
        int file;
        enum err e = disk->ops->open(disk, path, &file, &declared, why);
        if (e)
                return e;
        sha256_init(&sha);
        for (size_t got = 1; !e && got;) {
                e = disk->ops->file_read(disk, file, part, sizeof(part), &got, why);
                if (!e)
                        sha256_update(&sha, part, got);
                length += e ? 0 : got;
        }
        disk->ops->file_close(disk, file);
        if (e)
                return e;
        sha256_final(&sha, digest);
        hex_encode(digest, sizeof(digest), hex);
        *ret_length = length;
        return OK;
}
