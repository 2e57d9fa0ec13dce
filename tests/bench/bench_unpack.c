/* A release of 500 files of 10 KB into a slot of a real folder: with a sync a file, as one that comes whole, and as one of which one file in a
 * hundred is new while the rest is copied from the other slot, or stands where it is to be. */
#include "agent/unpack.h"
#include "bench/measure.h"
#include "platform/disk_folder.h"
#include "platform/file.h"
#include "trust/sha.h"

#include <stdlib.h>
#include <string.h>

enum { FILES = 500, BYTES = 10 << 10, NEW_EACH = 100, PATH_BYTES = 64 };

enum held { NOTHING, OTHER_SLOT, IN_PLACE };

struct bench {
        struct disk *disk;
        enum held held;
        char paths[FILES][PATH_BYTES], from[PATH_BYTES * 2];
        uint8_t digests[FILES][32];
};

static const char *bytes_of(size_t index)
{
        static char bytes[BYTES];
        for (size_t i = 0; i < BYTES; i++)
                bytes[i] = (char)((i * 131 + index * 7919) >> 3);
        return bytes;
}

static struct unpack_file file_of(const void *user, size_t index)
{
        struct bench *bench = (struct bench *)user;
        struct unpack_file file = { .length = BYTES, .path = bench->paths[index] };
        memcpy(file.sha256, bench->digests[index], sizeof(file.sha256));
        snprintf(bench->from, sizeof(bench->from), "slots/%s/%s", bench->held == IN_PLACE ? "a" : "b", bench->paths[index]);
        file.held = bench->held == NOTHING || index % NEW_EACH == 0 ? NULL : bench->from;
        return file;
}

static bool unpack_into(struct bench *bench, const char *into)
{
        OWN(unpack) struct unpack *unpack = NULL;
        bool is_done = false;
        enum err e = unpack_open(&(struct unpack_job){ bench->disk, file_of, bench, FILES, into, false }, &unpack, NULL);
        while (!e && !is_done)
                e = unpack_step(unpack, &is_done, NULL);
        return !e;
}

static bool empty(void *user)
{
        struct bench *bench = user;
        bench->held = NOTHING;
        return bench->disk->ops->remove_tree(bench->disk, "slots/a", NULL) == OK && bench->disk->ops->make_folder(bench->disk, "slots/a", NULL) == OK;
}

/* The yardstick: the same writes, each file synced before the next. */
static bool each(void *user)
{
        struct bench *bench = user;
        struct disk *disk = bench->disk;
        enum err e = OK;
        for (size_t i = 0; !e && i < FILES; i++) {
                int file;
                char path[PATH_BYTES];
                snprintf(path, sizeof(path), "slots/a/%zu", i);
                e = disk->ops->create(disk, path, 0644, &file, NULL);
                if (e)
                        break;
                e = disk->ops->file_write(disk, file, bytes_of(i), BYTES, NULL);
                if (!e)
                        e = disk->ops->file_sync(disk, file, NULL);
                disk->ops->file_close(disk, file);
        }
        return !e && disk->ops->sync_folder(disk, "slots/a", NULL) == OK;
}

static bool whole(void *user)
{
        return unpack_into(user, "slots/a");
}

static bool take_other(void *user)
{
        struct bench *bench = user;
        return empty(bench) && (bench->held = OTHER_SLOT) == OTHER_SLOT;
}

static bool stand(void *user)
{
        struct bench *bench = user;
        return empty(bench) && unpack_into(bench, "slots/a") && (bench->held = IN_PLACE) == IN_PLACE;
}

static bool fill(struct bench *bench)
{
        struct disk *disk = bench->disk;
        bool is_well = disk->ops->make_folder(disk, "spool", NULL) == OK && disk->ops->make_folder(disk, "slots", NULL) == OK;
        for (size_t i = 0; is_well && i < FILES; i++) {
                snprintf(bench->paths[i], PATH_BYTES, "%02zu/%04zu", i / 50, i);
                sha256(bytes_of(i), BYTES, bench->digests[i]);
                is_well = disk->ops->replace(disk, spool_artifact(bench->digests[i]).text, bytes_of(i), BYTES, NULL) == OK;
        }
        return is_well && unpack_into(bench, "slots/b");
}

int main(int argc, char **argv)
{
        static struct bench bench;
        static const struct measure_case cases[] = {
                { "a_sync_each", NULL, each, empty, &bench, 1 },
                { "whole", "a_sync_each", whole, empty, &bench, 1 },
                { "one_in_100_new_rest_copied", "whole", whole, take_other, &bench, 1 },
                { "one_in_100_new_rest_stands", "whole", whole, stand, &bench, 1 },
        };
        /* On a disk: /tmp may be memory, which has nothing to wait for. */
        char root[] = "/var/tmp/firebreak-unpack-XXXXXX";
        const bool is_smoke = measure_is_smoke(argc, argv);
        if (!mkdtemp(root) || disk_folder_open(root, &bench.disk, NULL))
                return 1;
        int code = fill(&bench) ? measure_run(&(struct measure){ "unpack", cases, sizeof(cases) / sizeof(cases[0]), is_smoke }) : 1;
        disk_folder_close(bench.disk);
        file_remove_tree(root);
        return code;
}
