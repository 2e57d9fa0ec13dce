#include "server/material.h"

#include "base/mem.h"
#include "platform/file.h"
#include "server/signer/forms.h"
#include "support/sweep.h"
#include "support/test.h"
#include "trust/anchor.h"
#include "trust/keys.h"
#include "trust/tuf_build.h"

#include <string.h>

/* Of one publisher: the numbers of the keys that sign, and that the files name. */
struct numbers { uint8_t timestamp, director; };

struct bench { struct signer signer; struct numbers has; };

static enum err sign_form(struct signer *signer, enum signer_form form, const void *bytes, size_t length, uint8_t ret_signature[64], struct why *why)
{
        const struct bench *bench = (const struct bench *)signer;
        enum err e = signer_check_form(form, bytes, length, why);
        if (e)
                return e;
        struct secret_key key = test_key(form == SIGNER_RELEASE_TIMESTAMP ? bench->has.timestamp : bench->has.director);
        key_sign(&key, bytes, length, ret_signature);
        return OK;
}

static const struct signer_ops ops = { sign_form };

static void make_root(uint8_t by, uint8_t online, struct buf *into)
{
        struct secret_key root_key = test_key(by);
        const struct public_key other = test_key(2).public, timestamp = test_key(online).public;
        const struct tuf_root root = { .stamp = { 1, 1784432200 }, .roles = { { &root_key.public, 1, 1 }, { &other, 1, 1 }, { &other, 1, 1 }, { &timestamp, 1, 1 } } };
        OWN(buf) struct buf to_sign;
        buf_init(&to_sign, LIMIT_METADATA_BYTES);
        CHECK(tuf_root_write(&root, &to_sign, NULL) == OK);
        CHECK(tuf_file_sign(&to_sign, &root_key, 1, into, NULL) == OK);
}

static void make(struct material *material, uint8_t timestamp, uint8_t director, uint8_t anchored)
{
        const struct anchor anchor = { .version = 1, .root = { 1, 1, { test_vkey("root", 1) } }, .content = { 1, 1, { test_vkey("content", 6) } },
                                       .lab = { 1, 1, { test_vkey("lab", 7) } } };
        const struct director_anchor director_anchor = { .version = 1, .root = { 1, 1, { test_vkey("own", 4) } }, .key = test_vkey("director", anchored) };
        *material = (struct material){ 0 };
        for (size_t i = 0; i < MATERIAL_KINDS; i++) {
                material->files[i] = (struct material_file){ mem_new(1, sizeof(struct buf)), 1 };
                CHECK(material->files[i].versions);
                buf_init(material->files[i].versions, LIMIT_METADATA_BYTES);
        }
        struct buf *const own = material->files[MATERIAL_DIRECTOR_ANCHOR].versions, *const note = material->files[MATERIAL_ANCHOR].versions;
        make_root(1, timestamp, material->files[MATERIAL_RELEASE_ROOT].versions);
        make_root(4, director, material->files[MATERIAL_DIRECTOR_ROOT].versions);
        CHECK(anchor_write(&anchor, note, NULL) == OK);
        test_sign(note, "root", 1);
        CHECK(director_anchor_write(&director_anchor, own, NULL) == OK);
        test_sign(own, "own", 4);
}

static struct bench bench = { { &ops }, { 3, 5 } };

TEST(material_check, takes_keys_and_files_of_one_publisher)
{
        struct material material;
        make(&material, 3, 5, 5);
        CHECK(material_check(&material, &bench.signer, NULL) == OK);
        material_done(&material);
}

TEST(material_check, says_which_key_is_of_another_publisher)
{
        static const struct { uint8_t timestamp, director, anchored; const char *key, *file; } cases[] = {
                { 8, 5, 5, "timestamp.pem", "release.root.json" },
                { 5, 5, 5, "timestamp.pem", "release.root.json" },        /* the director's instead */
                { 3, 8, 5, "director.pem", "director.root.json" },
                { 3, 3, 5, "director.pem", "director.root.json" },
                { 3, 5, 8, "director.pem", "director.anchor" },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct material material;
                struct why why = { 0 };
                make(&material, cases[i].timestamp, cases[i].director, cases[i].anchored);
                CHECK(material_check(&material, &bench.signer, &why) == ERR_UNTRUSTED);
                CHECK(strstr(why.text, cases[i].key) && strstr(why.text, cases[i].file) && strstr(why.text, "--keys"));
                material_done(&material);
        }
}

