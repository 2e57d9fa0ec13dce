#include "agent/anchors.h"

#include "agent/ceremony.h"
#include "platform/file.h"
#include "support/sim_disk.h"
#include "support/sweep.h"

static const char *const file_names[] = { "release.anchor", "director.anchor" };

static struct fixture { char folder[64]; struct sim_disk sim; } fixture;

static void pin(enum bundle_repository repository, const struct buf *bytes)
{
        char path[96];
        snprintf(path, sizeof(path), "%s/%s", fixture.folder, file_names[repository]);
        CHECK(file_write(path, bytes->bytes, bytes->length, NULL) == OK);
}

static void pin_version(enum bundle_repository repository, uint64_t version)
{
        OWN(buf) struct buf bytes;
        buf_init(&bytes, LIMIT_METADATA_BYTES);
        ceremony_sign_version(repository, version, &bytes);
        pin(repository, &bytes);
}

static void make_folder(struct disk *disk)
{
        CHECK(disk->ops->make_folder(disk, "trust", NULL) == OK && disk->ops->sync_folder(disk, "", NULL) == OK);
}

static void begin(void)
{
        CHECK(file_temporary(fixture.folder, NULL) == OK);
        sim_disk_init(&fixture.sim);
        make_folder(&fixture.sim.disk);
        pin_version(BUNDLE_RELEASE, 1);
        pin_version(BUNDLE_DIRECTOR, 1);
}

static void end(void)
{
        file_remove_tree(fixture.folder);
        sim_disk_done(&fixture.sim);
}

static void keep(enum bundle_repository repository, const void *bytes, size_t length)
{
        char path[48];
        snprintf(path, sizeof(path), "trust/%s", file_names[repository]);
        CHECK(fixture.sim.disk.ops->replace(&fixture.sim.disk, path, bytes, length, NULL) == OK);
}

static void keep_version(enum bundle_repository repository, uint64_t version)
{
        OWN(buf) struct buf bytes;
        buf_init(&bytes, LIMIT_METADATA_BYTES);
        ceremony_sign_version(repository, version, &bytes);
        keep(repository, bytes.bytes, bytes.length);
}

static struct anchors *open_anchors(void)
{
        struct anchors *anchors = NULL;
        CHECK(anchors_open(fixture.folder, &fixture.sim.disk, &anchors, NULL) == OK);
        return anchors;
}

static enum err follow_version(struct anchors *anchors, enum bundle_repository repository, uint64_t version)
{
        OWN(buf) struct buf bytes;
        buf_init(&bytes, LIMIT_METADATA_BYTES);
        ceremony_sign_version(repository, version, &bytes);
        return anchors_follow(anchors, repository, &bytes, NULL);
}

/* Which versions are in force, and with the keys of these versions. */
static bool are(const struct anchors *anchors, uint64_t release, uint64_t director)
{
        const struct vkey content = test_vkey("content", ceremony_keys[release].content), granting = test_vkey("director", ceremony_keys[director].director);
        return anchors_version(anchors, BUNDLE_RELEASE) == release && anchors_version(anchors, BUNDLE_DIRECTOR) == director
               && anchor_role_find(&anchors_publisher(anchors)->content, &content.key) && key_equal(&anchors_director(anchors)->key.key, &granting.key);
}

static bool passes_over(const struct anchors *anchors, bool release, bool director)
{
        return !anchors_passed_over(anchors, BUNDLE_RELEASE) == !release && !anchors_passed_over(anchors, BUNDLE_DIRECTOR) == !director;
}

TEST(anchors, follow_from_what_is_pinned_and_are_there_after_a_restart)
{
        begin();
        OWN(anchors) struct anchors *anchors = open_anchors();
        CHECK(are(anchors, 1, 1) && passes_over(anchors, false, false));
        CHECK(follow_version(anchors, BUNDLE_RELEASE, 2) == OK && are(anchors, 2, 1));
        CHECK(follow_version(anchors, BUNDLE_DIRECTOR, 2) == OK && follow_version(anchors, BUNDLE_RELEASE, 3) == OK && are(anchors, 3, 2));
        OWN(anchors) struct anchors *again = open_anchors();
        CHECK(are(again, 3, 2) && passes_over(again, false, false));
        end();
}

