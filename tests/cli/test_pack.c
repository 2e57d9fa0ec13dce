#include "cli/pack.h"

#include "cli/publisher_folder.h"
#include "cli/release_folder.h"
#include "support/sweep.h"

static const struct release_id first = { "edr-rules", 1 };

static void note_is(struct folders *f, const char *path, const char *says)
{
        OWN(buf) struct buf text;
        read_text(&f->publisher.disk, path, &text);
        if (!strstr(buf_text(&text), says))
                printf("# %s\n", buf_text(&text));
        CHECK(strstr(buf_text(&text), says));
}

TEST(pack, makes_a_note_of_what_was_copied)
{
        OWN(folders) struct folders f = { 0 };
        OWN(release_folder) struct release_folder folder = { 0 };
        OWN(buf) struct buf copy;
        folders_make(&f);
        CHECK(folders_pack(&f, NULL) == OK && f.packed.id.counter == 1);
        note_is(&f, "releases/edr-rules/1/note", "firebreak release v1\nstream edr-rules\ncounter 1\nfloor 1\nversion 1\nplatform any\nstart 1784432140\nceiling 0 1000000\n");
        note_is(&f, "releases/edr-rules/1/note", "files 3 58\nfile 2 ");
        CHECK(release_folder_open(&f.publisher.disk, &first, &folder, NULL) == OK && !folder.is_signed && release_folder_check(&folder, NULL) == OK);
        CHECK(memcmp(folder.manifest->target, f.packed.target, sizeof(f.packed.target)) == 0);
        read_text(&f.publisher.disk, "releases/edr-rules/1/files/rules/deep/more.yar", &copy);
        CHECK(strcmp(buf_text(&copy), "rule b { condition: false }\n") == 0);
}

TEST(pack, says_which_files_are_programs)
{
        OWN(folders) struct folders f = { 0 };
        int file;
        folders_make(&f);
        must(f.content.disk.ops->create(&f.content.disk, "tool", 0755, &file, NULL));
        must(f.content.disk.ops->file_write(&f.content.disk, file, "#!/bin/sh\n", 10, NULL));
        f.content.disk.ops->file_close(&f.content.disk, file);
        CHECK(folders_pack(&f, NULL) == OK);
        note_is(&f, "releases/edr-rules/1/note", "program 10 ");
        note_is(&f, "releases/edr-rules/1/note", "file 2 ");
        uint64_t length;
        CHECK(f.publisher.disk.ops->open(&f.publisher.disk, "releases/edr-rules/1/files/tool", &file, &length, NULL) == OK);
        CHECK(f.publisher.disk.ops->file_is_program(&f.publisher.disk, file));
        f.publisher.disk.ops->file_close(&f.publisher.disk, file);
}

TEST(pack, takes_the_next_counter_and_keeps_the_floor)
{
        OWN(folders) struct folders f = { 0 };
        folders_make(&f);
        CHECK(folders_pack(&f, &(struct wish){ .counter = 7, .floor = 3, .version = "seven" }) == OK);
        must(f.publisher.disk.ops->make_folder(&f.publisher.disk, "releases/edr-rules/notes", NULL));
        must(f.publisher.disk.ops->make_folder(&f.publisher.disk, "releases/edr-rules/.99.new", NULL));
        must(f.publisher.disk.ops->make_folder(&f.publisher.disk, "releases/edr-rules/012", NULL));
        CHECK(folders_pack(&f, NULL) == OK && f.packed.id.counter == 8);
        note_is(&f, "releases/edr-rules/8/note", "counter 8\nfloor 3\nversion 8\n");
        CHECK(folders_pack(&f, &(struct wish){ .counter = 5 }) == OK);
        note_is(&f, "releases/edr-rules/5/note", "counter 5\nfloor 1\n");
}

