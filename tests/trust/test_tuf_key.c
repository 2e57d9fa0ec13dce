#include "trust/tuf_key.h"

#include "format/hex.h"
#include "format/json.h"
#include "support/sweep.h"
#include "support/test.h"
#include "trust/tuf_key_known.h"

#include <openssl/crypto.h>
#include <openssl/ui.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Made once with openssl(1); the secret halves were thrown away. */
static const char ed25519[] = "a3290f99f649e36cb52cae282e5404fb3a275444ddca8a8a85eae5e4e3b66a38";
static const char ed25519_signature[] = "8682e344ea6bced3694cea9d14b38294e056098c2e4218ac602bbb610a47851d02a7c92936a2a649fa02778b060fc8315a0d66fd7982a6ed68817937cd727401";
static const char pss_salt_max[] =
        "6a2abdeb8cf5b6a1586518680aa8d591738b2c8bad231b41dadc61adb02a20ece73b1cac5dff6e7484940f0b224ffae4d5cba61f3384d824921285c86b935a8c"
        "ec5d59f062104ac6d9e78685e5945fa049d66b7fe8877a7ee6347e4b603dd28ebbe89eb71bb8784c2bfc5b8f228851cf6448ee20c3e074623ad9408b63fb13d2"
        "1f4d64bc66180608b3e42f31bd4a72d4c16bfce4776c4d5f6ac841ecc6d3b3cae6ebaadecba67cf96cc511da7e651355bfe1ed2fef56b69c9b3f2d6197035fd2"
        "3b1c2da13e3400ab5b86d5383a6caed5bca2d1c095afc7b7a408e15ba82dd32c3f745dcccdd016bb338832a9d5c02cb8ef1dbd2b8b5ed8d0c5251121705e4c20";
static const char pkcs1[] =
        "c122373bb0e80131def905156f6f4fbb2ced4807ee210451593a086249d380898f18ef605d5fecaa3abf3a10c43b697447712c1f58951e08e0314d408f4eae05"
        "a58285f912bff5d6791c7a1eb96e0bbf2cdd106d4f82b2197d91ef845a198db6e1977ce2dfd3fc1e817f361c0eaf9fb5441af376b3bda69ad5fc2821ca1af954"
        "e99442a96dfaf00c8dd3367b147e6a0dc874f37261e503e194c0d3e8dbfdc1566c9753eec441e707321057b796d71a22b4ddb7f3768a90d33dfa71436d1a3a9c"
        "01d4c711487b7006a39e29f2b32f869f5f13db4a8a9fe2715bd24bd5c15a8adb6e416d6553db4624a10e44e45b132244e1c62f9c595bf681254922319814d480";
static const char p384[] =
        "-----BEGIN PUBLIC KEY-----\n"
        "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEEnpKGHmrG1xMvnbNFgs/ur376kGsPt4G\n"
        "3P0wyoUduB+kOxvtNw6ZZsesUtosP4ZvRLX9fcIuiwu1mEbhOLT8+zdROaO1q3TM\n"
        "t656atS/fTrIrBpjfPU70n4qCQmMLqH9\n"
        "-----END PUBLIC KEY-----\n";
static const char ed25519_pem[] =
        "-----BEGIN PUBLIC KEY-----\n"
        "MCowBQYDK2VwAyEAoykPmfZJ42y1LK4oLlQE+zonVETdyoqKherl5OO2ajg=\n"
        "-----END PUBLIC KEY-----\n";
static const char rsa_pss_only[] =
        "-----BEGIN PUBLIC KEY-----\n"
        "MIIBIDALBgkqhkiG9w0BAQoDggEPADCCAQoCggEBALWxjWyziaY4mtYt8lzKYEz/\n"
        "F4pz5UaI177GNkEKNOBfAjJTRFFny+PAQYV7BRJIKXrFhvwj9vFV9B2rkHtZZqz1\n"
        "CCBZBWpbKk6uAf27EXT+AcxHB1vYVmYT6KBfo2LzQkaWSTtcaF8lTSkMKmpNf8cL\n"
        "DVXhNIOMqedTHYoOZU3AfW/FI+XPJE+BEJakJ6vtgwX4Z958vE7wtumXTYTT1wO2\n"
        "CBxs3VGR9Yu0RE3XlUXLGgiaUrhUujK6R5QlXQPzFL2SKxMdeiIcdP9gXk88sryn\n"
        "HhhZzeZmXSp/VpdLviNlCfR/zliQhYryqYFI5CZ90eSiiACPskyJL/I8YcMccLEC\n"
        "AwEAAQ==\n"
        "-----END PUBLIC KEY-----\n";
