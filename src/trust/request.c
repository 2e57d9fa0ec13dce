#include "trust/request.h"

#include "format/hex.h"
#include "trust/sha.h"

#include <sodium.h>
#include <string.h>

struct message { char text[REQUEST_HEAD_MAX + 65 + 4]; size_t length; };

static enum err write_message(const struct request_facts *facts, struct message *message, struct why *why)
{
        uint8_t digest[32];
        char hex[65];
        if (strlen(facts->method) + strlen(facts->path) + strlen(facts->date) > REQUEST_HEAD_MAX)
                return FAIL(why, ERR_LIMIT, "method, path and date of a request have at most %d bytes", REQUEST_HEAD_MAX);
        sha256(facts->body, facts->body_length, digest);
        hex_encode(digest, sizeof(digest), hex);
        message->length = (size_t)snprintf(message->text, sizeof(message->text), "%s\n%s\n%s\n%s\n", facts->method, facts->path, facts->date, hex);
        return OK;
}

enum err request_sign(const struct request_facts *facts, const struct secret_key *key, char text[REQUEST_SIGNATURE_BYTES], struct why *why)
{
        struct message message;
        uint8_t signature[64];
        enum err e = write_message(facts, &message, why);
        if (e)
                return e;
        key_sign(key, message.text, message.length, signature);
        sodium_bin2base64(text, REQUEST_SIGNATURE_BYTES, signature, sizeof(signature), sodium_base64_VARIANT_ORIGINAL);
        return OK;
}

enum err request_check_signature(const struct request_facts *facts, const uint8_t key[32], const char *text, struct why *why)
{
        struct message message;
        struct public_key public;
        uint8_t signature[64];
        size_t length = 0;
        memcpy(public.bytes, key, sizeof(public.bytes));
        enum err e = write_message(facts, &message, why);
        if (e)
                return e;
        e = base64_decode(text, strlen(text), signature, sizeof(signature), &length, why);
        if (e || length != sizeof(signature) || !key_verify(&public, message.text, message.length, signature))
                return FAIL(why, ERR_UNAUTHORIZED, "the signature does not fit this request and device");
        return OK;
}

static enum err make_mac(const struct request_facts *facts, const uint8_t mac_key[32], uint8_t mac[32], struct why *why)
{
        struct message message;
        enum err e = write_message(facts, &message, why);
        if (!e)
                crypto_auth_hmacsha256(mac, (const uint8_t *)message.text, message.length, mac_key);
        return e;
}

enum err request_mac(const struct request_facts *facts, const uint8_t mac_key[32], char text[REQUEST_MAC_BYTES], struct why *why)
{
        uint8_t mac[32];
        enum err e = make_mac(facts, mac_key, mac, why);
        if (!e)
                hex_encode(mac, sizeof(mac), text);
        return e;
}

enum err request_check_mac(const struct request_facts *facts, const uint8_t mac_key[32], const char *text, struct why *why)
{
        uint8_t mac[32], said[32];
        enum err e = make_mac(facts, mac_key, mac, why);
        if (e)
                return e;
        if (hex_decode(text, said, sizeof(said), why) || sodium_memcmp(mac, said, sizeof(mac)) != 0)
                return FAIL(why, ERR_UNAUTHORIZED, "the MAC does not fit this request and device; enrol again if the server is a new one");
        return OK;
}

void request_mac_key(const uint8_t secret[32], const char *device, uint8_t mac_key[32])
{
        static const char domain[] = "mac/v1";               /* its NUL is part of what is hashed */
        crypto_auth_hmacsha256_state state;
        crypto_auth_hmacsha256_init(&state, secret, 32);
        crypto_auth_hmacsha256_update(&state, (const uint8_t *)domain, sizeof(domain));
        crypto_auth_hmacsha256_update(&state, (const uint8_t *)device, strlen(device));
        crypto_auth_hmacsha256_final(&state, mac_key);
        sodium_memzero(&state, sizeof(state));
}
