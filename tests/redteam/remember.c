/* Each signature is checked once: ten thousand devices read the same files. Takes the place of one function of libsodium and asks another one of it,
 * which does the same. Remembers by a digest of key, signature and bytes together. */
#include <sodium.h>
#include <stdbool.h>
#include <string.h>

enum { SLOTS = 1 << 14, NAME_BYTES = 32 };

static struct { unsigned char name[NAME_BYTES]; bool is_used; int answer; } known[SLOTS];

int crypto_sign_verify_detached(const unsigned char *signature, const unsigned char *bytes, unsigned long long length, const unsigned char *key)
{
        unsigned char name[NAME_BYTES];
        crypto_generichash_state state;
        uint32_t at;
        crypto_generichash_init(&state, NULL, 0, sizeof(name));
        crypto_generichash_update(&state, key, 32);
        crypto_generichash_update(&state, signature, 64);
        crypto_generichash_update(&state, bytes, length);
        crypto_generichash_final(&state, name, sizeof(name));
        memcpy(&at, name, sizeof(at));
        at %= SLOTS;
        if (known[at].is_used && memcmp(known[at].name, name, sizeof(name)) == 0)
                return known[at].answer;
        memcpy(known[at].name, name, sizeof(name));
        known[at].answer = crypto_sign_ed25519_verify_detached(signature, bytes, length, key);
        known[at].is_used = true;
        return known[at].answer;
}
