#include "server/log_key.h"

#include "log/signed.h"
#include "platform/file.h"
#include "server/signer/forms.h"
#include "support/sweep.h"
#include "support/test.h"
#include "trust/anchor.h"

#include <string.h>

/* Signs with key `number`, and only what has the form. */
struct bench { struct signer signer; uint8_t number; };

static enum err sign_form(struct signer *signer, enum signer_form form, const void *bytes, size_t length, uint8_t ret_signature[64], struct why *why)
{
        enum err e = signer_check_form(form, bytes, length, why);
        struct secret_key key = test_key(((const struct bench *)signer)->number);
        if (!e)
                key_sign(&key, bytes, length, ret_signature);
        return e;
}
static const struct signer_ops ops = { sign_form };

/* An anchor that names the log of key `number`; 0: none. */
static void make_anchor(const char *origin, uint8_t number, struct buf *into)
{
        struct anchor anchor = { .version = 1, .root = { 1, 1, { test_vkey("root", 2) } }, .content = { 1, 1, { test_vkey("content", 6) } }, .lab = { 1, 1, { test_vkey("lab", 7) } } };
        struct secret_key key = test_key(number);
        anchor.has_log = number > 0;
        CHECK(verifier_log(origin, &key.public, &anchor.log, NULL) == OK);
        buf_init(into, LIMIT_METADATA_BYTES);
        CHECK(anchor_write(&anchor, into, NULL) == OK);
        test_sign(into, "root", 2);
}

TEST(log_key_check, takes_the_log_that_the_anchor_names_and_one_that_it_does_not_speak_of)
{
        const struct log_key none = { .has_log = false }, key = { true, test_log() };
        struct bench bench = { { &ops }, 1 };
        OWN(buf) struct buf silent, named;
        make_anchor(TEST_ORIGIN, 0, &silent);
        make_anchor(TEST_ORIGIN, 1, &named);
        CHECK(log_key_check(&none, &silent, &bench.signer, NULL) == OK && log_key_check(&key, &silent, &bench.signer, NULL) == OK);
        CHECK(log_key_check(&key, &named, &bench.signer, NULL) == OK);
        SWEEP_MEMORY {
                enum err e = log_key_check(&key, &named, &bench.signer, NULL);
                CHECK(e == OK || e == ERR_NOMEM);
        }
}

TEST(log_key_check, refuses_what_does_not_fit)
{
        const struct { bool has_log; uint8_t signs, named; const char *origin, *says; } cases[] = {
                { false, 1, 1, TEST_ORIGIN, "no log.pem" }, { true, 1, 3, TEST_ORIGIN, "another log" }, { true, 1, 1, "log.example.com/other", "another log" },
                { true, 3, 1, TEST_ORIGIN, "log.vkey names" }, { true, 3, 0, TEST_ORIGIN, "log.vkey names" },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                OWN(buf) struct buf anchor;
                struct why why = { 0 };
                struct bench bench = { { &ops }, cases[i].signs };
                const struct log_key key = { cases[i].has_log, test_log() };
                make_anchor(cases[i].origin, cases[i].named, &anchor);
                CHECK(log_key_check(&key, &anchor, &bench.signer, &why) == ERR_UNTRUSTED && strstr(why.text, cases[i].says) && strstr(why.text, "--keys"));
        }
}

static void put(const char *folder, const char *name, const char *text)
{
        char path[128];
        snprintf(path, sizeof(path), "%s/%s", folder, name);
        CHECK(file_write(path, text, strlen(text), NULL) == OK);
}

TEST(log_key_read, wants_both_files_or_neither)
{
        struct log_key key;
        struct why why = { 0 };
        char folder[64], text[VERIFIER_TEXT_MAX + 1];
        const struct verifier log = test_log(), witness = test_witness(1);
        CHECK(file_temporary(folder, NULL) == OK);
        CHECK(log_key_read(folder, &key, NULL) == OK && !key.has_log);
        put(folder, "log.pem", "a key");
        CHECK(log_key_read(folder, &key, &why) == ERR_REFUSED && strstr(why.text, "log.pem is there without log.vkey"));
        verifier_text(&log, text);
        strncat(text, "\n", 2);
        put(folder, "log.vkey", text);
        CHECK(log_key_read(folder, &key, NULL) == OK && key.has_log && strcmp(key.log.name, TEST_ORIGIN) == 0 && key_equal(&key.log.key, &log.key));
        verifier_text(&witness, text);
        strncat(text, "\n", 2);
        const char *const bad[] = { "", "\n", "nonsense", "nonsense\n", "a+b\nc\n", text };
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                put(folder, "log.vkey", bad[i]);
                CHECK(log_key_read(folder, &key, &why) == ERR_SYNTAX && strstr(why.text, "log.vkey") && !key.has_log);
        }
        file_remove_tree(folder);
}
