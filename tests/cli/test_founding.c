#include "cli/founding.h"

#include "base/limits.h"
#include "support/sim_disk.h"
#include "support/sim_random.h"
#include "support/sweep.h"
#include "support/test.h"
#include "trust/anchor.h"
#include "trust/tuf.h"

#include <string.h>

static const int64_t now = 1784432140;

static enum err make(struct sim_disk *sim, const char *passphrase, struct why *why)
{
        struct sim_random random;
        struct passphrase words = { "" };
        sim_random_init(&random, 1);
        snprintf(words.text, sizeof(words.text), "%s", passphrase);
        return founding_make(&(struct founding){ .disk = &sim->disk, .random = &random.source, .folder = "acme", .publisher = "acme",
                                     .passphrase = &words, .now = now }, why);
}

static void read_file(struct sim_disk *sim, const char *path, struct buf *into)
{
        buf_clear(into);
        CHECK(sim->disk.ops->read(&sim->disk, path, into, NULL) == OK);
}

TEST(founding_make, makes_what_our_own_verifier_takes)
{
        struct sim_disk sim;
        sim_disk_init(&sim);
        OWN(buf) struct buf file;
        buf_init(&file, LIMIT_METADATA_BYTES);
        OWN(tuf) struct tuf *release = NULL, *director = NULL;
        struct anchor anchor;
        struct tuf_stamp stamp;
        CHECK(make(&sim, "", NULL) == OK);
        read_file(&sim, "acme/public/release.root.json", &file);
        CHECK(tuf_open(&file, now, &release, NULL) == OK);
        read_file(&sim, "acme/metadata/targets.json", &file);
        CHECK(tuf_check(release, TUF_TARGETS, &file, &stamp, NULL) == OK && stamp.version == 1);
        read_file(&sim, "acme/metadata/snapshot.json", &file);
        CHECK(tuf_check(release, TUF_SNAPSHOT, &file, &stamp, NULL) == OK && stamp.version == 1);
        read_file(&sim, "acme/online/director.root.json", &file);
        CHECK(tuf_open(&file, now, &director, NULL) == OK);
        read_file(&sim, "acme/public/release.anchor", &file);
        CHECK(anchor_open(file.bytes, file.length, &anchor, NULL) == OK && strcmp(anchor.lab.keys[0].name, "lab.acme") == 0);
        sim_disk_done(&sim);
}

TEST(founding_make, locks_only_the_offline_keys)
{
        struct sim_disk sim;
        sim_disk_init(&sim);
        OWN(buf) struct buf file;
        OWN(secret_key) struct secret_key key = { 0 };
        buf_init(&file, LIMIT_METADATA_BYTES);
        CHECK(make(&sim, "correct horse", NULL) == OK);
        read_file(&sim, "acme/offline/root.pem", &file);
        CHECK(key_pem_read(&file, "wrong horse", &key, NULL) == ERR_UNAUTHORIZED);
        CHECK(key_pem_read(&file, "correct horse", &key, NULL) == OK);
        read_file(&sim, "acme/online/director.pem", &file);
        CHECK(key_pem_read(&file, NULL, &key, NULL) == OK);
        sim_disk_done(&sim);
}

TEST(founding_make, leaves_a_folder_that_is_there_as_it_is)
{
        struct sim_disk sim;
        struct why why;
        sim_disk_init(&sim);
        CHECK(sim.disk.ops->make_folder(&sim.disk, "acme", NULL) == OK);
        CHECK(make(&sim, "", &why) == ERR_REFUSED && strstr(why.text, "choose another name"));
        sim_disk_done(&sim);
}

/* A folder that bears the name is whole, wherever the power goes; and the next try is not in its own way. */
TEST(founding_make, gives_its_name_only_to_a_whole_folder)
{
        struct sim_disk sim = { 0 };
        SWEEP_POWER(&sim) {
                (void)!make(&sim, "", NULL);
                sim_disk_power_on(&sim);
                OWN(buf) struct buf file;
                buf_init(&file, LIMIT_METADATA_BYTES);
                enum err e = make(&sim, "", NULL);
                CHECK(e == OK || e == ERR_REFUSED);
                read_file(&sim, "acme/publisher.json", &file);
                read_file(&sim, "acme/offline/lab.pem", &file);
        }
        sim_disk_done(&sim);
}