TEST(material_check, names_the_file_that_is_damaged)
{
        static const char *const texts[] = { "", "nonsense", "{}", "{\"signed\":{\"roles\":{\"timestamp\":{\"keyids\":[\"a\"]}}}}",
                                             "{\"signed\":{\"keys\":{\"a\":{\"keyval\":{\"public\":\"xy\"}}},\"roles\":{\"timestamp\":{\"keyids\":[\"a\"]}}}}" };
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
                for (int which = 0; which < MATERIAL_KINDS; which++) {
                        struct material material;
                        struct why why = { 0 };
                        make(&material, 3, 5, 5);
                        static const char *const names[] = { "release.root.json", "director.root.json", "release.anchor", "director.anchor" };
                        buf_clear(material.files[which].versions);
                        buf_add_text(material.files[which].versions, texts[i]);
                        CHECK(material_check(&material, &bench.signer, &why) == ERR_SYNTAX);
                        CHECK(strstr(why.text, names[which]));
                        material_done(&material);
                }
}

TEST(material_check, survives_a_lack_of_memory)
{
        struct material material;
        make(&material, 3, 5, 5);
        SWEEP_MEMORY {
                enum err e = material_check(&material, &bench.signer, NULL);
                CHECK(e == OK || e == ERR_NOMEM);
        }
        material_done(&material);
}

TEST(material_read, says_that_the_folder_is_none)
{
        struct material material = { 0 };
        struct why why = { 0 };
        CHECK(material_read("/no/such/folder", &material, &why) == ERR_NOT_FOUND && strstr(why.text, "firebreak init"));
        material_done(&material);
}

TEST(material_check, says_which_anchor_is_of_another_publisher)
{
        static const char *const names[] = { [MATERIAL_ANCHOR] = "release.anchor", [MATERIAL_DIRECTOR_ANCHOR] = "director.anchor" };
        for (int which = MATERIAL_ANCHOR; which <= MATERIAL_DIRECTOR_ANCHOR; which++) {
                struct material material;
                struct why why = { 0 };
                const struct anchor anchor = { .version = 1, .root = { 1, 1, { test_vkey("root", 21) } }, .content = { 1, 1, { test_vkey("content", 6) } },
                                               .lab = { 1, 1, { test_vkey("lab", 7) } } };
                const struct director_anchor own = { .version = 1, .root = { 1, 1, { test_vkey("root", 21) } }, .key = test_vkey("director", 5) };
                make(&material, 3, 5, 5);
                struct buf *const file = material.files[which].versions;
                buf_clear(file);
                CHECK((which == MATERIAL_ANCHOR ? anchor_write(&anchor, file, NULL) : director_anchor_write(&own, file, NULL)) == OK);
                test_sign(file, "root", 21);
                CHECK(material_check(&material, &bench.signer, &why) == ERR_UNTRUSTED && strstr(why.text, names[which]) && strstr(why.text, "--keys"));
                material_done(&material);
        }
}

/* ---- versions ---- */

static void put(const char *folder, const char *name, const char *text)
{
        char path[128];
        snprintf(path, sizeof(path), "%s/%s", folder, name);
        CHECK(file_write(path, text, strlen(text), NULL) == OK);
}

static void fill(const char *folder)
{
        put(folder, "release.root.json", "r3");
        put(folder, "director.root.json", "d1");
        put(folder, "release.anchor", "a2");
        put(folder, "director.anchor", "o1");
        put(folder, "release.1.root.json", "r1");
        put(folder, "release.2.root.json", "r2");
        put(folder, "release.3.root.json", "r3");
        put(folder, "release.1.anchor", "a1");
        put(folder, "release.2.anchor", "a2");
}

TEST(material_read, reads_every_version_in_order)
{
        struct material material = { 0 };
        char folder[64];
        CHECK(file_temporary(folder, NULL) == OK);
        fill(folder);
        CHECK(material_read(folder, &material, NULL) == OK);
        const struct store_trust trust = material_trust(&material);
        CHECK(trust.release_root.count == 3 && strcmp(buf_text(&trust.release_root.files[1]), "r2") == 0);
        CHECK(trust.anchor.count == 2 && trust.director_root.count == 1 && trust.director_anchor.count == 1);
        CHECK(strcmp(buf_text(material_newest(&material, MATERIAL_RELEASE_ROOT)), "r3") == 0);
        material_done(&material);
        file_remove_tree(folder);
}

TEST(material_read, refuses_versions_that_do_not_end_with_the_newest)
{
        struct material material = { 0 };
        struct why why = { 0 };
        char folder[64];
        CHECK(file_temporary(folder, NULL) == OK);
        fill(folder);
        put(folder, "release.root.json", "r2");
        CHECK(material_read(folder, &material, &why) == ERR_SYNTAX && strstr(why.text, "release.3.root.json") && strstr(why.text, "whole"));
        material_done(&material);
        file_remove_tree(folder);
}
