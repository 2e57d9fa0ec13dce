#include "agent/owners.h"
#include "platform/disk_folder.h"
#include "platform/file.h"
#include "support/sweep.h"
#include "support/test.h"

#include <string.h>
#include <unistd.h>

static char folder[64], path[128];
static const uint8_t one[16] = { 1 }, two[16] = { 2 };

static enum err make(size_t count, size_t *ret_count, struct why *why)
{
        OWN(disk_folder) struct disk *disk = NULL;
        OWN(owners_list) struct owners_list *list = NULL;
        char name[32];
        enum err e = disk_folder_open(folder, &disk, why);
        if (!e)
                e = owners_list_new(&list, why);
        for (size_t i = 0; !e && i < count; i++) {
                snprintf(name, sizeof(name), "/usr/bin/%zu", i);
                e = owners_list_add(list, name, i % 2 ? one : NULL, why);
                if (!e && i % 4 == 1)
                        e = owners_list_add(list, name, NULL, why);      /* from the package's list of names */
                if (!e && i == 5)
                        e = owners_list_add(list, name, two, why);       /* two packages have it */
        }
        return e ? e : owners_list_write(list, disk, "files", 77, ret_count, why);
}

static void begin(void)
{
        CHECK(file_temporary(folder, NULL) == OK);
        snprintf(path, sizeof(path), "%s/files", folder);
}

TEST(owners, finds_what_was_put_in_and_nothing_else)
{
        struct owners_found found;
        OWN(owners) struct owners *owners = NULL;
        size_t count = 0;
        begin();
        CHECK(make(5000, &count, NULL) == OK && count == 5001);
        CHECK(owners_open(path, &owners, NULL) == OK && owners_mark(owners) == 77 && owners_count(owners) == 5001);
        for (size_t i = 0; i < 5000; i++) {
                char name[32];
                snprintf(name, sizeof(name), "/usr/bin/%zu", i);
                CHECK(owners_find(owners, name, &found, NULL) == OK && found.is_owned && found.sum_count == (i == 5 ? 2 : i % 2));
        }
        CHECK(owners_find(owners, "/usr/bin/5", &found, NULL) == OK && memcmp(found.sums[0], one, 16) == 0 && memcmp(found.sums[1], two, 16) == 0);
        const char *const others[] = { "/usr/bin/5000", "/usr/bin", "", "/usr/bin/00" };
        for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
                CHECK(owners_find(owners, others[i], &found, NULL) == OK && !found.is_owned && !found.sum_count);
        file_remove_tree(folder);
}

TEST(owners, may_be_empty_and_may_be_made_again)
{
        struct owners_found found;
        OWN(owners) struct owners *owners = NULL;
        size_t count = 1;
        begin();
        CHECK(owners_open(path, &owners, NULL) == ERR_NOT_FOUND);
        CHECK(make(3, &count, NULL) == OK && make(0, &count, NULL) == OK && count == 0);
        CHECK(owners_open(path, &owners, NULL) == OK && owners_find(owners, "/usr/bin/0", &found, NULL) == OK && !found.is_owned);
        file_remove_tree(folder);
}

/* Each byte of it in turn, and each length. */
TEST(owners, that_are_damaged_are_none)
{
        OWN(buf) struct buf whole;
        OWN(owners) struct owners *owners = NULL;
        size_t count;
        begin();
        buf_init(&whole, 1 << 16);
        CHECK(make(6, &count, NULL) == OK && file_read(path, &whole, NULL) == OK);
        for (size_t i = 0; i < whole.length; i++) {
                bool is_unused = i >= 16 && i < 32;      /* the mark, and what nobody reads */
                whole.bytes[i] ^= 4;
                CHECK(file_write(path, whole.bytes, whole.length, NULL) == OK);
                CHECK(owners_open(path, &owners, NULL) == (is_unused ? OK : ERR_SYNTAX));
                whole.bytes[i] ^= 4;
                owners_close(GIVE(owners));
                CHECK(file_write(path, whole.bytes, i, NULL) == OK && owners_open(path, &owners, NULL) == ERR_SYNTAX);
        }
        CHECK(unlink(path) == 0 && symlink("/etc/passwd", path) == 0 && owners_open(path, &owners, NULL) == ERR_REFUSED);
        file_remove_tree(folder);
}

TEST(owners, survive_each_lack_of_memory)
{
        begin();
        SWEEP_MEMORY {
                OWN(owners) struct owners *owners = NULL;
                size_t count;
                enum err e = make(10, &count, NULL);
                CHECK(!e || e == ERR_NOMEM);
                if (!e)
                        e = owners_open(path, &owners, NULL);
                CHECK(!e || e == ERR_NOMEM);
        }
        file_remove_tree(folder);
}

TEST(owners, are_a_file_of_known_bytes)
{
        OWN(buf) struct buf bytes;
        size_t count;
        static const char key[] = "\xe9\x61\x97\xe4";    /* of SHA-256("/usr/bin/0") */
        begin();
        buf_init(&bytes, 4096);
        CHECK(make(1, &count, NULL) == OK && file_read(path, &bytes, NULL) == OK && bytes.length == 96);
        CHECK(memcmp(bytes.bytes, "FBPF\1\0\0\0\1\0\0\0\0\0\0\0M\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 32) == 0);
        CHECK(memcmp(bytes.bytes + 64, key, 4) == 0);
        file_remove_tree(folder);
}
