#include "agent/reuse.h"

#include "agent/content.h"
#include "agent/recheck.h"
#include "support/sim_disk.h"
#include "support/sweep.h"
#include "support/test.h"
#include "trust/sha.h"

#include <string.h>

static const char *const names[] = { "rules" };
enum { FILES_MAX = 24 };

/* Paths and contents, as "path=content"; a content that begins with * is that of a program. */
struct made { struct release_note note; struct release_file files[FILES_MAX]; char paths[FILES_MAX][LIMIT_PATH_BYTES + 1]; };

static void make(struct made *made, uint64_t counter, const char *const *files)
{
        *made = (struct made){ .note = { .stream = "rules", .version = "1", .counter = counter, .floor = 1, .platform_count = 1, .platforms = { "any" },
                                         .ceiling = { .start = 1, .count = 1, .steps = { { 0, CEILING_ALL_PPM } } } } };
        made->note.files = made->files;
        for (; files[made->note.file_count]; made->note.file_count++) {
                size_t i = made->note.file_count;
                const char *content = strchr(files[i], '=') + 1;
                snprintf(made->paths[i], sizeof(made->paths[i]), "%.*s", (int)(content - 1 - files[i]), files[i]);
                made->files[i] = (struct release_file){ .length = strlen(content), .is_program = *content == '*', .path = made->paths[i] };
                sha256(content, strlen(content), made->files[i].sha256);
        }
}

/* Its files with their names and modes: nobody here looks at what is in them. */
static void put_files(struct disk *disk, enum slot_id slot, const struct made *made)
{
        const struct content_path into = content_slot("rules", slot);
        CHECK(disk->ops->remove_tree(disk, into.text, NULL) == OK && disk->ops->make_folder(disk, into.text, NULL) == OK);
        for (size_t i = 0; i < made->note.file_count; i++) {
                char path[600];
                size_t start = (size_t)snprintf(path, sizeof(path), "%s/%s", into.text, made->files[i].path) - strlen(made->files[i].path);
                for (char *at = strchr(path + start, '/'); at; at = strchr(at + 1, '/')) {
                        *at = 0;
                        CHECK(disk->ops->make_folder(disk, path, NULL) == OK);
                        *at = '/';
                }
                int file = -1;
                CHECK(disk->ops->create(disk, path, made->files[i].is_program ? 0755 : 0644, &file, NULL) == OK);
                disk->ops->file_close(disk, file);
        }
}

/* As installed: staged in the slot that is next. */
static void install(struct disk *disk, struct slots *slots, uint64_t counter, const char *const *files, bool is_proven)
{
        struct made made;
        enum slot_id slot;
        struct slot_release release = { .counter = counter };
        OWN(buf) struct buf text;
        buf_init(&text, LIMIT_NOTE_BYTES);
        make(&made, counter, files);
        CHECK(release_note_write(&made.note, &text, NULL) == OK);
        sha256(text.bytes, text.length, release.target);
        CHECK(slots_clear(slots, 0, &slot, NULL) == OK && recheck_keep(disk, "rules", slot, &made.note, NULL) == OK);
        put_files(disk, slot, &made);
        CHECK(slots_staged(slots, 0, slot, &release, NULL) == OK);
        const struct slot_trial trial = { .lease = SLOT_LEASE_EXPOSURE, .slot = (uint8_t)slot, .deadline = 100, .crashes_max = 1, .boots_max = 1 };
        if (is_proven)
                CHECK(slots_arm(slots, 0, &trial, NULL) == OK && slots_prove(slots, 0, 10, NULL) == OK);
}

struct device {
        struct sim_disk sim;
        struct slots *slots;
        struct reuse_doubts doubts;
        struct made wanted;
        struct reuse *reuse;
};

static void put_factory(struct disk *disk, const char *path, const char *content)
{
        char whole[100];
        snprintf(whole, sizeof(whole), "streams/rules/factory/%s", path);
        CHECK(disk->ops->replace(disk, whole, content, strlen(content), NULL) == OK);
}