/* The point of `known_ecdsa` in its two other forms, and its curve spelt out. */
static const char compressed[] =
        "-----BEGIN PUBLIC KEY-----\n"
        "MDkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDIgAC87QcXOIfaf/AykISo2hMoaoZKkwz\n"
        "OjTvvg9hoD5y2E8=\n"
        "-----END PUBLIC KEY-----\n";
static const char hybrid[] =
        "-----BEGIN PUBLIC KEY-----\n"
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAG87QcXOIfaf/AykISo2hMoaoZKkwz\n"
        "OjTvvg9hoD5y2E/1+N1RcIfEdZjdLD4K1jpFMm2TJA674Wd6a/PomC9sAA==\n"
        "-----END PUBLIC KEY-----\n";
static const char explicit_curve[] =
        "-----BEGIN PUBLIC KEY-----\n"
        "MIIBSzCCAQMGByqGSM49AgEwgfcCAQEwLAYHKoZIzj0BAQIhAP////8AAAABAAAA\n"
        "AAAAAAAAAAAA////////////////MFsEIP////8AAAABAAAAAAAAAAAAAAAA////\n"
        "///////////8BCBaxjXYqjqT57PrvVV2mIa8ZR0GsMxTsPY7zjw+J9JgSwMVAMSd\n"
        "NgiG5wSTamZ44ROdJreBn36QBEEEaxfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5\n"
        "RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9QIhAP////8AAAAA\n"
        "//////////+85vqtpxeehPO5ysL8YyVRAgEBA0IABPO0HFziH2n/wMpCEqNoTKGq\n"
        "GSpMMzo0774PYaA+cthP9fjdUXCHxHWY3Sw+CtY6RTJtkyQOu+Fnemvz6JgvbAA=\n"
        "-----END PUBLIC KEY-----\n";

static const char p256[] = "ecdsa-sha2-nistp256", pss[] = "rsassa-pss-sha256";

/* As it stands in metadata; NULL: left out. */
struct written { const char *type, *scheme, *public; };

static struct json *json_of(const struct written *written)
{
        OWN(json) struct json *json = json_new_object(), *keyval = json_new_object();
        if (written->type)
                json_set_text(json, "keytype", written->type);
        if (written->scheme)
                json_set_text(json, "scheme", written->scheme);
        if (written->public) {
                json_set_text(keyval, "public", written->public);
                json_set(json, "keyval", GIVE(keyval));
        }
        return GIVE(json);
}

static bool read_key(const struct written *written, struct tuf_key *ret_key)
{
        OWN(json) struct json *json = json_of(written);
        return tuf_key_read(json, ret_key) == OK;
}

static bool is_read(const struct written *written)
{
        OWN(tuf_key) struct tuf_key key = { 0 };
        return read_key(written, &key);
}

static bool verifies(const struct tuf_key *key, const char *signature)
{
        return tuf_key_verify(key, known_text, strlen(known_text), signature) == OK;
}

static const struct { struct written key; const char *signature; } good[] = {
        { { "ed25519", "ed25519", ed25519 }, ed25519_signature },
        { { "ecdsa", p256, known_ecdsa }, known_ecdsa_signature },
        { { p256, p256, known_ecdsa }, known_ecdsa_signature },
        { { "rsa", pss, known_rsa }, known_rsa_signature },
        { { "rsa", pss, known_rsa }, pss_salt_max },
};
enum { GOOD = sizeof(good) / sizeof(good[0]) };

