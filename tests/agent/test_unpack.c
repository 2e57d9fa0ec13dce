#include "agent/unpack.h"

#include "agent/content.h"
#include "support/sim_disk.h"
#include "support/sweep.h"
#include "support/test.h"
#include "trust/sha.h"

#include <string.h>

static const char *const contents[] = { "one\n", "", "deep", "deeper" };
static const char *const paths[] = { "VERSION", "empty", "rules/a/x.yar", "rules/b.yar" };
enum { FILES = 4 };

static struct unpack_file file_of(const void *user, size_t index)
{
        (void)user;
        struct unpack_file file = { .length = strlen(contents[index]), .is_program = index == FILES - 1, .path = paths[index] };
        sha256(contents[index], strlen(contents[index]), file.sha256);
        return file;
}

static void fill_spool(struct disk *disk)
{
        CHECK(disk->ops->make_folder(disk, "spool", NULL) == OK && content_prepare(disk, "rules", NULL, NULL) == OK);
        for (size_t i = 0; i < FILES; i++)
                CHECK(disk->ops->replace(disk, spool_artifact(file_of(NULL, i).sha256).text, contents[i], strlen(contents[i]), NULL) == OK);
        CHECK(disk->ops->sync_folder(disk, "", NULL) == OK);
}

static enum err unpack_all(struct disk *disk)
{
        OWN(unpack) struct unpack *unpack = NULL;
        const struct unpack_job job = { disk, file_of, NULL, FILES, "streams/rules/a", false };
        bool is_done = false;
        enum err e = unpack_open(&job, &unpack, NULL);
        while (!e && !is_done)
                e = unpack_step(unpack, &is_done, NULL);
        return e;
}

static bool is_whole(struct disk *disk)
{
        bool is_whole = true;
        for (size_t i = 0; i < FILES; i++) {
                OWN(buf) struct buf bytes;
                char path[100];
                buf_init(&bytes, 100);
                snprintf(path, sizeof(path), "streams/rules/a/%s", paths[i]);
                is_whole &= disk->ops->read(disk, path, &bytes, NULL) == OK && strcmp(buf_text(&bytes), contents[i]) == 0;
        }
        return is_whole;
}

TEST(unpack, says_done_only_when_all_of_it_survives_a_power_cut)
{
        for (unsigned fate = 0; fate < SIM_FATES; fate++) {
                OWN(sim_disk) struct sim_disk sim = { 0 };
                sim_disk_init(&sim);
                fill_spool(&sim.disk);
                CHECK(unpack_all(&sim.disk) == OK);
                sim_disk_cut_at(&sim, 0, fate);
                CHECK(sim.disk.ops->make_folder(&sim.disk, "next", NULL) != OK);
                sim_disk_power_on(&sim);
                CHECK(is_whole(&sim.disk));
        }
}

TEST(unpack, makes_programs_of_those_that_the_note_calls_so)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        fill_spool(&sim.disk);
        CHECK(unpack_all(&sim.disk) == OK);
        for (size_t i = 0; i < FILES; i++) {
                char path[100];
                int file;
                uint64_t length;
                snprintf(path, sizeof(path), "streams/rules/a/%s", paths[i]);
                CHECK(sim.disk.ops->open(&sim.disk, path, &file, &length, NULL) == OK);
                CHECK(sim.disk.ops->file_is_program(&sim.disk, file) == (i == FILES - 1));
                sim.disk.ops->file_close(&sim.disk, file);
        }
}

TEST(unpack, can_be_repeated_wherever_the_power_went)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        unsigned cuts = 0;
        SWEEP_POWER_AFTER(&sim, fill_spool) {
                cuts += unpack_all(&sim.disk) != OK;
                sim_disk_power_on(&sim);
                CHECK(unpack_all(&sim.disk) == OK && is_whole(&sim.disk));
        }
        CHECK(cuts > 0);
}

TEST(unpack, fails_cleanly_whichever_call_of_the_disk_fails)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        SWEEP_DISK_FAULT(&sim, fill_spool, ERR_FULL) {
                enum err e = unpack_all(&sim.disk);
                CHECK(e == OK || e == ERR_FULL);
                sim_disk_power_on(&sim);
                CHECK(unpack_all(&sim.disk) == OK && is_whole(&sim.disk));
        }
}

static enum err unpack_after(const char *bytes)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        fill_spool(&sim.disk);
        CHECK(sim.disk.ops->replace(&sim.disk, spool_artifact(file_of(NULL, 2).sha256).text, bytes, strlen(bytes), NULL) == OK);
        return unpack_all(&sim.disk);
}