/* What is served as version 2, which of these roots signed it, and what is said to it. */
TEST(anchors, stay_as_they_are_when_the_next_one_does_not_follow)
{
        static const struct { enum bundle_repository repository; uint64_t version; struct ceremony_keys keys; bool by_old, by_new; enum err expected; } rows[] = {
                { BUNDLE_RELEASE, 2, { 11, 12, 15 }, true, false, ERR_UNTRUSTED },
                { BUNDLE_RELEASE, 2, { 11, 12, 15 }, false, true, ERR_UNTRUSTED },
                { BUNDLE_RELEASE, 3, { 11, 12, 15 }, true, true, ERR_ROLLBACK },
                { BUNDLE_RELEASE, 1, { 11, 12, 15 }, true, true, ERR_ROLLBACK },
                { BUNDLE_RELEASE, 2, { 11, 5, 15 }, true, true, ERR_UNTRUSTED },         /* the director could approve content */
                { BUNDLE_DIRECTOR, 2, { 11, 12, 15 }, true, false, ERR_UNTRUSTED },
                { BUNDLE_DIRECTOR, 2, { 11, 12, 15 }, false, true, ERR_UNTRUSTED },
                { BUNDLE_DIRECTOR, 3, { 11, 12, 15 }, true, true, ERR_ROLLBACK },
                { BUNDLE_DIRECTOR, 2, { 11, 12, 2 }, true, true, ERR_UNTRUSTED },        /* the same from the other side */
        };
        begin();
        OWN(anchors) struct anchors *anchors = open_anchors();
        OWN(buf) struct buf bytes;
        buf_init(&bytes, LIMIT_METADATA_BYTES);
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                ceremony_write(rows[i].repository, rows[i].version, &rows[i].keys, &bytes);
                if (rows[i].by_old)
                        test_sign(&bytes, "root", 1);
                if (rows[i].by_new)
                        test_sign(&bytes, "root", rows[i].keys.root);
                CHECK(anchors_follow(anchors, rows[i].repository, &bytes, NULL) == rows[i].expected && are(anchors, 1, 1));
        }
        buf_clear(&bytes);
        buf_add_text(&bytes, "<!DOCTYPE html>");
        CHECK(anchors_follow(anchors, BUNDLE_RELEASE, &bytes, NULL) == ERR_SYNTAX && are(anchors, 1, 1));
        OWN(anchors) struct anchors *again = open_anchors();
        CHECK(are(again, 1, 1) && passes_over(again, false, false));
        end();
}

TEST(anchors, are_not_in_force_unless_the_disk_has_them)
{
        begin();
        OWN(anchors) struct anchors *anchors = open_anchors();
        fixture.sim.is_readonly = true;
        CHECK(follow_version(anchors, BUNDLE_RELEASE, 2) == ERR_IO && are(anchors, 1, 1));
        fixture.sim.is_readonly = false;
        CHECK(follow_version(anchors, BUNDLE_RELEASE, 2) == OK && are(anchors, 2, 1));
        end();
}

TEST(anchors, that_were_kept_and_are_damaged_are_followed_anew)
{
        begin();
        keep_version(BUNDLE_RELEASE, 3);
        keep(BUNDLE_DIRECTOR, "firebreak", 9);
        OWN(anchors) struct anchors *anchors = open_anchors();
        CHECK(are(anchors, 3, 1) && passes_over(anchors, false, true) && strstr(anchors_passed_over(anchors, BUNDLE_DIRECTOR), "trust/director.anchor"));
        CHECK(follow_version(anchors, BUNDLE_DIRECTOR, 2) == OK && are(anchors, 3, 2));
        keep(BUNDLE_RELEASE, "", 0);
        OWN(anchors) struct anchors *again = open_anchors();
        CHECK(are(again, 1, 2) && passes_over(again, true, false));
        end();
}

TEST(anchors, that_a_package_pins_win_over_older_ones_that_were_kept)
{
        begin();
        keep_version(BUNDLE_RELEASE, 2);
        keep_version(BUNDLE_DIRECTOR, 3);
        pin_version(BUNDLE_RELEASE, 3);
        pin_version(BUNDLE_DIRECTOR, 2);
        OWN(anchors) struct anchors *anchors = open_anchors();
        CHECK(are(anchors, 3, 3) && passes_over(anchors, false, false));
        end();
}