TEST(tuf_key, verifies_what_was_signed_by_it_and_by_no_other_kind)
{
        for (size_t i = 0; i < GOOD; i++) {
                OWN(tuf_key) struct tuf_key key = { 0 };
                CHECK(read_key(&good[i].key, &key));
                for (size_t k = 0; k < GOOD; k++)
                        CHECK(verifies(&key, good[k].signature) == (good[i].key.public == good[k].key.public));
        }
}

TEST(tuf_key, verifies_nothing_when_a_bit_of_the_message_differs)
{
        char other[sizeof(known_text)];
        for (size_t i = 0; i < GOOD; i++) {
                OWN(tuf_key) struct tuf_key key = { 0 };
                CHECK(read_key(&good[i].key, &key));
                for (size_t bit = 0; bit < 8 * strlen(known_text); bit += 5) {
                        memcpy(other, known_text, sizeof(known_text));
                        other[bit / 8] = (char)(other[bit / 8] ^ 1 << bit % 8);
                        CHECK(tuf_key_verify(&key, other, strlen(known_text), good[i].signature) == ERR_UNTRUSTED);
                }
                CHECK(tuf_key_verify(&key, known_text, strlen(known_text) - 1, good[i].signature) == ERR_UNTRUSTED && tuf_key_verify(&key, "", 0, good[i].signature) == ERR_UNTRUSTED);
        }
}

TEST(tuf_key, verifies_nothing_when_a_digit_of_the_signature_differs)
{
        char other[600];
        for (size_t i = 0; i < GOOD; i++) {
                OWN(tuf_key) struct tuf_key key = { 0 };
                CHECK(read_key(&good[i].key, &key));
                for (size_t at = 0; good[i].signature[at]; at++) {
                        memcpy(other, good[i].signature, strlen(good[i].signature) + 1);
                        other[at] = other[at] == '0' ? '1' : '0';
                        CHECK(!verifies(&key, other));
                }
        }
}

TEST(tuf_key, takes_a_signature_only_as_lower_case_hex_of_its_length)
{
        static char long_one[20000];
        char other[600];
        memset(long_one, '0', sizeof(long_one) - 1);
        for (size_t i = 0; i < GOOD; i++) {
                OWN(tuf_key) struct tuf_key key = { 0 };
                const char *signature = good[i].signature;
                const int length = (int)strlen(signature);
                CHECK(read_key(&good[i].key, &key));
                for (int cut = 1; cut <= 4; cut++) {
                        snprintf(other, sizeof(other), "%.*s", length - cut, signature);
                        CHECK(!verifies(&key, other) && !verifies(&key, signature + cut));
                }
                static const char *const around[][2] = { { "", "0" }, { "", "00" }, { "00", "" }, { "0x", "" }, { " ", "" }, { "", "\n" }, { "", " 0" } };
                for (size_t k = 0; k < sizeof(around) / sizeof(around[0]); k++) {
                        snprintf(other, sizeof(other), "%s%s%s", around[k][0], signature, around[k][1]);
                        CHECK(!verifies(&key, other));
                }
                memcpy(other, signature, (size_t)length + 1);
                char *letter = strpbrk(other, "abcdef");
                *letter = (char)(*letter - 'a' + 'A');
                CHECK(!verifies(&key, other) && !verifies(&key, "") && !verifies(&key, "no hex"));
                CHECK(!verifies(&key, long_one));
        }
}

TEST(tuf_key, of_rsa_does_not_take_the_older_padding)
{
        OWN(tuf_key) struct tuf_key key = { 0 };
        CHECK(read_key(&good[3].key, &key) && verifies(&key, known_rsa_signature) && !verifies(&key, pkcs1));
}