TEST(pack, refuses_a_counter_that_is_taken_and_says_the_next)
{
        OWN(folders) struct folders f = { 0 };
        OWN(release_folder) struct release_folder folder = { 0 };
        folders_make(&f);
        CHECK(folders_pack(&f, NULL) == OK);
        put_text(&f.content.disk, "VERSION", "2\n");
        CHECK(folders_pack(&f, &(struct wish){ .counter = 1 }) == ERR_REFUSED && strstr(f.why.text, "the next is --counter 2"));
        CHECK(release_folder_open(&f.publisher.disk, &first, &folder, NULL) == OK && release_folder_check(&folder, NULL) == OK);
}

TEST(pack, refuses_what_devices_would)
{
        static const struct { struct wish wish; enum err err; const char *says; } cases[] = {
                { { .floor = 1 }, ERR_ROLLBACK, "a floor never goes down" },
                { { .floor = 9 }, ERR_USAGE, "above the release's own counter" },
                { { .counter = 999999999, .platform = "linux amd64" }, ERR_USAGE, "write OS-ARCH" },
                { { .counter = 999999999, .platform = "linux" }, ERR_USAGE, "platform `linux`: write OS-ARCH" },
                { { .counter = 999999999, .platform = "linux-" }, ERR_USAGE, "write OS-ARCH" },
                { { .counter = 999999999, .platform = "linux-amd64-v3" }, ERR_USAGE, "write OS-ARCH" },
        };
        OWN(folders) struct folders f = { 0 };
        folders_make(&f);
        CHECK(folders_pack(&f, &(struct wish){ .counter = 3, .floor = 2 }) == OK);
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
                CHECK(folders_pack(&f, &cases[i].wish) == cases[i].err && strstr(f.why.text, cases[i].says));
        CHECK(folders_pack(&f, &(struct wish){ .counter = 999999999 }) == OK);
        CHECK(folders_pack(&f, NULL) == ERR_LIMIT && strstr(f.why.text, "begin a new stream"));
}

TEST(pack, clears_what_a_killed_run_left)
{
        OWN(folders) struct folders f = { 0 };
        OWN(release_folder) struct release_folder folder = { 0 };
        folders_make(&f);
        must(f.publisher.disk.ops->make_folder(&f.publisher.disk, "releases/edr-rules", NULL));
        must(f.publisher.disk.ops->make_folder(&f.publisher.disk, "releases/edr-rules/.1.new", NULL));
        must(f.publisher.disk.ops->make_folder(&f.publisher.disk, "releases/edr-rules/.1.new/files", NULL));
        put_text(&f.publisher.disk, "releases/edr-rules/.1.new/files/left", "over");
        CHECK(folders_pack(&f, NULL) == OK && release_folder_open(&f.publisher.disk, &first, &folder, NULL) == OK);
        CHECK(release_folder_check(&folder, NULL) == OK);
}

/* ---- content that changes while it is copied ---- */

struct moving {
        struct disk disk;
        struct disk *inside;
        struct disk_ops ops;
        uint64_t grow;           /* bytes more, at the end of each file; then it stays */
        uint64_t left;
};

static struct moving *moving_of(struct disk *disk)
{
        return (struct moving *)(void *)disk;
}

static enum err moving_list(struct disk *disk, const char *path, disk_visit *visit, void *user, struct why *why)
{
        return moving_of(disk)->inside->ops->list(moving_of(disk)->inside, path, visit, user, why);
}

static enum err moving_open(struct disk *disk, const char *path, int *ret_file, uint64_t *ret_length, struct why *why)
{
        moving_of(disk)->left = moving_of(disk)->grow;
        return moving_of(disk)->inside->ops->open(moving_of(disk)->inside, path, ret_file, ret_length, why);
}

static enum err moving_read(struct disk *disk, int file, void *bytes, size_t bytes_max, size_t *ret_length, struct why *why)
{
        struct moving *moving = moving_of(disk);
        enum err e = moving->inside->ops->file_read(moving->inside, file, bytes, bytes_max, ret_length, why);
        if (e || *ret_length)
                return e;
        *ret_length = moving->left < bytes_max ? (size_t)moving->left : bytes_max;
        memset(bytes, '+', *ret_length);
        moving->left -= *ret_length;
        return OK;
}

static void moving_close(struct disk *disk, int file)
{
        moving_of(disk)->inside->ops->file_close(moving_of(disk)->inside, file);
}

