#include "trust/dsse.h"

#include "format/hex.h"
#include "support/sweep.h"
#include "trust/keys.h"

static void payload_is(struct buf *payload, const char *text)
{
        buf_init(payload, DSSE_BYTES_MAX);
        buf_add_text(payload, text);
}

static void seal(const char *text, const char *name, uint8_t n, struct buf *envelope)
{
        OWN(buf) struct buf payload;
        struct vkey vkey = test_vkey(name, n);
        struct secret_key key = test_key(n);
        payload_is(&payload, text);
        buf_init(envelope, DSSE_BYTES_MAX);
        CHECK(dsse_sign(&payload, &vkey, &key, envelope, NULL) == OK);
}

static enum err open_with(const struct buf *envelope, const struct vkey *keys, size_t count)
{
        OWN(buf) struct buf payload;
        const struct vkey *signer = NULL;
        buf_init(&payload, DSSE_BYTES_MAX);
        enum err e = dsse_open(envelope, &(struct dsse_keys){ keys, count }, &payload, &signer, NULL);
        CHECK(e ? !payload.length : signer != NULL);
        return e;
}

TEST(dsse, gives_the_payload_back_and_says_who_signed)
{
        OWN(buf) struct buf envelope, payload;
        struct vkey keys[] = { test_vkey("a", 1), test_vkey("b", 2) };
        const struct vkey *signer = NULL;
        seal("{\"hello\":1}", "b", 2, &envelope);
        buf_init(&payload, DSSE_BYTES_MAX);
        CHECK(dsse_open(&envelope, &(struct dsse_keys){ keys, 2 }, &payload, &signer, NULL) == OK);
        CHECK(signer == &keys[1] && strcmp(buf_text(&payload), "{\"hello\":1}") == 0);
}

TEST(dsse, signs_the_preauthentication_encoding)
{
        static const char pae[] = "DSSEv1 28 application/vnd.in-toto+json 5 hello";
        OWN(buf) struct buf envelope, base64;
        struct secret_key key = test_key(1);
        uint8_t signature[64];
        seal("hello", "a", 1, &envelope);
        key_sign(&key, pae, strlen(pae), signature);
        buf_init(&base64, 128);
        base64_encode(signature, sizeof(signature), &base64);
        CHECK(strstr(buf_text(&envelope), buf_text(&base64)) && strstr(buf_text(&envelope), "\"payload\":\"aGVsbG8=\""));
}

TEST(dsse, is_not_opened_by_other_keys_or_names)
{
        OWN(buf) struct buf envelope;
        struct vkey stranger = test_vkey("a", 2), renamed = test_vkey("b", 1), right = test_vkey("a", 1);
        seal("hello", "a", 1, &envelope);
        CHECK(open_with(&envelope, &stranger, 1) == ERR_UNTRUSTED && open_with(&envelope, &renamed, 1) == ERR_UNTRUSTED);
        CHECK(open_with(&envelope, NULL, 0) == ERR_UNTRUSTED && open_with(&envelope, &right, 1) == OK);
}

/* With one piece of the envelope replaced. */
static enum err open_changed(const char *old, const char *new)
{
        OWN(buf) struct buf envelope, other;
        struct vkey key = test_vkey("a", 1);
        seal("hello", "a", 1, &envelope);
        const char *at = strstr(buf_text(&envelope), old);
        CHECK(at);
        buf_init(&other, 2 * DSSE_BYTES_MAX);
        buf_addf(&other, "%.*s%s%s", (int)(at - envelope.bytes), envelope.bytes, new, at + strlen(old));
        return open_with(&other, &key, 1);
}

TEST(dsse, refuses_a_payload_or_signature_that_was_changed)
{
        CHECK(open_changed("aGVsbG8=", "aGVsbG8=") == OK && open_changed("aGVsbG8=", "aGVsbG9=") != OK);
        CHECK(open_changed("aGVsbG8=", "aGFsbG8=") == ERR_UNTRUSTED && open_changed("aGVsbG8=", "") == ERR_UNTRUSTED);
        CHECK(open_changed("\"sig\":\"", "\"sig\":\"AAAA") == ERR_UNTRUSTED);
}

TEST(dsse, refuses_a_bad_signature_of_a_known_key_beside_a_good_one)
{
        char bad[256], id[9], zeros[89];
        struct vkey key = test_vkey("a", 1);
        vkey_id_text(&key, id);
        memset(zeros, 'A', sizeof(zeros));
        snprintf(zeros + 86, 3, "==");
        snprintf(bad, sizeof(bad), "\"signatures\":[{\"keyid\":\"%s\",\"sig\":\"%s\"},", id, zeros);
        CHECK(open_changed("\"signatures\":[", bad) == ERR_UNTRUSTED);
        CHECK(open_changed("\"signatures\":[", "\"signatures\":[{\"keyid\":\"00000000\",\"sig\":\"AAAA\"},") == OK);
}

TEST(dsse, refuses_envelopes_that_are_not_as_they_should_be)
{
        static const struct { const char *old, *new; } changes[] = {
                { "in-toto+json", "in-toto+xml" }, { "\"payload\":", "\"more\":1,\"payload\":" }, { "\"payload\":\"aGVsbG8=\",", "" },
                { "aGVsbG8=", "aGVsbG8" }, { "aGVsbG8=", "aGVs bG8=" }, { "\"signatures\":[", "\"signatures\":[]}" }, { "\"sig\"", "\"Sig\"" },
                { "{\"payload\"", "[{\"payload\"" }, { "\"aGVsbG8=\"", "5" }, { "\"keyid\":", "\"keyid\":\"\",\"keyid\":" },
        };
        for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
                CHECK(open_changed(changes[i].old, changes[i].new) == ERR_SYNTAX);
}

TEST(dsse, has_a_ceiling)
{
        OWN(buf) struct buf big;
        struct vkey key = test_vkey("a", 1);
        buf_init(&big, 2 * DSSE_BYTES_MAX);
        while (big.length <= DSSE_BYTES_MAX)
                buf_add_text(&big, "                                ");
        CHECK(open_with(&big, &key, 1) == ERR_LIMIT);
}

TEST(dsse, is_whole_or_not_there_when_memory_is_short)
{
        struct vkey key = test_vkey("a", 1);
        struct secret_key secret = test_key(1);
        OWN(buf) struct buf payload;
        payload_is(&payload, "hello");
        SWEEP_MEMORY {
                OWN(buf) struct buf envelope, back;
                const struct vkey *signer = NULL;
                buf_init(&envelope, DSSE_BYTES_MAX);
                buf_init(&back, DSSE_BYTES_MAX);
                enum err e = dsse_sign(&payload, &key, &secret, &envelope, NULL);
                if (!e)
                        e = dsse_open(&envelope, &(struct dsse_keys){ &key, 1 }, &back, &signer, NULL);
                CHECK(e ? e == ERR_NOMEM && !back.length && !signer : strcmp(buf_text(&back), "hello") == 0);
        }
}