TEST(tuf_key, reads_no_kind_that_it_does_not_know)
{
        static const struct written bad[] = {
                { NULL, NULL, NULL }, { NULL, "ed25519", ed25519 }, { "ed25519", NULL, ed25519 }, { "ed25519", "ed25519", NULL }, { "ecdsa", p256, NULL },
                { "rsa", pss, NULL },
                { "ed25519", "ed25519ph", ed25519 }, { "ED25519", "ed25519", ed25519 }, { "", "", ed25519 }, { "ed25519", pss, ed25519 }, { "sphincs", "sphincs", ed25519 },
                { "ecdsa", "ecdsa", known_ecdsa }, { "ecdsa", "ecdsa-sha2-nistp384", p384 }, { "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384", p384 }, { "rsa", p256, known_ecdsa },
                { "rsa", "rsassa-pss-sha512", known_rsa }, { "rsa", "rsa-pkcs1v15-sha256", known_rsa }, { "rsa", "ed25519", known_rsa },
        };
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                CHECK(!is_read(&bad[i]));
}

TEST(tuf_key, reads_no_key_of_another_kind_than_it_says)
{
        static const struct written bad[] = {
                { "ecdsa", p256, p384 }, { "ecdsa", p256, known_rsa }, { "ecdsa", p256, ed25519_pem }, { "ecdsa", p256, ed25519 }, { "rsa", pss, known_ecdsa },
                { "rsa", pss, ed25519_pem }, { "rsa", pss, rsa_pss_only },
                { "ed25519", "ed25519", ed25519_pem }, { "ed25519", "ed25519", known_ecdsa }, { "ed25519", "ed25519", "" }, { "ecdsa", p256, "" }, { "rsa", pss, "" },
        };
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                CHECK(!is_read(&bad[i]));
}

TEST(tuf_key, reads_only_objects_of_texts)
{
        static const char *const bad[] = {
                "[]", "\"ed25519\"", "null", "{}", "{\"keytype\":\"ed25519\",\"scheme\":\"ed25519\",\"keyval\":[]}",
                "{\"keytype\":\"ed25519\",\"scheme\":\"ed25519\",\"keyval\":{\"public\":7}}", "{\"keytype\":1,\"scheme\":\"ed25519\",\"keyval\":{\"public\":\"00\"}}",
        };
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                OWN(json) struct json *json = NULL;
                struct tuf_key key;
                CHECK(json_parse(bad[i], strlen(bad[i]), 1000, &json, NULL) == OK && tuf_key_read(json, &key) == ERR_SYNTAX);
        }
}

/* `text`, with what stands at `at` replaced. */
static const char *changed(const char *text, const char *at, const char *to)
{
        static char other[1000];
        char *found;
        snprintf(other, sizeof(other), "%s", text);
        found = strstr(other, at);
        CHECK(found && strlen(to) == strlen(at));
        memcpy(found, to, strlen(to));
        return other;
}

TEST(tuf_key, reads_no_spoiled_key)
{
        const struct written as_ecdsa = { "ecdsa", p256, NULL }, as_rsa = { "rsa", pss, NULL }, as_ed25519 = { "ed25519", "ed25519", NULL };
        static const struct { const char *key, *at, *to; } spoils[] = {
                { known_ecdsa, "MFkw", "M!kw" }, { known_ecdsa, "MFkw", "MFgw" }, { known_ecdsa, "BEGIN PUBLIC", "BEGIN SECRET" }, { known_ecdsa, "END PUBLIC", "END SECRET" },
                { known_ecdsa, "-----END", "----\nEND" },
                { known_ecdsa, "OjTvvg9h", "OjTvvg9i" },       /* no point of the curve */
                { known_ecdsa, "2E/1+N1R", "\n\n\n\n\n\n\n\n" },
                { known_rsa, "MIIBIjAN", "MIIBIzAN" }, { known_rsa, "BEGIN PUBLIC", "BEGIN SECRET" }, { known_rsa, "IwIDAQAB", "\n\n\n\n\n\n\n\n" },
                { ed25519, "a3290f99", "A3290F99" }, { ed25519, "a3290f99", "g3290f99" }, { ed25519, "a3290f99", " 3290f99" },
        };
        for (size_t i = 0; i < sizeof(spoils) / sizeof(spoils[0]); i++) {
                struct written written = spoils[i].key == known_rsa ? as_rsa : spoils[i].key == known_ecdsa ? as_ecdsa : as_ed25519;
                written.public = spoils[i].key;
                CHECK(is_read(&written));
                written.public = changed(spoils[i].key, spoils[i].at, spoils[i].to);
                CHECK(!is_read(&written));
        }
}