static bool moving_is_program(struct disk *disk, int file)
{
        return moving_of(disk)->inside->ops->file_is_program(moving_of(disk)->inside, file);
}

static void moving_init(struct moving *moving, struct disk *inside, uint64_t grow)
{
        *moving = (struct moving){ .inside = inside, .grow = grow };
        moving->ops = (struct disk_ops){ .list = moving_list, .open = moving_open, .file_read = moving_read, .file_close = moving_close,
                                        .file_is_program = moving_is_program };
        moving->disk.ops = &moving->ops;
}

TEST(pack, agrees_with_itself_when_content_grows_meanwhile)
{
        OWN(folders) struct folders f = { 0 };
        OWN(release_folder) struct release_folder folder = { 0 };
        struct moving moving;
        folders_make(&f);
        moving_init(&moving, &f.content.disk, 10);
        CHECK(pack_wish(&moving.disk, &f.publisher.disk, NULL, &f.packed, NULL) == OK);
        CHECK(release_folder_open(&f.publisher.disk, &first, &folder, NULL) == OK && release_note_bytes(folder.manifest) == 88);
        CHECK(release_folder_check(&folder, NULL) == OK);
}

static enum err nowhere_write(struct disk *disk, int file, const void *bytes, size_t length, struct why *why)
{
        (void)disk, (void)file, (void)bytes, (void)length, (void)why;
        return OK;
}

TEST(pack, ends_when_content_grows_without_end)
{
        OWN(folders) struct folders f = { 0 };
        struct moving moving;
        folders_make(&f);
        struct disk_ops ops = *f.publisher.disk.ops;       /* a gigabyte is not kept for this */
        ops.file_write = nowhere_write;
        f.publisher.disk.ops = &ops;
        moving_init(&moving, &f.content.disk, UINT64_MAX);
        CHECK(pack_wish(&moving.disk, &f.publisher.disk, NULL, &f.packed, &f.why) == ERR_LIMIT && strstr(f.why.text, "grows while it is packed"));
        int file;
        uint64_t length;
        CHECK(f.publisher.disk.ops->open(&f.publisher.disk, "releases/edr-rules/.1.new/note", &file, &length, NULL) == ERR_NOT_FOUND);
}

/* ---- whole, or not there ---- */

static bool is_there(struct disk *disk)
{
        OWN(release_folder) struct release_folder folder = { 0 };
        enum err e = release_folder_open(disk, &first, &folder, NULL);
        CHECK(e == OK || e == ERR_NOT_FOUND);
        CHECK(e || release_folder_check(&folder, NULL) == OK);
        return e == OK;
}

TEST(pack, gives_its_name_only_to_a_whole_release_whenever_the_power_goes)
{
        struct sim_disk content = { 0 }, sim = { 0 };
        sim_disk_init(&content);
        prepare_content(&content.disk);
        SWEEP_POWER_AFTER(&sim, prepare_publisher) {
                struct packed packed;
                enum err e = pack_wish(&content.disk, &sim.disk, NULL, &packed, NULL);
                sim_disk_power_on(&sim);
                bool was_there = is_there(&sim.disk);
                CHECK(e || was_there);
                CHECK(pack_wish(&content.disk, &sim.disk, &(struct wish){ .counter = 1 }, &packed, NULL) == (was_there ? ERR_REFUSED : OK));
                CHECK(is_there(&sim.disk));
        }
        sim_disk_done(&sim);
        sim_disk_done(&content);
}

static enum err count_names(void *user, const char *name, enum disk_kind kind, uint64_t length, struct why *why)
{
        (void)name, (void)kind, (void)length, (void)why;
        ++*(size_t *)user;
        return OK;
}