/* 1 was proven in a, then 2 in b: a is next. The factory copy has something, too. */
static void begin(struct device *device)
{
        static const char *const first[] = { "VERSION=1", "old/only=first", "same=unchanged", "tool=*program", NULL };
        static const char *const second[] = { "VERSION=2", "gone=second", "same=unchanged", "tool=program", NULL };
        *device = (struct device){ .reuse = NULL };
        sim_disk_init(&device->sim);
        struct disk *disk = &device->sim.disk;
        CHECK(content_prepare(disk, "rules", NULL, NULL) == OK && slots_open(disk, names, 1, &device->slots, NULL) == OK);
        CHECK(disk->ops->make_folder(disk, "streams/rules/factory/deep", NULL) == OK);
        put_factory(disk, "deep/made", "by the maker");
        put_factory(disk, "VERSION", "0");
        install(disk, device->slots, 1, first, true);
        install(disk, device->slots, 2, second, true);
        CHECK(slots_stream(device->slots, 0)->current == SLOT_B && slots_next(device->slots, 0) == SLOT_A);
}

static enum err look(struct device *device, const char *const *files)
{
        reuse_close(device->reuse);
        device->reuse = NULL;
        make(&device->wanted, 3, files);
        enum err e = reuse_open(&(struct reuse_of){ &device->sim.disk, device->slots, 0, &device->wanted.note, &device->doubts }, &device->reuse, NULL);
        for (int steps = 0; !e && !reuse_step(device->reuse); steps++)
                CHECK(steps < 1000);
        return e;
}

static bool is_at(struct device *device, size_t file, const char *expected)
{
        const char *path = reuse_path(device->reuse, file);
        return expected ? path && strcmp(path, expected) == 0 : !path;
}

static void end(struct device *device)
{
        reuse_close(device->reuse);
        slots_close(device->slots);
        sim_disk_done(&device->sim);
}

TEST(reuse, finds_files_by_their_digest_wherever_they_moved)
{
        static const char *const files[] = { "VERSION=3", "a/again=second", "b/again=second", "made=by the maker", "new=never seen", NULL };
        struct device device;
        begin(&device);
        CHECK(look(&device, files) == OK);
        CHECK(is_at(&device, 0, NULL) && is_at(&device, 4, NULL));
        CHECK(is_at(&device, 1, "streams/rules/b/gone") && is_at(&device, 2, "streams/rules/b/gone") && reuse_is_current(device.reuse, 1));
        CHECK(is_at(&device, 3, "streams/rules/factory/deep/made") && !reuse_is_current(device.reuse, 3));
        for (size_t i = 0; i < 5; i++)
                CHECK(!reuse_stands(device.reuse, i));
        end(&device);
}

TEST(reuse, takes_from_the_slot_that_is_emptied_only_what_stands_where_it_is_to_be)
{
        static const char *const files[] = { "new/only=first", "same=unchanged", "tool=*program", NULL };
        struct device device;
        begin(&device);
        CHECK(look(&device, files) == OK && reuse_next(device.reuse) == SLOT_A);
        CHECK(is_at(&device, 0, NULL));
        CHECK(is_at(&device, 1, "streams/rules/a/same") && reuse_stands(device.reuse, 1));       /* b has it, too */
        CHECK(is_at(&device, 2, "streams/rules/a/tool") && reuse_stands(device.reuse, 2));
        static const char *const not_a_program[] = { "tool=program", NULL };
        CHECK(look(&device, not_a_program) == OK && is_at(&device, 0, "streams/rules/b/tool"));
        end(&device);
}

TEST(reuse, lets_nothing_stand_that_others_have_changed)
{
        static const char *const files[] = { "old/only=first", "same=unchanged", "tool=*program", NULL };
        struct device device;
        begin(&device);
        sim_disk_change(&device.sim, "streams/rules/a/same");
        CHECK(look(&device, files) == OK && reuse_stands(device.reuse, 0) && is_at(&device, 1, "streams/rules/b/same") && reuse_stands(device.reuse, 2));
        sim_disk_change(&device.sim, "streams/rules/a");
        CHECK(look(&device, files) == OK && is_at(&device, 0, NULL) && is_at(&device, 1, "streams/rules/b/same") && is_at(&device, 2, NULL));
        end(&device);
}

