#include "trust/lease.h"

#include "support/sweep.h"
#include "trust/keys.h"

#define TARGET "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* The bytes of formats.md, 1.3. */
static const char stored[] =
        "firebreak lease v1\nkind exposure\ndevice 00112233445566778899aabbccddeeff\nstream edr-rules\ncounter 4\ntarget " TARGET "\n"
        "nonce 0f0e0d0c0b0a09080706050403020100\ngranted 1784432200\ndeadline 1784432800\nbake 480\n";

static enum err parse_with(const char *old, const char *new)
{
        char text[LEASE_BYTES_MAX];
        struct lease lease;
        const char *at = strstr(stored, old);
        CHECK(at);
        snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - stored), stored, new, at + strlen(old));
        return lease_parse(text, strlen(text), &lease, NULL);
}

TEST(lease, is_read_and_written_as_the_same_bytes)
{
        struct lease lease = { 0 };
        OWN(buf) struct buf text;
        buf_init(&text, LEASE_BYTES_MAX);
        CHECK(lease_parse(stored, strlen(stored), &lease, NULL) == OK);
        CHECK(!lease.is_shadow && strcmp(lease.device, "00112233445566778899aabbccddeeff") == 0 && strcmp(lease.stream, "edr-rules") == 0);
        CHECK(lease.counter == 4 && lease.target[5] == 0xaa && lease.nonce[0] == 15 && lease.granted == 1784432200 && lease.deadline == 1784432800);
        CHECK(lease.bake_s == 480);
        lease_write(&lease, &text);
        CHECK(strcmp(buf_text(&text), stored) == 0);
        lease.is_shadow = true;
        buf_clear(&text);
        lease_write(&lease, &text);
        CHECK(strstr(buf_text(&text), "kind shadow\n") && lease_parse(buf_text(&text), text.length, &lease, NULL) == OK && lease.is_shadow);
}

TEST(lease, refuses_lines_that_are_not_as_they_should_be)
{
        static const struct { const char *old, *new; } changes[] = {
                { "lease v1", "lease v2" }, { "exposure", "Exposure" }, { "exposure", "" }, { "exposure", "shadow " }, { "00112233", "0011223" },
                { "aabbccddeeff", "AABBCCDDEEFF" }, { "device 00", "device 0x" }, { "edr-rules", "edr rules" }, { "counter 4", "counter -4" },
                { "target aa", "target ga" }, { "target aa", "target a" }, { "nonce 0f", "nonce 0f0f" }, { "granted 1784432200", "granted 1784432800" },
                { "granted 1784432200", "granted 1784432801" }, { "deadline 1784432800\n", "deadline 1784432800" }, { "deadline 1784432800\n", "" },
                { "bake 480\n", "" }, { "bake 480", "bake 0" }, { "bake 480", "bake 601" }, { "bake 480", "bake -1" }, { "bake 480\n", "bake 480" },
                { "bake 480\n", "bake 480\nmore 1\n" }, { "stream edr-rules\n", "stream edr-rules\nstream edr-rules\n" }, { "kind exposure\n", "" },
        };
        CHECK(parse_with("4", "4") == OK && parse_with("bake 480", "bake 600") == OK && parse_with("bake 480", "bake 1") == OK);
        for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
                CHECK(parse_with(changes[i].old, changes[i].new) == ERR_SYNTAX);
}

TEST(lease, refuses_nul_bytes_cuts_and_lengths)
{
        char text[LEASE_BYTES_MAX + 1] = "";
        struct lease lease;
        for (size_t i = 0; i < strlen(stored); i++) {
                memcpy(text, stored, sizeof(stored));
                text[i] = 0;
                CHECK(lease_parse(text, strlen(stored), &lease, NULL) == ERR_SYNTAX && lease_parse(stored, i, &lease, NULL) == ERR_SYNTAX);
        }
        CHECK(lease_parse(text, sizeof(text), &lease, NULL) == ERR_LIMIT);
}

TEST(lease, counts_only_from_the_director)
{
        struct lease lease = { 0 };
        struct vkey director = test_vkey("director", 1), other = test_vkey("director", 2);
        OWN(buf) struct buf bytes;
        buf_init(&bytes, LEASE_BYTES_MAX);
        buf_add_text(&bytes, stored);
        CHECK(lease_open(&director, &bytes, &lease, NULL) == ERR_SYNTAX);
        test_sign(&bytes, "director", 1);
        CHECK(lease_open(&other, &bytes, &lease, NULL) == ERR_UNTRUSTED && !lease.counter);
        CHECK(lease_open(&director, &bytes, &lease, NULL) == OK && lease.counter == 4);
        *strstr(bytes.bytes, "counter 4") = 'C';
        CHECK(lease_open(&director, &bytes, &lease, NULL) == ERR_UNTRUSTED);
}

TEST(lease, needs_no_memory_to_be_opened)
{
        struct vkey director = test_vkey("director", 1);
        OWN(buf) struct buf bytes;
        buf_init(&bytes, LEASE_BYTES_MAX);
        buf_add_text(&bytes, stored);
        test_sign(&bytes, "director", 1);
        SWEEP_MEMORY {
                struct lease lease;
                CHECK(lease_open(&director, &bytes, &lease, NULL) == OK);
        }
}