TEST(tuf_key, of_ed25519_has_64_digits)
{
        char text[80];
        for (int length = 0; length < 64; length++) {
                snprintf(text, sizeof(text), "%.*s", length, ed25519);
                CHECK(!is_read(&(struct written){ "ed25519", "ed25519", text }));
        }
        snprintf(text, sizeof(text), "%s0", ed25519);
        CHECK(!is_read(&(struct written){ "ed25519", "ed25519", text }));
        snprintf(text, sizeof(text), "%s00", ed25519);
        CHECK(!is_read(&(struct written){ "ed25519", "ed25519", text }));
}

/* The limit is on the text, whatever of it is key. */
TEST(tuf_key, in_pem_has_less_than_4_kb)
{
        static const struct { size_t bytes; bool is_key; } sizes[] = { { 1000, true }, { 4095, true }, { 4096, false }, { 5000, false } };
        char text[5001];
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
                memset(text, '\n', sizeof(text));
                memcpy(text, known_ecdsa, strlen(known_ecdsa));
                text[sizes[i].bytes] = 0;
                CHECK(is_read(&(struct written){ "ecdsa", p256, text }) == sizes[i].is_key);
        }
}

static void add_der(struct buf *into, uint8_t tag, size_t length)
{
        buf_add(into, (uint8_t[]){ tag, 0x82, (uint8_t)(length >> 8), (uint8_t)length }, 4);
}

/* A key of so many bits, a multiple of 8: each bit of its modulus is set. */
static void rsa_of(size_t bits, uint32_t of_exponent, struct buf *ret_pem)
{
        static const uint8_t algorithm[] = { 0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0 };
        const uint8_t large[] = { 2, 3, (uint8_t)(of_exponent >> 16), (uint8_t)(of_exponent >> 8), (uint8_t)of_exponent }, small[] = { 2, 1, (uint8_t)of_exponent };
        const uint8_t *exponent = of_exponent < 128 ? small : large;
        const size_t exponent_bytes = of_exponent < 128 ? sizeof(small) : sizeof(large);
        const size_t integer = bits / 8 + 1, pair = 4 + integer + exponent_bytes, string = 1 + 4 + pair;
        OWN(buf) struct buf der;
        buf_init(&der, 3000);
        add_der(&der, 0x30, sizeof(algorithm) + 4 + string);
        buf_add(&der, algorithm, sizeof(algorithm));
        add_der(&der, 3, string);
        buf_add(&der, "", 1);
        add_der(&der, 0x30, pair);
        add_der(&der, 2, integer);
        buf_add(&der, "", 1);
        for (size_t i = 0; i < bits / 8; i++)
                buf_add(&der, "\xff", 1);
        buf_add(&der, exponent, exponent_bytes);
        OWN(buf) struct buf text;
        buf_init(&text, 4000);
        base64_encode(buf_text(&der), der.length, &text);
        buf_add_text(ret_pem, "-----BEGIN PUBLIC KEY-----\n");
        for (size_t at = 0; at < text.length; at += 64)
                buf_addf(ret_pem, "%.64s\n", text.bytes + at);
        buf_add_text(ret_pem, "-----END PUBLIC KEY-----\n");
}

TEST(tuf_key, of_rsa_is_neither_weak_nor_slow)
{
        static const struct { size_t bits; bool is_key; } sizes[] = {
                { 512, false }, { 1024, false }, { 2040, false }, { 2048, true }, { 3072, true }, { 8192, true }, { 8200, false }, { 16384, false },
        };
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
                OWN(buf) struct buf pem;
                buf_init(&pem, 4000);
                rsa_of(sizes[i].bits, 65537, &pem);
                CHECK(is_read(&(struct written){ "rsa", pss, buf_text(&pem) }) == sizes[i].is_key);
        }
}

