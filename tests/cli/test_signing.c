#include "cli/signing.h"

#include "cli/device.h"
#include "platform/file.h"
#include "support/sweep.h"

TEST(signing, makes_what_a_device_takes)
{
        OWN(folders) struct folders f = { 0 };
        OWN(release_note) struct release_note *note = NULL;
        folders_make(&f);
        CHECK(folders_pack(&f, NULL) == OK && folders_sign(&f, 1) == OK && f.made.version == 2 && f.made.expires == NOW + PUBLISHER_METADATA_S);
        CHECK(device_takes(&f.publisher.disk, 1, &note) && note->file_count == 3);
}

TEST(signing, lists_each_release_beside_those_before)
{
        OWN(folders) struct folders f = { 0 };
        OWN(release_note) struct release_note *one = NULL, *two = NULL;
        folders_make(&f);
        CHECK(folders_pack(&f, NULL) == OK && folders_sign(&f, 1) == OK);
        CHECK(folders_pack(&f, NULL) == OK && folders_sign(&f, 2) == OK && f.made.version == 3);
        CHECK(device_takes(&f.publisher.disk, 1, &one) && device_takes(&f.publisher.disk, 2, &two));
}

TEST(signing, goes_on_after_the_metadata_has_expired)
{
        OWN(folders) struct folders f = { 0 };
        folders_make(&f);
        CHECK(folders_pack(&f, NULL) == OK);
        f.now = NOW + PUBLISHER_METADATA_S + 1;
        CHECK(folders_sign(&f, 1) == OK && f.made.expires == f.now + PUBLISHER_METADATA_S);
}

/* What a refusal leaves: the note unsigned, and the metadata as it was. */
static bool is_unsigned(struct disk *disk)
{
        OWN(release_folder) struct release_folder folder = { 0 };
        OWN(tuf) struct tuf *tuf = NULL;
        must(release_folder_open(disk, &(struct release_id){ "edr-rules", 1 }, &folder, NULL));
        follow_metadata(disk, &tuf);
        return !folder.is_signed && tuf_target_count(tuf) == 0 && tuf_version(tuf, TUF_TARGETS) == 1 && tuf_version(tuf, TUF_SNAPSHOT) == 1;
}

static bool is_signed(struct disk *disk)
{
        OWN(release_note) struct release_note *note = NULL;
        return device_takes(disk, 1, &note);
}

TEST(signing, refuses_what_is_signed_already)
{
        OWN(folders) struct folders f = { 0 };
        folders_make(&f);
        CHECK(folders_pack(&f, NULL) == OK && folders_sign(&f, 1) == OK);
        unsigned changes = f.publisher.changes;
        CHECK(folders_sign(&f, 1) == ERR_REFUSED && strstr(f.why.text, "signed already") && f.publisher.changes == changes);
}

/* Whoever deletes a signed release and packs another under its number. */
TEST(signing, refuses_another_release_under_a_name_that_is_listed)
{
        OWN(folders) struct folders f = { 0 };
        folders_make(&f);
        CHECK(folders_pack(&f, NULL) == OK && folders_sign(&f, 1) == OK);
        must(f.publisher.disk.ops->remove_tree(&f.publisher.disk, "releases/edr-rules/1", NULL));
        put_text(&f.content.disk, "VERSION", "other\n");
        CHECK(folders_pack(&f, NULL) == OK);
        CHECK(folders_sign(&f, 1) == ERR_REFUSED && strstr(f.why.text, "higher counter"));
}

TEST(signing, refuses_content_that_changed_since_it_was_packed)
{
        OWN(folders) struct folders f = { 0 };
        folders_make(&f);
        CHECK(folders_pack(&f, NULL) == OK);
        put_text(&f.publisher.disk, "releases/edr-rules/1/files/VERSION", "x\n");
        CHECK(folders_sign(&f, 1) == ERR_CONTENT && strstr(f.why.text, "VERSION is not what was packed") && is_unsigned(&f.publisher.disk));
}

TEST(signing, says_which_key_is_missing_or_none)
{
        static const char key[] = "offline/targets.pem";
        OWN(folders) struct folders f = { 0 };
        folders_make(&f);
        CHECK(folders_pack(&f, NULL) == OK);
        must(f.publisher.disk.ops->remove_tree(&f.publisher.disk, key, NULL));
        CHECK(folders_sign(&f, 1) == ERR_NOT_FOUND && strstr(f.why.text, key) && strstr(f.why.text, "bring the medium"));
        put_text(&f.publisher.disk, key, "not a key\n");
        CHECK(folders_sign(&f, 1) == ERR_SYNTAX && strstr(f.why.text, key) && is_unsigned(&f.publisher.disk));
}

static void move_key(struct folders *f, const char *from, const char *to)
{
        OWN(buf) struct buf pem;
        read_text(&f->publisher.disk, from, &pem);
        put_text(&f->publisher.disk, to, buf_text(&pem));
}