TEST(reuse, believes_nothing_of_a_slot_that_the_record_calls_empty)
{
        static const char *const files[] = { "old/only=first", "same=unchanged", NULL };
        struct device device;
        enum slot_id slot;
        begin(&device);
        CHECK(look(&device, files) == OK && reuse_stands(device.reuse, 0) && reuse_stands(device.reuse, 1));
        CHECK(slots_clear(device.slots, 0, &slot, NULL) == OK && slot == SLOT_A);
        CHECK(look(&device, files) == OK && is_at(&device, 0, NULL) && is_at(&device, 1, "streams/rules/b/same"));
        end(&device);
}

TEST(reuse, believes_no_note_but_that_of_the_release)
{
        static const char *const files[] = { "gone=second", NULL };
        struct device device;
        begin(&device);
        CHECK(device.sim.disk.ops->replace(&device.sim.disk, "streams/rules/b.note", "x", 1, NULL) == OK);
        CHECK(look(&device, files) == OK && is_at(&device, 0, NULL));
        CHECK(device.sim.disk.ops->remove_tree(&device.sim.disk, "streams/rules/b.note", NULL) == OK);
        CHECK(look(&device, files) == OK && is_at(&device, 0, NULL));
        end(&device);
}

/* What is not listed could not be told from what must not stay. */
TEST(reuse, lets_nothing_stand_where_a_name_is_never_listed)
{
        static const char *const hidden[] = { "a=one", "deep/" DISK_PENDING "x=two", NULL };
        struct device device;
        begin(&device);
        install(&device.sim.disk, device.slots, 5, hidden, false);       /* in a */
        static const char *const files[] = { "a=one", NULL };
        CHECK(look(&device, files) == OK && is_at(&device, 0, NULL));
        end(&device);
}

TEST(reuse, offers_nothing_that_was_doubted_and_forgets_the_doubt_with_the_release)
{
        static const char *const files[] = { "a=second", "made=by the maker", "same=unchanged", NULL };
        struct device device;
        begin(&device);
        CHECK(look(&device, files) == OK && reuse_path(device.reuse, 0) && reuse_path(device.reuse, 1) && reuse_path(device.reuse, 2));
        for (size_t i = 0; i < 2; i++)
                reuse_doubt(&device.doubts, 3, device.wanted.files[i].sha256);
        CHECK(look(&device, files) == OK && is_at(&device, 0, NULL) && is_at(&device, 1, NULL) && reuse_path(device.reuse, 2));
        reuse_doubt(&device.doubts, 4, device.wanted.files[2].sha256);
        CHECK(look(&device, files) == OK && reuse_path(device.reuse, 0) && reuse_path(device.reuse, 1) && reuse_path(device.reuse, 2));
        for (uint8_t i = 0; i <= REUSE_DOUBTS_MAX; i++)
                reuse_doubt(&device.doubts, 3, (uint8_t[32]){ i });
        CHECK(look(&device, files) == OK && is_at(&device, 0, NULL) && is_at(&device, 1, NULL) && is_at(&device, 2, NULL));
        end(&device);
}

TEST(reuse, does_without_what_cannot_be_read)
{
        static const char *const files[] = { "a=second", "made=by the maker", "same=unchanged", NULL };
        struct device device;
        begin(&device);
        for (unsigned n = 0; n < 40; n++) {
                sim_disk_fail_at(&device.sim, n, ERR_IO);
                CHECK(look(&device, files) == OK);
                sim_disk_power_on(&device.sim);
        }
        CHECK(look(&device, files) == OK && reuse_path(device.reuse, 0) && reuse_path(device.reuse, 1) && reuse_path(device.reuse, 2));
        end(&device);
}

TEST(reuse, survives_every_allocation_failure)
{
        static const char *const files[] = { "a=second", "made=by the maker", "same=unchanged", NULL };
        struct device device;
        begin(&device);
        SWEEP_MEMORY {
                enum err e = look(&device, files);
                CHECK(e == OK || e == ERR_NOMEM);
        }
        CHECK(look(&device, files) == OK);
        end(&device);
}