TEST(unpack, refuses_bytes_that_are_not_those_of_the_note)
{
        CHECK(unpack_after("deep") == OK);
        CHECK(unpack_after("dEep") == ERR_CONTENT);
        CHECK(unpack_after("dee") == ERR_CONTENT);
        CHECK(unpack_after("deep!") == ERR_CONTENT);
        CHECK(unpack_after("") == ERR_CONTENT);
}

TEST(unpack, refuses_a_spool_file_that_is_missing_or_a_link)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        fill_spool(&sim.disk);
        struct spool_path path = spool_artifact(file_of(NULL, 0).sha256);
        CHECK(sim.disk.ops->remove_tree(&sim.disk, path.text, NULL) == OK && unpack_all(&sim.disk) == ERR_NOT_FOUND);
        CHECK(sim.disk.ops->point(&sim.disk, path.text, "elsewhere", NULL) == OK && unpack_all(&sim.disk) != OK);
}

TEST(unpack_open, survives_every_allocation_failure)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        fill_spool(&sim.disk);
        SWEEP_MEMORY {
                enum err e = unpack_all(&sim.disk);
                CHECK(e == OK || e == ERR_NOMEM);
        }
}

/* ---- what this device has already ---- */

static const char *held[FILES];          /* NULL: the spool has it */

static struct unpack_file held_file(const void *user, size_t index)
{
        struct unpack_file file = file_of(user, index);
        file.held = held[index];
        return file;
}

static enum err unpack_held(struct disk *disk, size_t *ret_doubted)
{
        OWN(unpack) struct unpack *unpack = NULL;
        const struct unpack_job job = { disk, held_file, NULL, FILES, "streams/rules/a", false };
        bool is_done = false;
        enum err e = unpack_open(&job, &unpack, NULL);
        while (!e && !is_done)
                e = unpack_step(unpack, &is_done, NULL);
        *ret_doubted = FILES;
        size_t index;
        if (unpack && unpack_was_held(unpack, &index))
                *ret_doubted = index;
        return e;
}

/* The slot has the last file, the other slot the third under another name; the rest is in the spool, and in the slot much that has to go. */
static void fill_both(struct disk *disk)
{
        fill_spool(disk);
        static const char *const gone[] = { "VERSION", "old", "rules/a" };
        CHECK(disk->ops->make_folder(disk, "streams/rules/a/rules", NULL) == OK && disk->ops->make_folder(disk, "streams/rules/a/other", NULL) == OK);
        int file = -1;
        CHECK(disk->ops->create(disk, "streams/rules/a/rules/b.yar", 0755, &file, NULL) == OK && disk->ops->file_write(disk, file, "deeper", 6, NULL) == OK);
        CHECK(disk->ops->file_sync(disk, file, NULL) == OK);
        disk->ops->file_close(disk, file);
        for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++) {
                char path[64];
                snprintf(path, sizeof(path), "streams/rules/a/%s", gone[i]);
                CHECK(disk->ops->replace(disk, path, "one!", 4, NULL) == OK);
        }
        CHECK(disk->ops->replace(disk, "streams/rules/b/moved", "deep", 4, NULL) == OK);
        static const char *const folders[] = { "", "streams/rules/a", "streams/rules/a/rules", "streams/rules/b" };
        for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
                CHECK(disk->ops->sync_folder(disk, folders[i], NULL) == OK);
        for (size_t i = 2; i < FILES; i++)
                CHECK(disk->ops->remove_tree(disk, spool_artifact(file_of(NULL, i).sha256).text, NULL) == OK);
        held[2] = "streams/rules/b/moved";
        held[3] = "streams/rules/a/rules/b.yar";
}

static enum err count_entry(void *user, const char *name, enum disk_kind kind, uint64_t length, struct why *why)
{
        (void)name, (void)kind, (void)length, (void)why;
        ++*(unsigned *)user;
        return OK;
}

static bool has_nothing_else(struct disk *disk)
{
        unsigned top = 0, rules = 0, deep = 0;
        CHECK(disk->ops->list(disk, "streams/rules/a", count_entry, &top, NULL) == OK && disk->ops->list(disk, "streams/rules/a/rules", count_entry, &rules, NULL) == OK);
        CHECK(disk->ops->list(disk, "streams/rules/a/rules/a", count_entry, &deep, NULL) == OK);
        return top == 3 && rules == 2 && deep == 1;
}