static void check_same_print(const struct written *one, const struct written *other)
{
        OWN(tuf_key) struct tuf_key a = { 0 }, b = { 0 };
        CHECK(read_key(one, &a) && read_key(other, &b));
        CHECK(memcmp(a.print, b.print, sizeof(a.print)) == 0);
}

TEST(tuf_key, has_one_print_whatever_ends_its_lines)
{
        static const struct written pems[] = { { "ecdsa", p256, known_ecdsa }, { "rsa", pss, known_rsa } };
        static const char *const ends[] = { "\n", "\r\n", " \n" };
        for (size_t i = 0; i < 2; i++)
                for (size_t k = 0; k < sizeof(ends) / sizeof(ends[0]); k++) {
                        OWN(buf) struct buf text;
                        struct written other = pems[i];
                        buf_init(&text, 1000);
                        for (const char *line = pems[i].public; *line; line = strchr(line, '\n') + 1)
                                buf_addf(&text, "%.*s%s", (int)strcspn(line, "\n"), line, ends[k]);
                        other.public = buf_text(&text);
                        check_same_print(&pems[i], &other);
                        text.bytes[text.length - strlen(ends[k])] = 0;
                        check_same_print(&pems[i], &other);
                }
}

/* Whether one is read at all is not said; OpenSSL may be made without curves that are spelt out. */
TEST(tuf_key, has_one_print_in_whatever_form_its_point_and_curve_are)
{
        static const char *const forms[] = { compressed, hybrid, explicit_curve };
        OWN(tuf_key) struct tuf_key key = { 0 };
        CHECK(read_key(&good[1].key, &key));
        for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
                OWN(tuf_key) struct tuf_key other = { 0 };
                if (!read_key(&(struct written){ "ecdsa", p256, forms[i] }, &other))
                        continue;
                CHECK(memcmp(key.print, other.print, sizeof(key.print)) == 0 && verifies(&other, known_ecdsa_signature));
        }
}

TEST(tuf_key, has_one_print_under_whatever_name)
{
        static const char *const others[][2] = { { "keyid", "a" }, { "keyid", "b" }, { "x-owner", "anna" } };
        OWN(tuf_key) struct tuf_key key = { 0 };
        check_same_print(&good[1].key, &good[2].key);
        CHECK(read_key(&good[0].key, &key));
        for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
                OWN(json) struct json *json = json_of(&good[0].key);
                OWN(tuf_key) struct tuf_key other = { 0 };
                json_set_text(json, others[i][0], others[i][1]);
                CHECK(tuf_key_read(json, &other) == OK && memcmp(key.print, other.print, sizeof(key.print)) == 0);
        }
}

TEST(tuf_key, has_a_print_of_its_own)
{
        static const char other_ed25519[] = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
        OWN(buf) struct buf other_rsa;
        struct tuf_key keys[5] = { 0 };
        buf_init(&other_rsa, 4000);
        rsa_of(2048, 65537, &other_rsa);
        const struct written all[] = { good[0].key, { "ed25519", "ed25519", other_ed25519 }, good[1].key, good[3].key, { "rsa", pss, buf_text(&other_rsa) } };
        for (size_t i = 0; i < 5; i++) {
                CHECK(read_key(&all[i], &keys[i]));
                for (size_t k = 0; k < i; k++)
                        CHECK(memcmp(keys[i].print, keys[k].print, sizeof(keys[i].print)) != 0);
        }
        for (size_t i = 0; i < 5; i++)
                tuf_key_done(&keys[i]);
}

TEST(tuf_key, may_be_done_with_twice)
{
        struct tuf_key key = { 0 };
        tuf_key_done(&key);
        CHECK(read_key(&good[1].key, &key) && key.pem);
        tuf_key_done(&key);
        CHECK(!key.pem);
        tuf_key_done(&key);
}

