#include "format/hex.h"
#include "support/sweep.h"
#include "support/test.h"
#include "trust/key.h"

#include <string.h>

/* RFC 8032, 7.1: tests 1 to 3 and SHA(abc)'s first. */
static const struct { const char *seed, *public, *message, *signature; } vectors[] = {
        { "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
          "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b" },
        { "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
          "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00" },
        { "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7", "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
          "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a" },
};

static void make(uint8_t fill, struct secret_key *key)
{
        uint8_t random[32];
        memset(random, fill, sizeof(random));
        secret_key_make(random, key);
}

TEST(key, signs_as_rfc_8032_says)
{
        for (size_t i = 0; i < 3; i++) {
                uint8_t seed[32], message[2], signature[64];
                char hex[129];
                size_t length = strlen(vectors[i].message) / 2;
                OWN(secret_key) struct secret_key key;
                CHECK(hex_decode(vectors[i].seed, seed, 32, NULL) == OK && hex_decode(vectors[i].message, message, length, NULL) == OK);
                secret_key_make(seed, &key);
                hex_encode(key.public.bytes, 32, hex);
                CHECK(strcmp(hex, vectors[i].public) == 0);
                key_sign(&key, message, length, signature);
                hex_encode(signature, 64, hex);
                CHECK(strcmp(hex, vectors[i].signature) == 0 && key_verify(&key.public, message, length, signature));
        }
}

TEST(key, takes_no_changed_signature_message_or_key)
{
        OWN(secret_key) struct secret_key key, other;
        uint8_t signature[64];
        make(1, &key);
        make(2, &other);
        key_sign(&key, "abc", 3, signature);
        CHECK(key_verify(&key.public, "abc", 3, signature) && !key_verify(&other.public, "abc", 3, signature));
        CHECK(!key_verify(&key.public, "abd", 3, signature) && !key_verify(&key.public, "abc", 2, signature));
        for (size_t i = 0; i < 64; i++) {
                signature[i] ^= 1;
                CHECK(!key_verify(&key.public, "abc", 3, signature));
                signature[i] ^= 1;
        }
}

TEST(key, is_wiped_when_done)
{
        struct secret_key key, none = { 0 };
        make(7, &key);
        secret_key_done(&key);
        CHECK(memcmp(&key, &none, sizeof(key)) == 0);
}

static bool survives(const char *write_with, const char *read_with)
{
        OWN(secret_key) struct secret_key key, again = { 0 };
        OWN(buf) struct buf pem;
        struct key_lock lock = { write_with, { 9, 8, 7 } };
        buf_init(&pem, KEY_PEM_MAX);
        make(3, &key);
        CHECK(key_pem_write(&key, &lock, &pem, NULL) == OK);
        enum err e = key_pem_read(&pem, read_with, &again, NULL);
        CHECK(e == OK || e == ERR_UNAUTHORIZED);
        CHECK(e || memcmp(&key, &again, sizeof(key)) == 0);
        return e == OK;
}

TEST(key_pem, opens_with_its_passphrase_only)
{
        CHECK(survives(NULL, NULL) && survives("", NULL) && survives(NULL, "not needed"));
        CHECK(survives("correct horse", "correct horse"));
        CHECK(!survives("correct horse", "correct") && !survives("correct horse", NULL) && !survives("correct horse", ""));
}

/* Made with: openssl genpkey -algorithm ed25519 (3.0), and an RSA header for what we do not take. */
TEST(key_pem, is_what_openssl_writes)
{
        static const char rfc[] = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";
        OWN(secret_key) struct secret_key key = { 0 };
        OWN(buf) struct buf pem;
        char hex[65];
        buf_init(&pem, KEY_PEM_MAX);
        buf_add_text(&pem, rfc);
        CHECK(key_pem_read(&pem, NULL, &key, NULL) == OK);
        hex_encode(key.seed, 32, hex);                   /* RFC 8410, 10.3 */
        CHECK(strcmp(hex, "d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842") == 0);
        buf_clear(&pem);
        CHECK(key_pem_write(&key, NULL, &pem, NULL) == OK && strcmp(pem.bytes, rfc) == 0);
}

TEST(key_pem, refuses_what_is_no_key)
{
        static const char *const bad[] = { "", "-----BEGIN PRIVATE KEY-----\n", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
                                           "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VuBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n" };
        for (size_t i = 0; i < 4; i++) {
                OWN(buf) struct buf pem;
                struct secret_key key;
                buf_init(&pem, KEY_PEM_MAX);
                buf_add_text(&pem, bad[i]);
                CHECK(key_pem_read(&pem, "x", &key, NULL) == (i == 2 ? ERR_UNAUTHORIZED : ERR_SYNTAX));
        }
        struct buf large = { .length = KEY_PEM_MAX + 1 };
        struct secret_key key;
        CHECK(key_pem_read(&large, NULL, &key, NULL) == ERR_LIMIT);
}

TEST(key_pem, survives_running_out_of_memory)
{
        SWEEP_MEMORY {
                OWN(secret_key) struct secret_key key;
                OWN(buf) struct buf pem;
                buf_init(&pem, KEY_PEM_MAX);
                make(3, &key);
                enum err e = key_pem_write(&key, NULL, &pem, NULL);
                CHECK(e == OK || e == ERR_NOMEM);
        }
}

TEST(vkey, survives_as_text)
{
        OWN(secret_key) struct secret_key key;
        struct vkey vkey, again;
        char text[VKEY_TEXT_MAX];
        make(1, &key);
        CHECK(vkey_make("director.acme_1-x", &key.public, &vkey, NULL) == OK);
        vkey_text(&vkey, text);
        CHECK(vkey_parse(text, &again, NULL) == OK && strcmp(again.name, vkey.name) == 0 && key_equal(&again.key, &vkey.key));
}

/* The example key of the C2SP specification. */
TEST(vkey, has_the_id_that_c2sp_says)
{
        struct vkey vkey;
        char id[9];
        CHECK(vkey_parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", &vkey, NULL) == OK);
        vkey_id_text(&vkey, id);
        CHECK(strcmp(id, "c74f20a3") == 0);
}

TEST(vkey, refuses_other_text)
{
        static const char *const bad[] = { "", "+", "a", "a+", "a+b+c", "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
                                           "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "PeterNeumann+c74f20a3+AhpC2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
                                           "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10T", "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW ",
                                           " PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "PeterNeumann+c74f20a3+" };
        struct public_key key = { { 1 } };
        struct vkey vkey;
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                CHECK(vkey_parse(bad[i], &vkey, NULL) == ERR_SYNTAX);
        CHECK(vkey_make("a+b", &key, &vkey, NULL) && vkey_make("", &key, &vkey, NULL) && vkey_make("a b", &key, &vkey, NULL) && vkey_make("-a", &key, &vkey, NULL));
}
