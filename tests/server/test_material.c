#include "server/material.h"

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
        const struct anchor anchor = { .version = 1, .root_threshold = 1, .root_count = 1, .root = { test_vkey("root", 1) }, .content_threshold = 1,
                                       .content_count = 1, .content = { test_vkey("content", 6) }, .director = test_vkey("director", anchored),
                                       .lab_count = 1, .lab = { test_vkey("lab", 7) } };
        buf_init(&material->release_root, LIMIT_METADATA_BYTES);
        buf_init(&material->director_root, LIMIT_METADATA_BYTES);
        buf_init(&material->anchor, LIMIT_METADATA_BYTES);
        make_root(1, timestamp, &material->release_root);
        make_root(4, director, &material->director_root);
        CHECK(anchor_write(&anchor, &material->anchor, NULL) == OK);
        test_sign(&material->anchor, "root", 1);
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
                { 3, 5, 8, "director.pem", "anchor" },
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
                for (int which = 0; which < 3; which++) {
                        struct material material;
                        struct why why = { 0 };
                        make(&material, 3, 5, 5);
                        struct buf *const files[] = { &material.release_root, &material.director_root, &material.anchor };
                        static const char *const names[] = { "release.root.json", "director.root.json", "anchor" };
                        buf_clear(files[which]);
                        buf_add_text(files[which], texts[i]);
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