/* Of the same version but with other keys: whoever may write the state folder has none to pin. */
TEST(anchors, that_are_pinned_win_over_kept_ones_of_the_same_version)
{
        begin();
        OWN(buf) struct buf bytes;
        buf_init(&bytes, LIMIT_METADATA_BYTES);
        ceremony_write(BUNDLE_RELEASE, 1, &ceremony_keys[4], &bytes);
        test_sign(&bytes, "root", ceremony_keys[4].root);
        keep(BUNDLE_RELEASE, bytes.bytes, bytes.length);
        OWN(anchors) struct anchors *anchors = open_anchors();
        CHECK(are(anchors, 1, 1));
        end();
}

/* The newer pinned one of the director has the key that content had in the meantime. */
TEST(anchors, that_were_kept_do_not_count_when_they_do_not_fit)
{
        begin();
        OWN(buf) struct buf bytes;
        buf_init(&bytes, LIMIT_METADATA_BYTES);
        keep_version(BUNDLE_RELEASE, 2);
        ceremony_write(BUNDLE_DIRECTOR, 2, &(struct ceremony_keys){ 11, 0, 12 }, &bytes);
        test_sign(&bytes, "root", 11);
        pin(BUNDLE_DIRECTOR, &bytes);
        OWN(anchors) struct anchors *anchors = open_anchors();
        CHECK(anchors_version(anchors, BUNDLE_RELEASE) == 1 && anchors_version(anchors, BUNDLE_DIRECTOR) == 2 && passes_over(anchors, true, false));
        end();
}

TEST(anchors, are_refused_when_the_pinned_director_could_approve_content)
{
        begin();
        OWN(buf) struct buf bytes;
        struct why why = { 0 };
        OWN(anchors) struct anchors *anchors = NULL;
        buf_init(&bytes, LIMIT_METADATA_BYTES);
        ceremony_write(BUNDLE_DIRECTOR, 1, &(struct ceremony_keys){ 1, 2, 2 }, &bytes);
        test_sign(&bytes, "root", 1);
        pin(BUNDLE_DIRECTOR, &bytes);
        CHECK(anchors_open(fixture.folder, &fixture.sim.disk, &anchors, &why) == ERR_UNTRUSTED && !anchors && strstr(why.text, fixture.folder)
              && strstr(why.text, "director"));
        end();
}

TEST(anchors, are_the_old_ones_or_the_new_ones_whenever_the_power_goes)
{
        begin();
        SWEEP_POWER_AFTER(&fixture.sim, make_folder) {
                OWN(anchors) struct anchors *anchors = open_anchors();
                for (uint64_t version = 2; version <= 4; version++) {
                        (void)follow_version(anchors, BUNDLE_RELEASE, version);
                        (void)follow_version(anchors, BUNDLE_DIRECTOR, version);
                }
                uint64_t release = anchors_version(anchors, BUNDLE_RELEASE), director = anchors_version(anchors, BUNDLE_DIRECTOR);
                sim_disk_power_on(&fixture.sim);
                OWN(anchors) struct anchors *again = open_anchors();
                uint64_t kept = anchors_version(again, BUNDLE_RELEASE), kept_director = anchors_version(again, BUNDLE_DIRECTOR);
                CHECK(passes_over(again, false, false) && are(again, kept, kept_director));
                /* What was in force is there; at most the one that was being written, too. */
                CHECK((kept == release || kept == release + 1) && (kept_director == director || kept_director == director + 1));
        }
        end();
}

TEST(anchors, survive_a_lack_of_memory)
{
        begin();
        keep_version(BUNDLE_RELEASE, 2);
        keep_version(BUNDLE_DIRECTOR, 2);
        OWN(anchors) struct anchors *first = open_anchors();
        SWEEP_MEMORY {
                OWN(anchors) struct anchors *anchors = NULL;
                enum err e = anchors_open(fixture.folder, &fixture.sim.disk, &anchors, NULL);
                CHECK(e ? e == ERR_NOMEM && !anchors : are(anchors, 2, 2) && passes_over(anchors, false, false));
        }
        OWN(buf) struct buf bytes;
        buf_init(&bytes, LIMIT_METADATA_BYTES);
        ceremony_sign_version(BUNDLE_RELEASE, 3, &bytes);
        SWEEP_MEMORY {
                enum err e = anchors_follow(first, BUNDLE_RELEASE, &bytes, NULL);
                CHECK(e ? e == ERR_NOMEM && are(first, 2, 2) : are(first, 3, 2));
        }
        end();
}
