#include "trust/request.h"

#include "trust/keys.h"

#define DEVICE "00112233445566778899aabbccddeeff"

static const char body[] = "{\"epoch\":7,\"busy\":0}";
static const struct request_facts facts = { "POST", "/v1/checkin", "1784432200", body, sizeof(body) - 1 };

/* The facts with one of them changed. */
static struct request_facts changed(size_t which)
{
        struct request_facts other = facts;
        if (which == 0)
                other.method = "GET";
        else if (which == 1)
                other.path = "/v1/report";
        else if (which == 2)
                other.date = "1784432201";
        else
                other.body_length--;
        return other;
}

static void mac_key_of(uint8_t key[32])
{
        uint8_t secret[32];
        for (uint8_t i = 0; i < 32; i++)
                secret[i] = i;
        request_mac_key(secret, DEVICE, key);
}

/* Made with Python's hmac from formats.md, 4. */
TEST(request_mac, is_what_others_compute)
{
        uint8_t key[32];
        char text[REQUEST_MAC_BYTES];
        mac_key_of(key);
        CHECK(key[0] == 0x1c && key[1] == 0x87 && key[31] == 0xa4);
        CHECK(request_mac(&facts, key, text, NULL) == OK);
        CHECK(strcmp(text, "e1feefbd9c07555890ac8579edcebddf9764d82bab78f9ef35216a8be419662f") == 0);
}

TEST(request_mac, fits_this_request_and_no_other)
{
        uint8_t key[32], other_key[32] = { 1 };
        char text[REQUEST_MAC_BYTES];
        mac_key_of(key);
        CHECK(request_mac(&facts, key, text, NULL) == OK && request_check_mac(&facts, key, text, NULL) == OK);
        for (size_t i = 0; i < 4; i++) {
                struct request_facts other = changed(i);
                CHECK(request_check_mac(&other, key, text, NULL) == ERR_UNAUTHORIZED);
        }
        CHECK(request_check_mac(&facts, other_key, text, NULL) == ERR_UNAUTHORIZED);
        CHECK(request_check_mac(&facts, key, "", NULL) == ERR_UNAUTHORIZED && request_check_mac(&facts, key, text + 2, NULL) == ERR_UNAUTHORIZED);
        text[0] = 'E';
        CHECK(request_check_mac(&facts, key, text, NULL) == ERR_UNAUTHORIZED);
}

TEST(request_mac, has_a_key_for_each_device_and_secret)
{
        uint8_t a[32], b[32], c[32], secret[32] = { 0 };
        mac_key_of(a);
        request_mac_key(secret, DEVICE, b);
        request_mac_key(secret, "10112233445566778899aabbccddeeff", c);
        CHECK(memcmp(a, b, 32) != 0 && memcmp(b, c, 32) != 0);
}

TEST(request_signature, fits_this_request_and_no_other)
{
        struct secret_key key = test_key(1), stranger = test_key(2);
        char text[REQUEST_SIGNATURE_BYTES];
        CHECK(request_sign(&facts, &key, text, NULL) == OK && strlen(text) == 88);
        CHECK(request_check_signature(&facts, key.public.bytes, text, NULL) == OK);
        for (size_t i = 0; i < 4; i++) {
                struct request_facts other = changed(i);
                CHECK(request_check_signature(&other, key.public.bytes, text, NULL) == ERR_UNAUTHORIZED);
        }
        CHECK(request_check_signature(&facts, stranger.public.bytes, text, NULL) == ERR_UNAUTHORIZED);
        CHECK(request_check_signature(&facts, key.public.bytes, "", NULL) == ERR_UNAUTHORIZED);
        CHECK(request_check_signature(&facts, key.public.bytes, text + 4, NULL) == ERR_UNAUTHORIZED);
}

TEST(request, without_a_body_is_signed_as_an_empty_one)
{
        struct secret_key key = test_key(1);
        char text[REQUEST_SIGNATURE_BYTES];
        struct request_facts none = { "GET", "/", "1", NULL, 0 }, empty = { "GET", "/", "1", "", 0 };
        CHECK(request_sign(&none, &key, text, NULL) == OK && request_check_signature(&empty, key.public.bytes, text, NULL) == OK);
}

TEST(request, refuses_a_head_that_is_longer_than_any_of_ours)
{
        struct secret_key key = test_key(1);
        uint8_t mac_key[32] = { 0 };
        char path[REQUEST_HEAD_MAX + 2], signature[REQUEST_SIGNATURE_BYTES], mac[REQUEST_MAC_BYTES];
        struct request_facts long_one = { "", path, "", NULL, 0 };
        memset(path, 'a', sizeof(path) - 1);
        path[sizeof(path) - 1] = 0;
        CHECK(request_sign(&long_one, &key, signature, NULL) == ERR_LIMIT && request_mac(&long_one, mac_key, mac, NULL) == ERR_LIMIT);
        path[REQUEST_HEAD_MAX] = 0;
        CHECK(request_sign(&long_one, &key, signature, NULL) == OK && request_check_signature(&long_one, key.public.bytes, signature, NULL) == OK);
}
