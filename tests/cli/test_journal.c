#include "cli/journal.h"

#include "support/sim_disk.h"
#include "support/sweep.h"
#include "support/test.h"

#include <string.h>

static const char *const paths[] = { "releases/edr-rules/4/note", "metadata/targets.json", "metadata/snapshot.json" };
static const char *const old_texts[] = { "unsigned\n", "{\"signed\":1}", "{\"signed\":2}" };
static const char *const new_texts[] = { "signed\n\n\u2014 x y\n", "{\"a\":\"q\\\"\",\"signed\":3}", "{\"signed\":4}" };

static void must(enum err e)
{
        CHECK(e == OK);
}

static void prepare(struct disk *disk)
{
        static const char *const folders[] = { "metadata", "releases", "releases/edr-rules", "releases/edr-rules/4" };
        for (size_t i = 0; i < 4; i++)
                must(disk->ops->make_folder(disk, folders[i], NULL));
        must(disk->ops->sync_folder(disk, "", NULL));
        must(disk->ops->sync_folder(disk, "releases", NULL));
        must(disk->ops->sync_folder(disk, "releases/edr-rules", NULL));
        for (size_t i = 0; i < 3; i++)
                must(disk->ops->replace(disk, paths[i], old_texts[i], strlen(old_texts[i]), NULL));
}

static enum err commit(struct disk *disk)
{
        struct buf texts[3] = { 0 };
        struct journal_file files[3];
        for (size_t i = 0; i < 3; i++) {     /* borrowed, so that a sweep meets only the journal's allocations */
                texts[i] = (struct buf){ .bytes = (char *)new_texts[i], .length = strlen(new_texts[i]) };
                files[i] = (struct journal_file){ paths[i], &texts[i] };
        }
        return journal_commit(disk, files, 3, NULL);
}

static bool holds(struct disk *disk, const char *const *texts)
{
        for (size_t i = 0; i < 3; i++) {
                OWN(buf) struct buf text;
                buf_init(&text, 4096);
                must(disk->ops->read(disk, paths[i], &text, NULL));
                if (strcmp(buf_text(&text), texts[i]) != 0)
                        return false;
        }
        return true;
}

TEST(journal, changes_three_files_as_one_whenever_the_power_goes)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        SWEEP_POWER_AFTER(&sim, prepare) {
                enum err e = commit(&sim.disk);
                sim_disk_power_on(&sim);
                CHECK(journal_finish(&sim.disk, NULL) == OK);
                CHECK(holds(&sim.disk, new_texts) || (e && holds(&sim.disk, old_texts)));
        }
}

TEST(journal, changes_three_files_as_one_whichever_call_fails)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        SWEEP_DISK_FAULT(&sim, prepare, ERR_FULL) {
                enum err e = commit(&sim.disk);
                sim_disk_power_on(&sim);
                CHECK(journal_finish(&sim.disk, NULL) == OK);
                CHECK(holds(&sim.disk, new_texts) || (e && holds(&sim.disk, old_texts)));
        }
}

TEST(journal, finishes_once)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        prepare(&sim.disk);
        bool is_pending = true;
        CHECK(commit(&sim.disk) == OK && holds(&sim.disk, new_texts));
        CHECK(journal_is_pending(&sim.disk, &is_pending, NULL) == OK && !is_pending);
        unsigned changes = sim.changes;
        CHECK(journal_finish(&sim.disk, NULL) == OK && sim.changes == changes);
}

TEST(journal, refuses_a_step_that_it_did_not_write)
{
        static const char *const bad[] = {
                "", "{}", "[]", "[\"metadata/targets.json\"]", "{\"metadata/targets.json\":\"x\",\"metadata/snapshot.json\":1}",
                "{\"metadata/targets.json\":\"x\",\"../../etc/4\":\"x\"}", "{\"metadata/targets.json\":\"x\",\"/etc/4\":\"x\"}",
        };
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                OWN(sim_disk) struct sim_disk sim = { 0 };
                sim_disk_init(&sim);
                prepare(&sim.disk);
                must(sim.disk.ops->replace(&sim.disk, "metadata/next", bad[i], strlen(bad[i]), NULL));
                struct why why;
                CHECK(journal_finish(&sim.disk, &why) != OK && strstr(why.text, "metadata/next") && holds(&sim.disk, old_texts));
        }
}

TEST(journal, survives_every_allocation_failure)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        prepare(&sim.disk);
        SWEEP_MEMORY {
                enum err e = commit(&sim.disk);
                CHECK(e == OK || e == ERR_NOMEM);
        }
        CHECK(holds(&sim.disk, new_texts));
}