TEST(unpack, takes_what_is_here_and_leaves_what_stands_where_it_is_to_be)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        size_t doubted;
        sim_disk_init(&sim);
        fill_both(&sim.disk);
        uint64_t free_bytes = sim.free_bytes;
        CHECK(unpack_held(&sim.disk, &doubted) == OK && doubted == FILES);
        CHECK(is_whole(&sim.disk) && has_nothing_else(&sim.disk));
        CHECK(free_bytes - sim.free_bytes == strlen("one\n") + strlen("deep"));      /* all that was written */
        memset(held, 0, sizeof(held));
}

TEST(unpack, that_took_what_is_here_survives_a_power_cut_once_it_says_done)
{
        for (unsigned fate = 0; fate < SIM_FATES; fate++) {
                OWN(sim_disk) struct sim_disk sim = { 0 };
                size_t doubted;
                sim_disk_init(&sim);
                fill_both(&sim.disk);
                CHECK(unpack_held(&sim.disk, &doubted) == OK);
                sim_disk_cut_at(&sim, 0, fate);
                CHECK(sim.disk.ops->make_folder(&sim.disk, "next", NULL) != OK);
                sim_disk_power_on(&sim);
                CHECK(is_whole(&sim.disk) && has_nothing_else(&sim.disk));
        }
        memset(held, 0, sizeof(held));
}

/* After a cut the record vouches for nothing in the slot, whatever reads well there: all of it is written anew. */
TEST(unpack, begins_anew_after_a_power_cut)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        unsigned cuts = 0;
        SWEEP_POWER_AFTER(&sim, fill_both) {
                size_t doubted;
                cuts += unpack_held(&sim.disk, &doubted) != OK;
                sim_disk_power_on(&sim);
                held[3] = NULL;
                CHECK(sim.disk.ops->replace(&sim.disk, spool_artifact(file_of(NULL, 3).sha256).text, contents[3], strlen(contents[3]), NULL) == OK);
                CHECK(unpack_held(&sim.disk, &doubted) == OK && is_whole(&sim.disk) && has_nothing_else(&sim.disk));
        }
        CHECK(cuts > 20);
        memset(held, 0, sizeof(held));
}

static void check_doubted(const char *spoilt, const char *bytes, size_t index)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        size_t doubted;
        sim_disk_init(&sim);
        fill_both(&sim.disk);
        CHECK(sim.disk.ops->remove_tree(&sim.disk, spoilt, NULL) == OK);
        if (bytes)
                CHECK(sim.disk.ops->replace(&sim.disk, spoilt, bytes, strlen(bytes), NULL) == OK);
        CHECK(unpack_held(&sim.disk, &doubted) == ERR_CONTENT && doubted == index);
        memset(held, 0, sizeof(held));
}

TEST(unpack, says_which_file_was_not_what_it_was_said_to_be)
{
        check_doubted("streams/rules/b/moved", "dEep", 2);
        check_doubted("streams/rules/b/moved", "deep!", 2);
        check_doubted("streams/rules/b/moved", NULL, 2);
        check_doubted("streams/rules/a/rules/b.yar", "dEeper", 3);
        check_doubted("streams/rules/a/rules/b.yar", "deeper", 3);       /* and is no program */
        check_doubted("streams/rules/a/rules/b.yar", NULL, 3);
}

TEST(unpack, lets_nothing_stand_that_others_have_changed)
{
        static const char *const changed[] = { "streams/rules/a/rules/b.yar", "streams/rules/a/rules", "streams/rules/a" };
        for (size_t i = 0; i < sizeof(changed) / sizeof(changed[0]); i++) {
                OWN(sim_disk) struct sim_disk sim = { 0 };
                size_t doubted;
                sim_disk_init(&sim);
                fill_both(&sim.disk);
                sim_disk_change(&sim, changed[i]);
                CHECK(unpack_held(&sim.disk, &doubted) == ERR_CONTENT && doubted == 3);
                held[3] = NULL;
                CHECK(sim.disk.ops->replace(&sim.disk, spool_artifact(file_of(NULL, 3).sha256).text, contents[3], strlen(contents[3]), NULL) == OK);
                CHECK(unpack_held(&sim.disk, &doubted) == OK && is_whole(&sim.disk) && sim.disk.ops->is_as_made(&sim.disk, changed[i], 0755));
        }
        memset(held, 0, sizeof(held));
}

TEST(unpack, doubts_nothing_when_it_is_the_spool_that_lies)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        size_t doubted;
        sim_disk_init(&sim);
        fill_both(&sim.disk);
        CHECK(sim.disk.ops->replace(&sim.disk, spool_artifact(file_of(NULL, 0).sha256).text, "oNe\n", 4, NULL) == OK);
        CHECK(unpack_held(&sim.disk, &doubted) == ERR_CONTENT && doubted == FILES);
        memset(held, 0, sizeof(held));
}

