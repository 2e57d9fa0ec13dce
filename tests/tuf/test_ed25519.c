/* What the library for others takes for a signature, against what the product does. */
#include "support/test.h"
#include "trust/ed25519.h"
#include "trust/keys.h"

bool ed25519_verify_by_openssl(const uint8_t key[32], const void *bytes, size_t length, const uint8_t signature[64]);

struct signed_text { uint8_t key[32], signature[64], text[40]; size_t length; };

static void sign(uint8_t n, struct signed_text *made)
{
        struct secret_key key = test_key(n);
        made->length = n % sizeof(made->text);
        memset(made->text, n, sizeof(made->text));
        memcpy(made->key, key.public.bytes, sizeof(made->key));
        key_sign(&key, made->text, made->length, made->signature);
}

static bool fits(const struct signed_text *made)
{
        bool one = ed25519_verify(made->key, made->text, made->length, made->signature), other = ed25519_verify_by_openssl(made->key, made->text, made->length, made->signature);
        CHECK(one == other);
        return one;
}

TEST(ed25519, is_the_same_for_both)
{
        for (unsigned n = 1; n < 200; n++) {
                struct signed_text made;
                sign((uint8_t)n, &made);
                CHECK(fits(&made));
                made.signature[n % 64] ^= (uint8_t)(1 << n % 8);
                CHECK(!fits(&made));
                sign((uint8_t)n, &made);
                made.key[n % 32] ^= (uint8_t)(1 << n % 8);
                CHECK(!fits(&made));
                sign((uint8_t)n, &made);
                made.length++;
                CHECK(!fits(&made));
        }
}

/* The same number with the order of the group added to it: a second signature that nobody made. */
TEST(ed25519, takes_one_form_of_a_signature_only)
{
        static const uint8_t order[32] = { 0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10 };
        struct signed_text made;
        sign(7, &made);
        unsigned carry = 0;
        for (int i = 0; i < 32; i++) {
                carry += made.signature[32 + i] + order[i];
                made.signature[32 + i] = (uint8_t)carry;
                carry >>= 8;
        }
        CHECK(!carry && !fits(&made));
}