TEST(pack, leaves_nothing_behind_on_a_full_disk)
{
        struct sim_disk content = { 0 }, sim = { 0 };
        sim_disk_init(&content);
        prepare_content(&content.disk);
        SWEEP_DISK_FAULT(&sim, prepare_publisher, ERR_FULL) {
                struct packed packed;
                struct why why = { 0 };
                size_t names = 0;
                enum err e = pack_wish(&content.disk, &sim.disk, NULL, &packed, &why);
                bool has_failed = sim.has_failed;
                sim_disk_power_on(&sim);
                CHECK(has_failed || !e);
                bool was_there = is_there(&sim.disk);
                CHECK(was_there || e == ERR_FULL);
                e = sim.disk.ops->list(&sim.disk, "releases/edr-rules", count_names, &names, NULL);
                CHECK(e == ERR_NOT_FOUND || names == (was_there ? 1 : 0));
        }
        sim_disk_done(&sim);
        sim_disk_done(&content);
}

TEST(pack, says_what_it_could_not_read)
{
        struct sim_disk content = { 0 }, sim = { 0 };
        SWEEP_DISK_FAULT(&content, prepare_content, ERR_IO) {
                struct packed packed;
                sim_disk_done(&sim);
                sim_disk_init(&sim);
                prepare_publisher(&sim.disk);
                enum err e = pack_wish(&content.disk, &sim.disk, NULL, &packed, NULL);
                CHECK(e == (content.has_failed ? ERR_IO : OK) && is_there(&sim.disk) == !e);
        }
        sim_disk_done(&sim);
        sim_disk_done(&content);
}

TEST(pack, survives_every_allocation_failure)
{
        OWN(folders) struct folders f = { 0 };
        folders_make(&f);
        int64_t counter = 0;
        SWEEP_MEMORY {
                enum err e = folders_pack(&f, &(struct wish){ .counter = ++counter });
                CHECK(e == OK || e == ERR_NOMEM);
        }
        CHECK(f.packed.id.counter == counter);
}

TEST(release_folder, sees_every_change_since_packing)
{
        static const struct { const char *path, *text, *says; } changes[] = {
                { "releases/edr-rules/1/files/VERSION", "2\n", "VERSION is not what was packed" },
                { "releases/edr-rules/1/files/rules/deep/more.yar", "", "rules/deep/more.yar is not what was packed" },
                { "releases/edr-rules/1/files/rules/another", "", "has 4 files, packed were 3" },
                { "releases/edr-rules/1/dossier.json", "{}", "dossier.json is not what was packed" },
                { "releases/edr-rules/1/note", "firebreak", "note" },
        };
        for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
                OWN(folders) struct folders f = { 0 };
                OWN(release_folder) struct release_folder folder = { 0 };
                folders_make(&f);
                CHECK(folders_pack(&f, NULL) == OK);
                put_text(&f.publisher.disk, changes[i].path, changes[i].text);
                enum err e = release_folder_open(&f.publisher.disk, &first, &folder, &f.why);
                if (!e)
                        e = release_folder_check(&folder, &f.why);
                CHECK((e == ERR_CONTENT || e == ERR_SYNTAX) && strstr(f.why.text, changes[i].says));
        }
}

TEST(release_folder, sees_a_file_that_is_gone_and_a_release_under_anothers_name)
{
        OWN(folders) struct folders f = { 0 };
        OWN(release_folder) struct release_folder folder = { 0 };
        folders_make(&f);
        CHECK(folders_pack(&f, NULL) == OK);
        must(f.publisher.disk.ops->rename(&f.publisher.disk, "releases/edr-rules/1", "releases/edr-rules/2", NULL));
        CHECK(release_folder_open(&f.publisher.disk, &(struct release_id){ "edr-rules", 2 }, &folder, &f.why) == ERR_CONTENT && strstr(f.why.text, "the note of edr-rules/1"));
        must(f.publisher.disk.ops->rename(&f.publisher.disk, "releases/edr-rules/2", "releases/edr-rules/1", NULL));
        must(f.publisher.disk.ops->remove_tree(&f.publisher.disk, "releases/edr-rules/1/files/VERSION", NULL));
        must(release_folder_open(&f.publisher.disk, &first, &folder, NULL));
        CHECK(release_folder_check(&folder, &f.why) == ERR_CONTENT && strstr(f.why.text, "VERSION is not what was packed"));
}