/* ---- more files than are synced one by one ---- */

enum { MANY = 70 };

static struct unpack_file many_of(const void *user, size_t index)
{
        static char kept[MANY][24];
        char content[24];
        (void)user;
        snprintf(kept[index], sizeof(kept[index]), "%zu/%02zu", index / 20, index);
        struct unpack_file file = { .length = (size_t)snprintf(content, sizeof(content), "%zu", index), .path = kept[index] };
        sha256(content, (size_t)file.length, file.sha256);
        return file;
}

static void fill_many(struct disk *disk)
{
        CHECK(disk->ops->make_folder(disk, "spool", NULL) == OK && content_prepare(disk, "rules", NULL, NULL) == OK);
        for (size_t i = 0; i < MANY; i++) {
                char content[24];
                int length = snprintf(content, sizeof(content), "%zu", i);
                CHECK(disk->ops->replace(disk, spool_artifact(many_of(NULL, i).sha256).text, content, (size_t)length, NULL) == OK);
        }
        CHECK(disk->ops->sync_folder(disk, "", NULL) == OK);
}

static enum err unpack_many_so(struct disk *disk, bool syncs_alone, bool *ret_has_system_failed)
{
        OWN(unpack) struct unpack *unpack = NULL;
        bool is_done = false;
        enum err e = unpack_open(&(struct unpack_job){ disk, many_of, NULL, MANY, "streams/rules/a", syncs_alone }, &unpack, NULL);
        while (!e && !is_done)
                e = unpack_step(unpack, &is_done, NULL);
        *ret_has_system_failed = unpack && unpack_system_failed(unpack);
        return e;
}

static enum err unpack_many(struct disk *disk)
{
        bool has_system_failed;
        return unpack_many_so(disk, false, &has_system_failed);
}

static size_t many_there(struct disk *disk)
{
        size_t there = 0;
        for (size_t i = 0; i < MANY; i++) {
                OWN(buf) struct buf bytes;
                char path[64], content[24];
                buf_init(&bytes, 16);
                snprintf(content, sizeof(content), "%zu", i);
                snprintf(path, sizeof(path), "streams/rules/a/%s", many_of(NULL, i).path);
                there += disk->ops->read(disk, path, &bytes, NULL) == OK && strcmp(buf_text(&bytes), content) == 0;
        }
        return there;
}

TEST(unpack, of_many_files_says_done_only_when_all_of_it_survives_a_power_cut)
{
        for (unsigned fate = 0; fate < SIM_FATES; fate++) {
                OWN(sim_disk) struct sim_disk sim = { 0 };
                sim_disk_init(&sim);
                fill_many(&sim.disk);
                CHECK(unpack_many(&sim.disk) == OK);
                sim_disk_cut_at(&sim, 0, fate);
                CHECK(sim.disk.ops->make_folder(&sim.disk, "next", NULL) != OK);
                sim_disk_power_on(&sim);
                CHECK(many_there(&sim.disk) == MANY);
        }
}

TEST(unpack, of_many_files_can_be_repeated_wherever_the_power_went)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        unsigned cuts = 0, torn = 0;
        SWEEP_POWER_AFTER(&sim, fill_many) {
                cuts += unpack_many(&sim.disk) != OK;
                sim_disk_power_on(&sim);
                torn += many_there(&sim.disk) < MANY;
                CHECK(unpack_many(&sim.disk) == OK && many_there(&sim.disk) == MANY);
        }
        CHECK(cuts > MANY && torn > MANY);
}

static enum err others_cannot_write(struct disk *disk, int file, struct why *why)
{
        (void)disk, (void)file;
        return FAIL(why, ERR_IO, "what another program wrote is lost");
}

TEST(unpack, of_many_files_needs_nothing_of_its_neighbours)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        bool has_system_failed;
        sim_disk_init(&sim);
        fill_many(&sim.disk);
        struct disk_ops ops = *sim.disk.ops;
        ops.sync_system = others_cannot_write;
        sim.disk.ops = &ops;
        CHECK(unpack_many_so(&sim.disk, false, &has_system_failed) == ERR_IO && has_system_failed);
        CHECK(unpack_many_so(&sim.disk, true, &has_system_failed) == OK && !has_system_failed);
        sim_disk_cut_at(&sim, 0, 0);
        CHECK(sim.disk.ops->make_folder(&sim.disk, "next", NULL) != OK);
        sim_disk_power_on(&sim);
        CHECK(many_there(&sim.disk) == MANY);
}