TEST(signing, refuses_keys_that_devices_do_not_know)
{
        OWN(folders) struct folders f = { 0 };
        folders_make(&f);
        CHECK(folders_pack(&f, NULL) == OK);
        move_key(&f, "offline/lab.pem", "offline/targets.pem");
        CHECK(folders_sign(&f, 1) == ERR_UNTRUSTED && strstr(f.why.text, "no content key") && is_unsigned(&f.publisher.disk));
}

TEST(signing, refuses_under_a_root_that_has_expired)
{
        OWN(folders) struct folders f = { 0 };
        folders_make(&f);
        CHECK(folders_pack(&f, NULL) == OK);
        f.now = NOW + (int64_t)366 * 86400;
        CHECK(folders_sign(&f, 1) == ERR_EXPIRED && strstr(f.why.text, "is the clock right") && is_unsigned(&f.publisher.disk));
}

TEST(signing, refuses_metadata_that_another_publisher_signed)
{
        OWN(folders) struct folders f = { 0 };
        OWN(buf) struct buf text;
        folders_make(&f);
        CHECK(folders_pack(&f, NULL) == OK);
        read_text(&f.publisher.disk, "metadata/snapshot.json", &text);
        char *at = strstr(text.bytes, "\"sig\":\"");
        at[7] = at[7] == '0' ? '1' : '0';
        put_text(&f.publisher.disk, "metadata/snapshot.json", buf_text(&text));
        CHECK(folders_sign(&f, 1) == ERR_UNTRUSTED && strstr(f.why.text, "the files in force: snapshot.json"));
}

static enum err sign_with(struct folders *f, const char *words)
{
        char folder[64], path[128];
        must(file_temporary(folder, NULL));
        snprintf(path, sizeof(path), "%s/words", folder);
        must(file_write(path, words, strlen(words), NULL));
        f->args.of[OPTION_PASSPHRASE] = (struct arg){ .count = 1, .texts = { path } };
        enum err e = folders_sign(f, 1);
        file_remove_tree(folder);
        return e;
}

TEST(signing, asks_for_the_passphrase_of_keys_that_have_one)
{
        OWN(folders) struct folders f = { .now = NOW };
        sim_disk_init(&f.content);
        sim_disk_init(&f.publisher);
        prepare_content(&f.content.disk);
        make_publisher(&f.publisher.disk, "correct horse");
        CHECK(folders_pack(&f, NULL) == OK);
        CHECK(sign_with(&f, "wrong horse\n") == ERR_UNAUTHORIZED && strstr(f.why.text, "wrong passphrase") && is_unsigned(&f.publisher.disk));
        CHECK(sign_with(&f, "correct horse\n") == OK && is_signed(&f.publisher.disk));
}

/* A file that is named but not needed is not read: no key has a passphrase. */
TEST(signing, asks_for_no_passphrase_when_no_key_has_one)
{
        OWN(folders) struct folders f = { 0 };
        folders_make(&f);
        f.args.of[OPTION_PASSPHRASE] = (struct arg){ .count = 1, .texts = { "/nonexistent" } };
        CHECK(folders_pack(&f, NULL) == OK && folders_sign(&f, 1) == OK);
}

/* ---- all of it, or nothing ---- */

static void prepare_packed(struct disk *disk)
{
        struct sim_disk content = { 0 };
        struct packed packed;
        prepare_publisher(disk);
        sim_disk_init(&content);
        prepare_content(&content.disk);
        must(pack_wish(&content.disk, disk, NULL, &packed, NULL));
        sim_disk_done(&content);
}

static enum err sign_first(struct disk *disk)
{
        struct sim_random random;
        struct args args = { 0 };
        struct signed_release made;
        sim_random_init(&random, 2);
        return signing_do(&(struct signing){ .disk = disk, .release = { "edr-rules", 1 }, .random = &random.source, .now = NOW, .args = &args }, &made, NULL);
}

static void check_outcome(struct sim_disk *sim, enum err e)
{
        sim_disk_power_on(sim);
        must(journal_finish(&sim->disk, NULL));
        bool has_signed = is_signed(&sim->disk);
        CHECK(has_signed || (e && is_unsigned(&sim->disk)));
        CHECK(sign_first(&sim->disk) == (has_signed ? ERR_REFUSED : OK) && is_signed(&sim->disk));
}

TEST(signing, is_done_or_not_whenever_the_power_goes)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        SWEEP_POWER_AFTER(&sim, prepare_packed)
                check_outcome(&sim, sign_first(&sim.disk));
}

TEST(signing, is_done_or_not_on_a_full_disk)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        SWEEP_DISK_FAULT(&sim, prepare_packed, ERR_FULL)
                check_outcome(&sim, sign_first(&sim.disk));
}

TEST(signing, survives_every_allocation_failure)
{
        OWN(folders) struct folders f = { 0 };
        folders_make(&f);
        CHECK(folders_pack(&f, NULL) == OK);
        SWEEP_MEMORY {
                enum err e = journal_finish(&f.publisher.disk, NULL);
                if (!e)
                        e = folders_sign(&f, 1);
                CHECK(e == OK || e == ERR_NOMEM || e == ERR_REFUSED);
        }
        CHECK(is_signed(&f.publisher.disk));
}