/* OpenSSL allocates by itself; what is swept is the document, and each key is read and let go many times. */
TEST(tuf_key, survives_running_out_of_memory)
{
        for (size_t i = 0; i < GOOD; i++) {
                bool is_key = false;
                SWEEP_MEMORY {
                        OWN(tuf_key) struct tuf_key key = { 0 };
                        OWN(json) struct json *json = json_of(&good[i].key);
                        is_key = tuf_key_read(json, &key) == OK;
                        CHECK(!is_key || verifies(&key, good[i].signature));
                }
                CHECK(is_key);
        }
}

/* Whatever is signed with an exponent of 1 is its own signature. */
TEST(tuf_key, refuses_an_exponent_that_anybody_can_sign_with)
{
        static const struct { uint32_t exponent; bool is_key; } cases[] = { { 1, false }, { 2, false }, { 65536, false }, { 3, true }, { 65537, true } };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                OWN(buf) struct buf pem;
                buf_init(&pem, 4000);
                rsa_of(2048, cases[i].exponent, &pem);
                CHECK(is_read(&(struct written){ "rsa", pss, buf_text(&pem) }) == cases[i].is_key);
        }
}

/* OpenSSL allocates by itself, so it gets an allocator here of which one call fails. Set before its first. */
static long allocations, fails_at = -1;
static bool fails_on;

static void *allocate(void *memory, size_t bytes)
{
        long n = allocations++;
        return n == fails_at || (fails_on && fails_at >= 0 && n > fails_at) ? NULL : realloc(memory, bytes);       /* not ours: a sweep of ours would spoil it for the tests after it */
}
static void *on_malloc(size_t bytes, const char *file, int line) { return (void)file, (void)line, allocate(NULL, bytes); }
static void *on_realloc(void *memory, size_t bytes, const char *file, int line) { return (void)file, (void)line, allocate(memory, bytes); }
static void on_free(void *memory, const char *file, int line) { (void)file, (void)line, free(memory); }

__attribute__((constructor)) static void take_its_allocator(void)
{
        (void)CRYPTO_set_mem_functions(on_malloc, on_realloc, on_free);
}

/* 0: what was signed never passes for unsigned, whichever allocation fails, this one alone or all from it on. */
static int sweep_openssl(bool fails_from_there_on)
{
        for (size_t i = 1; i < sizeof(good) / sizeof(good[0]); i += 2) {         /* ECDSA, RSA */
                OWN(json) struct json *json = json_of(&good[i].key);
                bool was_failed = true;
                for (fails_at = 0; was_failed; fails_at++) {
                        OWN(tuf_key) struct tuf_key key = { 0 };
                        allocations = 0;
                        fails_on = fails_from_there_on;
                        enum err e = tuf_key_read(json, &key);
                        if (!e)
                                e = tuf_key_verify(&key, known_text, strlen(known_text), good[i].signature);
                        was_failed = allocations > fails_at;
                        if (e && e != ERR_NOMEM)
                                return 1;
                }
                fails_at = -1;
        }
        return 0;
}

/* In a process of its own: what OpenSSL could not set up once it does not set up again. */
TEST(tuf_key, never_takes_what_was_signed_for_unsigned_when_memory_is_short)
{
        for (int fails_from_there_on = 0; fails_from_there_on < 2; fails_from_there_on++) {
                pid_t child = fork();
                if (!child)
                        _exit(sweep_openssl(fails_from_there_on));
                int status = -1;
                CHECK(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
        }
}

static bool was_asked;

static int ask(UI *ui, UI_STRING *string)
{
        (void)ui, (void)string;
        was_asked = true;
        return 0;
}

TEST(tuf_key, asks_nobody_for_a_passphrase)
{
        UI_METHOD *method = UI_create_method("none");
        char text[1000];
        snprintf(text, sizeof(text), "-----BEGIN PUBLIC KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,D95E967134451CF19DE3BAB2BDC755EC\n\n%s",
                 strchr(known_ecdsa, '\n') + 1);
        CHECK(method && UI_method_set_reader(method, ask) == 0);
        UI_set_default_method(method);
        bool is_key = is_read(&(struct written){ "ecdsa", p256, text });
        UI_set_default_method(NULL);
        UI_destroy_method(method);
        CHECK(!is_key && !was_asked);
}
