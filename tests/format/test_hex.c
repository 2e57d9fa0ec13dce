#include "format/hex.h"

#include "support/sweep.h"
#include "support/test.h"

#include <stdint.h>
#include <string.h>

TEST(hex, goes_there_and_back)
{
        unsigned char bytes[256], back[256];
        char text[513];
        for (int i = 0; i < 256; i++)
                bytes[i] = (unsigned char)i;
        hex_encode(bytes, sizeof(bytes), text);
        CHECK(strlen(text) == 512 && memcmp(text, "000102", 6) == 0 && strcmp(text + 508, "feff") == 0);
        CHECK(hex_decode(text, back, sizeof(back), NULL) == OK && memcmp(bytes, back, sizeof(back)) == 0);
        CHECK(hex_decode("", back, 0, NULL) == OK);
}

TEST(hex_decode, has_one_spelling_only)
{
        static const char *const bad[] = { "", "0", "000", "0g00", "00AB", " 000", "00 0", "00000", "000g", "0x00", "\xFFzzz" };
        unsigned char bytes[2];
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                CHECK(hex_decode(bad[i], bytes, 2, NULL) == ERR_SYNTAX);
}

static bool encodes(const char *text, const char *expected)
{
        OWN(buf) struct buf buf;
        buf_init(&buf, 100);
        base64_encode(text, strlen(text), &buf);
        unsigned char back[100];
        size_t length = 99;
        CHECK(base64_decode(buf_text(&buf), buf.length, back, sizeof(back), &length, NULL) == OK);
        CHECK(length == strlen(text) && memcmp(back, text, length) == 0);
        return strcmp(buf_text(&buf), expected) == 0;
}

/* The vectors of RFC 4648, section 10. */
TEST(base64, agrees_with_the_rfc)
{
        CHECK(encodes("", "") && encodes("f", "Zg==") && encodes("fo", "Zm8=") && encodes("foo", "Zm9v"));
        CHECK(encodes("foob", "Zm9vYg==") && encodes("fooba", "Zm9vYmE=") && encodes("foobar", "Zm9vYmFy"));
        CHECK(encodes("\xFB\xFF\xBF", "+/+/"));
}

TEST(base64_decode, has_one_spelling_only)
{
        static const char *const bad[] = { "Z", "Zg", "Zg=", "Zh==", "Zm9=", "Zm8=Zg==", "Zg==Zm9v", "====", "=Zg=", "Z===", "Zm 9", "Zm9v\n", "Zm9-", "Zm9_",
                                           "Zg==\n   ", "Zg=a" };
        unsigned char bytes[16];
        size_t length;
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                CHECK(base64_decode(bad[i], strlen(bad[i]), bytes, sizeof(bytes), &length, NULL) == ERR_SYNTAX);
}

TEST(base64_decode, stays_within_the_room_it_has)
{
        unsigned char bytes[4] = { 1, 2, 3, 4 };
        size_t length = 9;
        CHECK(base64_decode("Zm9v", 4, bytes, 2, &length, NULL) == ERR_LIMIT && length == 9 && bytes[0] == 1);
        CHECK(base64_decode("Zm8=", 4, bytes, 2, &length, NULL) == OK && length == 2 && bytes[2] == 3);
}

TEST(base64_encode, survives_every_allocation_failure)
{
        SWEEP_MEMORY {
                OWN(buf) struct buf buf;
                buf_init(&buf, 1000);
                base64_encode("0123456789012345678901234567890123456789012345678901234567890123456789", 70, &buf);
                enum err e = buf_check(&buf, NULL);
                CHECK(e == OK || e == ERR_NOMEM);
        }
}
